"""`funreason profile`: named states of params.yaml."""

import argparse


def add(profile: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = profile.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the available profiles; a star marks the one that params.yaml holds")
    listing.set_defaults(run=_list)
    use = actions.add_parser("use", help="rewrite params.yaml with the values of a profile, keeping its comments")
    use.add_argument("name", metavar="NAME")
    use.add_argument("--force", action="store_true", help="overwrite edited values that are in no profile")
    use.set_defaults(run=_use)
    save = actions.add_parser("save", help="keep the values of params.yaml as a profile")
    save.add_argument("name", metavar="NAME")
    save.set_defaults(run=_save)


def _list(_: argparse.Namespace) -> None:
    from funreason.config import profiles

    active, edited = profiles.active()
    names = profiles.names()
    width = max(map(len, names))
    for name in names:
        mark = "*" if name == active else " "
        print(f"{mark} {name:<{width}}  {profiles.description(name)}".rstrip())
    if edited:
        print(f"params.yaml is {active} with edited values: {', '.join(edited)}")


def _use(arguments: argparse.Namespace) -> None:
    from funreason.config import profiles

    changed = profiles.use(arguments.name, force=arguments.force)
    print(f"params.yaml holds profile {arguments.name} ({changed} values changed); run `dvc repro`")


def _save(arguments: argparse.Namespace) -> None:
    from funreason.config import profiles

    print(f"{profiles.save(arguments.name)} holds the values of params.yaml")
