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
    sides = "rounds, folders of `funreason score`, or files of answers"
    compare.add_argument("--paired", nargs=2, metavar=("A", "B"), help=f"two models row by row: {sides}")
    margin = "with --paired: the largest difference that counts as none; default: 0.02"
    compare.add_argument("--margin", type=float, default=0.02, metavar="X", help=margin)
    compare.add_argument("--seeds", nargs="+", metavar="RUN", help=f"several runs of one model as one row: {sides}")
    csv = "BFCL's own CSV files of several runs (rounds or folders of `funreason score`), into the folder --out"
    compare.add_argument("--bfcl-csv", nargs="+", metavar="RUN", help=csv)
    compare.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    compare.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.core.jsonio import atomic
    from funreason.report.compare import compare, markdown
    from funreason.report.compare_sides import WORKSPACE, experiments

    if arguments.bfcl_csv:
        _bfcl_csv(arguments)
        return
    figures: dict | list
    if arguments.paired or arguments.seeds:
        text, figures = _rows(arguments)
    else:
        order = ["base", *load_params().rounds]
        table = compare([WORKSPACE, *arguments.sides], order, [] if arguments.sides else experiments())
        text, figures = markdown(table), table
    texts = {"md": text, "json": json.dumps(figures, indent=2, ensure_ascii=False) + "\n"}
    for ending, text in texts.items() if arguments.out else ():
        with atomic(f"{arguments.out}.{ending}") as file:
            file.write(text)
    print(texts["json" if arguments.json else "md"], end="")


def _bfcl_csv(arguments: argparse.Namespace) -> None:
    from pathlib import Path

    from funreason.core.errors import ParamsError
    from funreason.evaluate.bfcl_csv import write
    from funreason.report.bfcl_tables import tables
    from funreason.sandbox.isolation import resolve

    if not arguments.out or arguments.sides or arguments.paired or arguments.seeds:
        raise ParamsError("--bfcl-csv needs --out FOLDER, and neither REV, --paired nor --seeds")
    for path in write(Path(arguments.out), tables(arguments.bfcl_csv, resolve("auto"))):
        print(path)


def _rows(arguments: argparse.Namespace) -> tuple[str, list[dict]]:
    """Row by row: the table and its figures."""
    from funreason.core.errors import ParamsError
    from funreason.report.paired import paired, paired_markdown, seeds, seeds_markdown

    if arguments.sides or (arguments.paired and arguments.seeds):
        raise ParamsError("give one of REV, --paired A B and --seeds RUN RUN; `funreason compare --help`")
    if arguments.seeds:
        figures = seeds(arguments.seeds)
        return seeds_markdown(figures), figures
    if not 0 < arguments.margin < 1:
        raise ParamsError(f"--margin is {arguments.margin}, allowed is above 0, below 1 (0.02 is two points)")
    a, b = arguments.paired
    figures = paired(a, b, arguments.margin)
    return paired_markdown(figures), figures
