"""One check of FCDR over the rows that the step before let through.

Run as: python stages/refine.py cot r0
Checks, in order: response, query_tool, cot, call, format. Reads params.yaml, models/judges.json and the rows of the
step before; writes data/<set>/<n>_<check>.jsonl, its ledger and metrics/<set>/<n>_<check>.json. Killed and run
again, it asks only what has no answer yet.
"""

from funreason.core.runtime import run


def main(check: str, name: str) -> None:
    from contextlib import ExitStack

    from funreason.config.params import load_params
    from funreason.ledger import files
    from funreason.llm import counting
    from funreason.refine import loop as refine
    from funreason.refine.checks import chosen_check
    from funreason.refine.panel import BLOCK, open_asked, seated
    from funreason.refine.tally import Tally

    params, chosen, tally = seated(load_params(), name), chosen_check(check), Tally()
    before, stem = files.stems(check)
    block = BLOCK if params.fcdr.mode == "heuristics" else None
    with ExitStack() as stack:
        usage = stack.enter_context(counting(params.llm))
        asked = open_asked(params, check, stack)
        outcomes = refine.run(chosen, files.read_samples(name, before), asked, params.fcdr, block)
        files.write_step(name, stem, tally.over(outcomes))
    files.write_metrics(name, stem, tally.metrics() | {"llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
