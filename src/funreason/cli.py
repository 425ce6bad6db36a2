"""The `funreason` command. The pipeline itself is run by DVC: `dvc repro`.

Run as: funreason profile list · funreason profile use paper · funreason params check
"""

import argparse
import sys

from funreason import profiles
from funreason.params import load_params
from funreason.stage import outcome


def main() -> None:
    arguments = _parser().parse_args()
    sys.exit(outcome(lambda: arguments.run(arguments), []))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("funreason", description="Parameters and profiles of the pipeline.")
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")

    profile = rooms.add_parser("profile", help="named states of params.yaml, kept in profiles/")
    actions = profile.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="name the available profiles").set_defaults(run=_profile_list)
    use = actions.add_parser("use", help="rewrite params.yaml with a profile's values, keeping its comments")
    use.add_argument("name", metavar="NAME")
    use.set_defaults(run=_profile_use)
    save = actions.add_parser("save", help="keep the values of params.yaml as a profile")
    save.add_argument("name", metavar="NAME")
    save.set_defaults(run=_profile_save)

    params = rooms.add_parser("params", help="params.yaml")
    actions = params.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="name every unknown, missing or ill-typed key")
    check.add_argument("path", nargs="?", default="params.yaml", metavar="FILE")
    check.set_defaults(run=_params_check)
    return parser


def _profile_list(_) -> None:
    print("\n".join(profiles.names()))


def _profile_use(arguments) -> None:
    changed = profiles.use(arguments.name)
    print(f"params.yaml holds profile {arguments.name} ({changed} values changed); run `dvc repro`")


def _profile_save(arguments) -> None:
    print(f"{profiles.save(arguments.name)} holds the values of params.yaml")


def _params_check(arguments) -> None:
    load_params(arguments.path)
    print(f"{arguments.path}: every key is known and well typed")
