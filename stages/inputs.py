"""Check that the files of the user that params.yaml names are there, before any stage that reads them.

Run as: python stages/inputs.py → data/inputs.json. DVC looks at a stage's dependencies before it starts the stage,
and says no more of a missing one than `[Errno 2]`.
"""

import sys

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import write_json
    from funreason.doctor.inputs import named_inputs, require_inputs

    params = load_params()
    for warning in require_inputs(params):
        print(f"inputs: {warning}", file=sys.stderr)
    write_json(paths.INPUTS, named_inputs(params))


if __name__ == "__main__":
    run(main)
