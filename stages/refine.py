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
    from funreason.refine.checks import check_named
    from funreason.refine.loop import run as run_check
    from funreason.refine.metrics import CheckMetrics
    from funreason.refine.modes import open_decider
    from funreason.refine.panel import with_recipe_panel
    from funreason.refine.watch import JudgeWatch

    params, named, metrics = with_recipe_panel(load_params(), name), check_named(check), CheckMetrics()
    with ExitStack() as stack:
        usage = stack.enter_context(counting(params.llm))
        decider = open_decider(params, check, stack)
        watch = JudgeWatch(decider, params.judge)
        samples = files.read_samples(name, step_before(check))
        files.write_step(name, check, run_check(named, samples, decider, params.fcdr, metrics, watch))
    files.write_metrics(name, check, metrics.metrics() | {"judges": watch.metrics(), "llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
