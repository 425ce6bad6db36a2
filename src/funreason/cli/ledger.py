"""`funreason ledger`: what happened to the rows of a round, and why."""

import argparse
import json
from pathlib import Path

from funreason.cli.places import given_side
from funreason.core import paths

_SIDE = (
    "a Git revision, a DVC experiment, `workspace`, or a folder: a checkout or data/<round> of one. A name that is "
    "both a revision and a folder is the revision; write ./NAME for the folder"
)


def add(ledger: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = ledger.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="the history of one row: every step, vote, heuristic and answer")
    show.add_argument("id", metavar="ID")
    show.set_defaults(run=_show)
    stats = actions.add_parser("stats", help="counts per step, outcomes, most common reasons")
    stats.add_argument("--json", action="store_true", help="for scripts")
    stats.set_defaults(run=_stats)
    diff = actions.add_parser("diff", help="the rows whose outcome differs between two states, and why")
    diff.add_argument("a", type=given_side, metavar="A", help=_SIDE)
    diff.add_argument("b", type=given_side, metavar="B", help="the same")
    diff.add_argument("--all", action="store_true", help="all rows, not only the first 20")
    diff.add_argument("--json", action="store_true", help="for scripts; always all rows")
    diff.set_defaults(run=_diff)
    for action in (show, stats, diff):
        action.add_argument("--round", default="r0", metavar="ROUND", help="default: r0")


def _show(arguments: argparse.Namespace) -> None:
    from funreason.ledger.text import row_text

    print(row_text(arguments.id, arguments.round))


def _stats(arguments: argparse.Namespace) -> None:
    from funreason.ledger import history
    from funreason.ledger.text import stats_text

    counts = history.stats(history.read_ledger(Path(paths.ledger(arguments.round))))
    if arguments.json:
        _print_json({"round": arguments.round, **counts})
    else:
        print(stats_text(counts, arguments.round))


def _diff(arguments: argparse.Namespace) -> None:
    from funreason.ledger import history
    from funreason.ledger.text import SHOWN, diff_text

    a, b = (history.state(side, arguments.round) for side in (arguments.a, arguments.b))
    difference = history.diff(a, b)
    if arguments.json:
        _print_json(difference)
    else:
        print(diff_text(difference, arguments.a, arguments.b, None if arguments.all else SHOWN))


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
