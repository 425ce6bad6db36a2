"""`funreason push-dataset`: upload the data set of a round to the Hugging Face hub."""

import argparse

from funreason.core.paths import dataset


def add(push: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    push.add_argument("repo_id", metavar="REPO_ID", help="OWNER/NAME; created if it does not exist")
    push.add_argument("--round", default="r0", metavar="ROUND", help="default: r0")
    push.add_argument("--private", action="store_true", help="create it private; refused if it is public already")
    push.add_argument("--revision", metavar="BRANCH", help="a branch, created if it does not exist")
    push.add_argument("--allow-unknown-license", action="store_true", help="the owner of the source has agreed")
    push.add_argument("--dry-run", action="store_true", help="check the folder, list its files, and send nothing")
    push.set_defaults(run=_push)


def _push(arguments: argparse.Namespace) -> None:
    from funreason.publish.hub import push

    done = push(
        arguments.repo_id,
        arguments.round,
        private=arguments.private,
        revision=arguments.revision,
        allow_unknown_license=arguments.allow_unknown_license,
        dry_run=arguments.dry_run,
    )
    print(done if arguments.dry_run else f"uploaded {dataset(arguments.round)}: {done}")
