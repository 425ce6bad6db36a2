"""`funreason cache …`: the response cache on the command line."""

import argparse
import json
import sys

from funreason.core.errors import DataError


def add(cache: argparse.ArgumentParser) -> None:
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    stats = actions.add_parser("stats", help="responses, tokens and days of use, a model")
    stats.add_argument("--json", action="store_true", help="for scripts")
    stats.set_defaults(run=_stats)
    gc = actions.add_parser("gc", help="drop responses that nobody uses any more")
    gc.add_argument("--unused-days", type=_days, metavar="DAYS", help="those that no run has asked for in so long")
    gc.add_argument("--dry-run", action="store_true", help="only count them")
    gc.set_defaults(run=_gc)
    export = actions.add_parser("export", help="write responses to a file, for another machine")
    export.add_argument("path", metavar="FILE", help="gzipped where it ends in .gz")
    export.set_defaults(run=_export)
    push = actions.add_parser("push", help="upload responses that a remote does not have yet, for a team to share")
    push.set_defaults(run=_push)
    pull = actions.add_parser("pull", help="fetch the responses of a remote that are not here yet")
    pull.set_defaults(run=_pull)
    for action in (push, pull):
        place = "a DVC remote (none: the default one), or a URL or path, which has a /: s3://bucket/path, ../folder"
        action.add_argument("place", nargs="?", metavar="REMOTE|URL", help=place)
    for action in (gc, export, push):
        action.add_argument("--model", metavar="IDENTITY", help="of one model only; the start of its name in `stats`")
    take = actions.add_parser("import", help="take over an export, or what can be read of a cache moved aside")
    take.add_argument("path", metavar="FILE")
    take.set_defaults(run=_import)
    verify = actions.add_parser("verify", help="hold every response against its digest")
    verify.add_argument("--repair", action="store_true", help="drop what is damaged: it will be asked again")
    verify.set_defaults(run=_verify)


def _days(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days, 0 or more")
    return int(text)


# What follows imports its libraries late, like all of the command line.
def _stats(arguments) -> None:
    from tabulate import tabulate

    from funreason.cache.maintenance import stats
    from funreason.llm.cache import Cache

    with Cache() as cache:
        found = stats(cache)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['path']}: {found['responses']:,} responses, {found['bytes'] / 2**20:,.1f} MiB")
    if found["models"]:
        print(tabulate(found["models"], headers="keys", intfmt=","))
    for path in found["aside"]:
        print(f"moved aside, because damaged: {path}; `funreason cache import` it, then delete it")


def _gc(arguments) -> None:
    from funreason.cache.maintenance import gc
    from funreason.llm.cache import Cache

    with Cache() as cache:
        count, size = gc(cache, arguments.unused_days, arguments.model, arguments.dry_run)
    would = "would drop" if arguments.dry_run else "dropped"
    print(f"{would} {count:,} responses" + ("" if arguments.dry_run else f", {size / 2**20:,.1f} MiB given back"))


def _export(arguments) -> None:
    from funreason.cache.exchange import export
    from funreason.llm.cache import Cache

    with Cache() as cache:
        print(f"{arguments.path}: {export(cache, arguments.path, arguments.model):,} responses")


def _import(arguments) -> None:
    from funreason.cache.exchange import import_
    from funreason.llm.cache import Cache

    with Cache() as cache:
        new, known = import_(cache, arguments.path)
    print(f"{new:,} new responses, {known:,} were here already")


def _push(arguments) -> None:
    from funreason.cache.packs import push
    from funreason.cache.remote import open_shelf
    from funreason.llm.cache import Cache

    shelf = open_shelf(arguments.place)
    with Cache() as cache:
        sent, packs, known = push(cache, shelf, arguments.model)
    print(f"{shelf.shown}: {sent:,} responses sent in {packs:,} packs, {known:,} were there already")


def _pull(arguments) -> None:
    from funreason.cache.packs import pull
    from funreason.cache.remote import open_shelf
    from funreason.llm.cache import Cache

    shelf = open_shelf(arguments.place)
    with Cache() as cache:
        found = pull(cache, shelf)
    if not found.listed:
        print(f"{shelf.shown}: no responses there yet")
        return
    print(f"{shelf.shown}: {found.new:,} new responses from {found.packs:,} of {found.listed:,} packs")
    if found.problems:
        remedy = "delete the damaged pack and its .keys there; who has its responses pushes them again"
        raise DataError(f"{'; '.join(found.problems)}; the other packs were taken; {remedy}")


def _verify(arguments) -> None:
    from funreason.cache.maintenance import verify
    from funreason.llm.cache import Cache

    with Cache() as cache:
        found = verify(cache, arguments.repair)
        where = cache.path
    counts = f"{found['responses']:,} responses, {found['damaged']:,} damaged, {found['unchecked']:,} without a digest"
    print(f"{where}: {counts}; structure: {found['structure']}")
    if found["damaged"] or found["structure"] != "ok":
        if arguments.repair:
            print("repaired: what was damaged will be asked again", file=sys.stderr)
        else:
            raise DataError(f"{where} is damaged; `funreason cache verify --repair` keeps what is sound")
