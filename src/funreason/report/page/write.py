"""One HTML file: the page's own script and style, and the data, compressed.

A strict content security policy names the hashes of the script and the style, and forbids everything else: whatever a
row holds, nothing of it runs and nothing is requested. The script writes texts as texts, never as HTML.
"""

import base64
import hashlib
import json
import zlib
from importlib.resources import files
from pathlib import Path

from funreason.core.jsonio import JsonObject, atomic

_ASSETS = files("funreason.report.page") / "assets"
_SCRIPTS = ("text.js", "charts.js", "packed.js", "overview.js", "rows.js", "evaluation.js", "training.js", "app.js")
_LINE = 120


def write_page(path: str | Path, run: JsonObject, comparison: JsonObject | None = None, refresh_s: int = 0) -> None:
    """Write the page, atomically. Equal data give equal bytes.

    Args:
        path: the HTML file.
        run: what `collect_run` gave.
        comparison: what `compare_states` gave, for two states.
        refresh_s: seconds after which a browser loads the page again; 0 is never.
    """
    with atomic(path) as file:
        file.write(page(run, comparison, refresh_s))


def page(run: JsonObject, comparison: JsonObject | None = None, refresh_s: int = 0) -> str:
    """The page as text, see `write_page`."""
    style = (_ASSETS / "style.css").read_text(encoding="utf-8")
    scripts = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    script = f"'use strict';\n(() => {{\n{scripts}}})();\n"
    sources = f"script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    refresh = f'\n<meta http-equiv="refresh" content="{int(refresh_s)}">' if refresh_s else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">{refresh}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>FunReason report</title>
<style>{style}</style>
</head>
<body>
<noscript>This page needs JavaScript: its data are packed, and its own script draws them.</noscript>
<div id="page"></div>
<svg id="svg" width="0" height="0" aria-hidden="true"></svg>
<script type="text/plain" id="data">
{_packed({"run": run, "comparison": comparison})}
</script>
<script>{script}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _packed(value: JsonObject) -> str:
    raw = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    text = base64.b64encode(zlib.compress(raw, 9)).decode()
    return "\n".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
