"""`funreason exps`: the DVC experiments side by side, in few columns."""

import argparse
import json


def add(exps: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    exps.description = (
        "The workspace, the last commit and its DVC experiments: the parameters that differ from the commit's, and the "
        "figures of one round. `dvc exp show` has every parameter and every figure of all rounds."
    )
    exps.add_argument("--round", metavar="ROUND", help="default: the last one with figures")
    exps.add_argument("--json", action="store_true", help="for scripts")
    exps.set_defaults(run=_exps)


def _exps(arguments: argparse.Namespace) -> None:
    from funreason.report.experiments import experiments, table

    rows = experiments(arguments.round)
    print(json.dumps(rows, indent=2, ensure_ascii=False) if arguments.json else table(rows))
