"""Run one check of FCDR over the rows that the step before passed on.

Run as: python stages/refine.py cot r0
Checks, in order: response, query_tool, cot, call, format. Reads params.yaml, models/judges.json and the rows of the
step before; writes data/<round>/<n>_<check>.jsonl, its ledger and metrics/<round>/<n>_<check>.json. Killed and run
again, it asks only what has no answer yet.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(check: str, name: str) -> None:
    from contextlib import ExitStack

    from funreason.config import load_params
    from funreason.core.paths import step_before
    from funreason.ledger import files
    from funreason.llm import counting
    from funreason.refine import loop as refine
    from funreason.refine.checks import chosen_check
    from funreason.refine.panel import BLOCK, open_asked, seated
    from funreason.refine.tally import Tally

    params, chosen, tally = seated(load_params(), name), chosen_check(check), Tally()
    block = BLOCK if params.fcdr.mode == "heuristics" else None
    with ExitStack() as stack:
        usage = stack.enter_context(counting(params.llm))
        asked = open_asked(params, check, stack)
        outcomes = refine.run(chosen, files.read_samples(name, step_before(check)), asked, params.fcdr, block)
        files.write_step(name, check, tally.over(outcomes))
    files.write_metrics(name, check, tally.metrics() | {"llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
