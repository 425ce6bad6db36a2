"""`funreason rounds` and `funreason rerun-plan`."""

import argparse
import json

from funreason.config import load_params


def add(rounds: argparse.ArgumentParser) -> None:
    """`funreason rounds`."""
    actions = rounds.add_subparsers(required=True, metavar="ACTION")
    plan = actions.add_parser("plan", help="what one more round would run and cost")
    plan.add_argument("--recipe", choices=("self_refine", "hdr"), default="self_refine", help="default: self_refine")
    plan.add_argument("--after", metavar="ROUND", help="the round whose model it starts from; default: the last one")
    plan.add_argument("--json", action="store_true", help="for scripts")
    plan.set_defaults(run=_plan)
    show = actions.add_parser("show", help="the rounds side by side: accuracy, code, accepted queries, hard pool")
    show.set_defaults(run=_show)


def add_rerun_plan(plan: argparse.ArgumentParser) -> None:
    """`funreason rerun-plan`."""
    values = "a value to try, as for `dvc exp run -S`; repeat it for several"
    plan.add_argument("-S", "--set-param", action="append", default=[], metavar="KEY=VALUE", help=values)
    plan.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="STAGE",
        help="only this stage and what it needs; repeat it for several",
    )
    plan.add_argument("--json", action="store_true", help="for scripts")
    plan.set_defaults(run=_rerun_plan)


# The libraries are imported late: `funreason --help` answers at once.
def _plan(arguments: argparse.Namespace) -> None:
    from funreason.plan.round import plan_round, plan_text

    plan = plan_round(load_params(), arguments.recipe, arguments.after)
    print(json.dumps(plan.to_row(), indent=2) if arguments.json else plan_text(plan))


def _show(_: argparse.Namespace) -> None:
    from funreason.report.rounds import round_rows, table

    params = load_params()
    print(table(round_rows(params.rounds, params.gate.measure)), end="")


def _rerun_plan(arguments: argparse.Namespace) -> None:
    from pathlib import Path

    from funreason.plan.reruns import FILE, plan_reruns, plan_text

    params, changed = load_params(), Path(FILE).read_text(encoding="utf-8")
    if arguments.set_param:
        from funreason.config.overrides import overridden

        changed, params = overridden(Path(FILE), arguments.set_param)
    plan = plan_reruns(changed, params, arguments.target)
    print(json.dumps(plan.to_row(), indent=2) if arguments.json else plan_text(plan))
