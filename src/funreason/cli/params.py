"""`funreason params`: check params.yaml, or rewrite one of an earlier version."""

import argparse
import sys
from pathlib import Path

from funreason.cli.places import given_path
from funreason.core.paths import PARAMS, PROFILES


def add(params: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = params.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser(
        "check", help="name every unknown, missing or ill-typed key, and every input file that is missing"
    )
    check.add_argument("path", nargs="?", type=given_path, metavar="FILE", help=f"default: {PARAMS}")
    check.set_defaults(run=_check)
    migrate = actions.add_parser("migrate", help="rewrite files of an earlier version with today's keys")
    files = f"default: {PARAMS} and {PROFILES}/*.yaml"
    migrate.add_argument("paths", nargs="*", type=given_path, metavar="FILE", help=files)
    migrate.set_defaults(run=_migrate)


def _check(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.doctor.inputs import require_inputs

    path = arguments.path or PARAMS
    params = load_params(path)
    for warning in require_inputs(params) if path == PARAMS else ():
        print(f"{path}: {warning}", file=sys.stderr)
    print(f"{path}: every key is known and well typed")


def _migrate(arguments: argparse.Namespace) -> None:
    from funreason.config.migrate import migrate
    from funreason.config.profiles import COMPLETE, FOLDER

    paths = [Path(path) for path in arguments.paths] or [Path(PARAMS), *sorted(FOLDER.glob("*.yaml"))]
    for path, renames in migrate(paths, FOLDER / f"{COMPLETE}.yaml").items():
        added = sum(not old for old, _ in renames)
        changes = [f"{len(renames) - added} names changed"] * (added < len(renames)) + [f"{added} keys added"] * bool(
            added
        )
        print(f"{path}: {', '.join(changes) or 'nothing to change'}")
        for old, new in renames:
            print(f"  {old} → {new}" if old else f"  new: {new}")
