"""`funreason data inspect`: what a source holds, and what would become of its rows."""

import argparse
import json
from pathlib import Path

from funreason.cli.counts import count
from funreason.cli.places import given_path


def add(data: argparse.ArgumentParser) -> None:
    """`funreason data`."""
    actions = data.add_subparsers(required=True, metavar="ACTION")
    inspect = actions.add_parser("inspect", help="formats, counts, what would be quarantined and why, three rows")
    inspect.add_argument("source", metavar="FILE|HUB_ID", type=_given, help="a file, a folder or a data set of the hub")
    inspect.add_argument("--limit", type=count, metavar="N", help="rows to read; default: all")
    inspect.add_argument("--split", default="train", help="of a data set of the hub: SPLIT or CONFIGURATION/SPLIT")
    inspect.add_argument("--format", default="auto", help="set the format of the rows; default: found out row by row")
    inspect.add_argument("--json", action="store_true", help="for scripts")
    inspect.set_defaults(run=_inspect)


def _given(text: str) -> str:
    return given_path(text) if Path(text).exists() else text


def _inspect(arguments: argparse.Namespace) -> None:
    from funreason.core.errors import DataError
    from funreason.data.formats import FORMATS
    from funreason.data.inspection import inspect_source

    if arguments.format not in ("auto", *FORMATS):
        raise DataError(f"--format is {arguments.format!r}, allowed are auto, {', '.join(FORMATS)}")
    found = inspect_source(arguments.source, arguments.split, arguments.limit, arguments.format)
    print(json.dumps(found.to_row(), indent=2, ensure_ascii=True) if arguments.json else found.text())
