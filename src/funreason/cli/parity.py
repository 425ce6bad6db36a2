"""`funreason parity`: whether a server asks a model with the tokens that it was trained on."""

import argparse
import json
import sys
from pathlib import Path

from funreason.cli.counts import count
from funreason.cli.places import given_path


def add(parity: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parity.add_argument("model", metavar="MODEL", type=given_model, help="a round, a folder or a hub id")
    parity.add_argument("--rows", metavar="FILE", type=given_path, help="training rows; default: those of the round")
    parity.add_argument("--count", type=count, default=1000, metavar="N", help="rows, or conversations; default: 1000")
    parity.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice or the drawing; default: 0")
    parity.add_argument("--drawn", action="store_true", help="conversations drawn at random, also for a round")
    parity.add_argument("--template", action="store_true", help="render the chat template alone, as any server does")
    parity.add_argument("--json", action="store_true", help="for scripts")
    parity.set_defaults(run=_parity)


def given_model(text: str) -> str:
    """A model as the user gave it: a path stays relative to where the user is."""
    return given_path(text) if Path(text).is_dir() else text


def _parity(arguments: argparse.Namespace) -> None:
    from funreason.serve.certificate import certify

    certificate = certify(
        arguments.model,
        rows=arguments.rows,
        count=arguments.count,
        seed=arguments.seed,
        drawn_only=arguments.drawn,
        template_only=arguments.template,
    )
    print(json.dumps(certificate.to_row(), indent=2) if arguments.json else certificate.text())
    if certificate.parity.differences:
        sys.exit(1)
