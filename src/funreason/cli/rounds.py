"""`funreason rounds`: the rounds side by side, and what one more would cost."""

import argparse
import json


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


def _plan(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.plan.round import plan_round, plan_text

    plan = plan_round(load_params(), arguments.recipe, arguments.after)
    print(json.dumps(plan.to_row(), indent=2) if arguments.json else plan_text(plan))


def _show(_: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.report.rounds import round_rows, table

    params = load_params()
    print(table(round_rows(params.rounds, params.gate.measure)), end="")
