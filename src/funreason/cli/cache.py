"""`funreason cache`: the stored responses of models."""

import argparse
import json
import sys

from funreason.cli.places import given_path
from funreason.core.errors import DataError


def add(cache: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    stats = actions.add_parser("stats", help="responses, tokens and days of use per model")
    stats.add_argument("--json", action="store_true", help="for scripts")
    stats.set_defaults(run=_stats)
    gc = actions.add_parser("gc", help="drop responses that no run uses any more")
    gc.add_argument("--unused-days", type=_days, metavar="DAYS", help="those that no run has asked for in so many days")
    gc.add_argument("--refused", action="store_true", help="those of requests that a server refused, to ask them again")
    gc.add_argument("--dry-run", action="store_true", help="only count them")
    gc.set_defaults(run=_gc)
    export = actions.add_parser("export", help="write responses to a file, for another machine")
    export.add_argument("path", type=given_path, metavar="FILE", help="gzipped where it ends in .gz")
    export.set_defaults(run=_export)
    push = actions.add_parser("push", help="upload responses that a remote does not have yet, for a team to share")
    push.set_defaults(run=_push)
    pull = actions.add_parser("pull", help="fetch the responses of a remote that are not here yet")
    pull.set_defaults(run=_pull)
    for action in (push, pull):
        place = "a DVC remote (none: the default one), or a URL or path, which has a /: s3://bucket/path, ../folder"
        action.add_argument("place", nargs="?", type=_place, metavar="REMOTE|URL", help=place)
    for action in (gc, export, push):
        action.add_argument("--model", metavar="IDENTITY", help="of one model only; the start of its name in `stats`")
    take = actions.add_parser("import", help="take over an export, or the readable rows of a cache file moved aside")
    take.add_argument("path", type=given_path, metavar="FILE")
    take.set_defaults(run=_import)
    verify = actions.add_parser("verify", help="check every response against its digest")
    verify.add_argument("--repair", action="store_true", help="drop damaged responses, which are then asked again")
    verify.set_defaults(run=_verify)


def _days(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days, 0 or more")
    return int(text)


def _place(text: str) -> str:
    return given_path(text) if "/" in text and "://" not in text else text


def _stats(arguments: argparse.Namespace) -> None:
    from tabulate import tabulate

    from funreason.cache.maintenance import stats
    from funreason.llm.cache import Cache

    with Cache() as cache:
        counts = stats(cache)
    if arguments.json:
        print(json.dumps(counts, indent=2))
        return
    print(f"{counts['path']}: {counts['responses']:,} responses, {counts['bytes'] / 2**20:,.1f} MiB")
    if counts["models"]:
        print(tabulate(counts["models"], headers="keys", intfmt=","))
    for path in counts["aside"]:
        print(f"moved aside, because damaged: {path}; `funreason cache import` it, then delete it")


def _gc(arguments: argparse.Namespace) -> None:
    from funreason.cache.maintenance import gc
    from funreason.llm.cache import Cache

    with Cache() as cache:
        count, size = gc(cache, arguments.unused_days, arguments.model, arguments.dry_run, arguments.refused)
    would = "would drop" if arguments.dry_run else "dropped"
    print(f"{would} {count:,} responses" + ("" if arguments.dry_run else f", {size / 2**20:,.1f} MiB given back"))


def _export(arguments: argparse.Namespace) -> None:
    from funreason.cache.exchange import export
    from funreason.llm.cache import Cache

    with Cache() as cache:
        print(f"{arguments.path}: {export(cache, arguments.path, arguments.model):,} responses")


def _import(arguments: argparse.Namespace) -> None:
    from funreason.cache.exchange import import_
    from funreason.llm.cache import Cache

    with Cache() as cache:
        new, known = import_(cache, arguments.path)
    print(f"{new:,} new responses, {known:,} were here already")


def _push(arguments: argparse.Namespace) -> None:
    from funreason.cache.remote import open_store
    from funreason.cache.shards import push
    from funreason.llm.cache import Cache

    store = open_store(arguments.place)
    with Cache() as cache:
        sent, shards, known = push(cache, store, arguments.model)
    print(f"{store.shown}: {sent:,} responses sent in {shards:,} shards, {known:,} were there already")


def _pull(arguments: argparse.Namespace) -> None:
    from funreason.cache.remote import open_store
    from funreason.cache.shards import pull
    from funreason.llm.cache import Cache

    store = open_store(arguments.place)
    with Cache() as cache:
        result = pull(cache, store)
    if not result.listed:
        print(f"{store.shown}: no responses there yet")
        return
    print(f"{store.shown}: {result.new:,} new responses from {result.shards:,} of {result.listed:,} shards")
    if result.problems:
        remedy = "delete the damaged shard and its .keys there; somebody who has its responses can push them again"
        raise DataError(f"{'; '.join(result.problems)}; the other shards were taken; {remedy}")


def _verify(arguments: argparse.Namespace) -> None:
    from funreason.cache.maintenance import verify
    from funreason.llm.cache import Cache

    with Cache() as cache:
        checked = verify(cache, arguments.repair)
        where = cache.path
    damaged, unchecked, structure = checked["damaged"], checked["unchecked"], checked["structure"]
    print(f"{where}: {checked['responses']:,} responses, {damaged:,} damaged, {unchecked:,} without a digest;"
          f" structure: {structure}")  # fmt: skip
    if damaged or structure != "ok":
        if arguments.repair:
            print("repaired: damaged responses will be asked again", file=sys.stderr)
        else:
            raise DataError(f"{where} is damaged; `funreason cache verify --repair` keeps what is sound")
