"""Python imports this first, where this folder is in PYTHONPATH: at its end, the process of a stage writes which
modules of the package it has loaded, to $RECORDED_IMPORTS/<pid>.json.
"""

import atexit
import json
import os
import sys
from pathlib import Path


def _record() -> None:
    if Path(sys.argv[0]).parent.name != "stages":
        return
    loaded = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "funreason"]
    found = {Path(module.__file__).resolve() for module in loaded if getattr(module, "__file__", None)}
    files = [path.relative_to(Path.cwd().resolve()).as_posix() for path in found]
    text = json.dumps({"argv": sys.argv, "files": sorted(files)})
    Path(os.environ["RECORDED_IMPORTS"], f"{os.getpid()}.json").write_text(text)


if "RECORDED_IMPORTS" in os.environ:
    atexit.register(_record)
