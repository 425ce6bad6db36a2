"""`funreason report`: the report page of one state of the project, or of two side by side."""

import argparse

from funreason.cli.places import given_path, given_side

OUT = "report.html"
WATCH_S = 30


def add(report: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    report.description = (
        "Write one HTML file with the rows, judges, answers and losses of a state: the workspace, a Git revision, a "
        "DVC experiment or a folder. With two states, also what differs between them: parameters, accuracies in "
        "pairs, rows with another outcome. `dvc repro` keeps the page of the last run in report/index.html."
    )
    report.add_argument("a", nargs="?", default="workspace", metavar="A", type=given_side, help="default: workspace")
    report.add_argument("b", nargs="?", metavar="B", type=given_side, help="a second state, to compare with A")
    report.add_argument("--out", type=given_path, default=OUT, metavar="FILE", help=f"default: {OUT}")
    report.add_argument("--db", type=given_path, metavar="FILE", help="also write all rows and answers as SQLite")
    watch = f"write the page anew every {WATCH_S} s, with the curves of a running training; stop it with Ctrl-C"
    report.add_argument("--watch", action="store_true", help=watch)
    report.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    from funreason.report.page.collect import collect_state
    from funreason.report.page.compare import compare_states
    from funreason.report.page.database import write_database
    from funreason.report.page.sources import source
    from funreason.report.page.write import write_page

    a = source(arguments.a)
    shown = source(arguments.b) if arguments.b else a
    if arguments.db:
        write_database(arguments.db, collect_state(shown, limit=None))
        print(f"wrote {arguments.db}; `datasette {arguments.db}` browses it")
    if arguments.watch:
        _watch(arguments.out)
        return
    write_page(arguments.out, collect_state(shown), compare_states(a, shown) if arguments.b else None)
    print(f"wrote {arguments.out}; open it in a browser")


def _watch(out: str) -> None:
    """Write the page of the workspace again and again."""
    import time

    from funreason.report.page.collect import collect_state
    from funreason.report.page.live import running
    from funreason.report.page.sources import source
    from funreason.report.page.write import write_page
    from funreason.train.checkpoints import checkpoint_root

    print(f"writing {out} every {WATCH_S} s; open it in a browser, stop with Ctrl-C")
    while True:
        run = collect_state(source("workspace"))
        write_page(out, run | {"live": running(checkpoint_root())}, refresh_s=WATCH_S)
        time.sleep(WATCH_S)
