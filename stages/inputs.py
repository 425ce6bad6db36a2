"""Check that the files of the user that params.yaml names are there, before any stage that reads them.

Run as: python stages/inputs.py; it writes nothing. DVC looks at a stage's dependencies before it starts the stage, and
says no more of a missing one than `[Errno 2]`.
"""

import sys

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.doctor.inputs import require_inputs

    for warning in require_inputs(load_params()):
        print(f"inputs: {warning}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
