"""Lets a stage run the source of its own checkout. Every stage imports this module before anything of funreason.

The environment holds one installed package, that of the main checkout. DVC runs experiments (--temp, --queue) in
copies of the checkout, which may hold other code. Python finds this file beside the stage, so the copy's `src` comes
first; PYTHONPATH passes it on to the processes that the stage starts.
"""

import os
import sys
from pathlib import Path

_SOURCE = str(Path(__file__).resolve().parents[1] / "src")

if _SOURCE not in sys.path[:1]:
    sys.path.insert(0, _SOURCE)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_SOURCE, os.environ.get("PYTHONPATH")]))
