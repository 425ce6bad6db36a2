"""Runs in BFCL's own environment: reads one JSON text per line, writes the official decoder's result per line.

.venv-bfcl/bin/python tests/calls/bfcl_driver.py < texts.jsonl
"""

import json
import sys
import time
import types

# The real module imports every API client there is (7 s, and torch); the decoder needs none of them.
stub = types.ModuleType("bfcl_eval.constants.model_config")
stub.MODEL_CONFIG_MAPPING = {}
sys.modules[stub.__name__] = stub

from bfcl_eval.model_handler.utils import default_decode_ast_prompting  # noqa: E402


def decode(text: str) -> dict:
    """`{"calls": …}`, or `{"error": …}` where the decoder gives up."""
    try:
        return {"calls": default_decode_ast_prompting(text)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Decode all of stdin; the seconds spent in the decoder go to stderr."""
    texts = [json.loads(line) for line in sys.stdin]
    start = time.perf_counter()
    decoded = [decode(text) for text in texts]
    seconds = time.perf_counter() - start
    sys.stdout.writelines(json.dumps(row) + "\n" for row in decoded)
    sys.stderr.write(f"{seconds}\n")


if __name__ == "__main__":
    main()
