"""`funreason compare`: the rounds here beside the published numbers."""

import argparse
import json

from funreason.cli.places import given_path


def add(compare: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    compare.description = (
        "Accuracy on BFCL, HumanEval, MBPP and the toy queries: the published models, the rounds of the workspace, and "
        "those of its DVC experiments that differ from it. A star marks figures over a part of the rows."
    )
    side = "a Git revision or DVC experiment; replaces the experiments of the present commit"
    compare.add_argument("sides", nargs="*", metavar="REV", help=side)
    out = "also write the table to PATH.md and all figures to PATH.json"
    compare.add_argument("--out", type=given_path, metavar="PATH", help=out)
    compare.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    compare.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.core.jsonio import atomic
    from funreason.report.compare import compare, markdown
    from funreason.report.compare_sides import WORKSPACE, experiments

    order = ["base", *load_params().rounds]
    table = compare([WORKSPACE, *arguments.sides], order, [] if arguments.sides else experiments())
    texts = {"md": markdown(table), "json": json.dumps(table, indent=2, ensure_ascii=False) + "\n"}
    for ending, text in texts.items() if arguments.out else ():
        with atomic(f"{arguments.out}.{ending}") as file:
            file.write(text)
    print(texts["json" if arguments.json else "md"], end="")
