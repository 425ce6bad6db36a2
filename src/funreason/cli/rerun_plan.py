"""`funreason rerun-plan`: what `dvc repro` would run and ask, before it runs."""

import argparse
import json
from pathlib import Path


def add(plan: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    values = "a value to try, as for `dvc exp run -S`; may be repeated"
    plan.add_argument("-S", "--set-param", action="append", default=[], metavar="KEY=VALUE", help=values)
    target = "only this stage and what it needs; may be repeated"
    plan.add_argument("--target", action="append", default=[], metavar="STAGE", help=target)
    plan.add_argument("--json", action="store_true", help="for scripts")
    plan.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.core.paths import PARAMS
    from funreason.plan.reruns import plan_reruns, plan_text

    params, changed = load_params(), Path(PARAMS).read_text(encoding="utf-8")
    if arguments.set_param:
        from funreason.config.overrides import overridden

        changed, params = overridden(Path(PARAMS), arguments.set_param)
    plan = plan_reruns(changed, params, arguments.target)
    print(json.dumps(plan.to_row(), indent=2) if arguments.json else plan_text(plan))
