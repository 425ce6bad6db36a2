"""Write src/funreason/evaluate/disputed.yaml: rows of BFCL and ACEBench whose possible answers contradict themselves or
their tool.

Run as: python benchmarks/disputed_labels.py ACEBENCH (a checkout; needs `make setup` and `make bfcl3`)
"""

import json
import sys
from pathlib import Path

from funreason.audit.disputed import disputed, disputed_acebench
from funreason.evaluate.acebench_data import LANGUAGES
from funreason.evaluate.disputed import FILE
from funreason.sandbox import isolation

HEAD = """\
# Rows of BFCL and ACEBench whose possible answers contradict themselves or their own tool, by version or language:
# benchmarks/disputed_labels.py writes this file. `undisputed` in bfcl.json is the score without them
# (docs/evaluation.md).
"""


def main() -> None:
    mode = isolation.resolve("auto")
    rows = {version: disputed(version, mode) for version in ("v3", "v4")}
    rows |= {f"acebench_{language}": disputed_acebench(sys.argv[1], language) for language in LANGUAGES}
    lines = [line for version in rows for line in (f"{version}:", *_lines(rows[version]))]
    Path(FILE).write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print({version: len(own) for version, own in rows.items()}, file=sys.stderr)


def _lines(rows: dict[str, str]) -> list[str]:
    return [f"  {name}: {json.dumps(reason, ensure_ascii=False)}" for name, reason in rows.items()]


if __name__ == "__main__":
    main()
