"""`funreason push-model` and `funreason export`: the model of a round for others."""

import argparse
from pathlib import Path

from funreason.cli.places import given_path


def add(push: argparse.ArgumentParser) -> None:
    """Add the arguments of `push-model`."""
    push.add_argument("repo_id", metavar="REPO_ID", help="OWNER/NAME; created if it does not exist")
    push.add_argument("--round", default="r0", metavar="ROUND", help="default: r0")
    push.add_argument("--license", metavar="NAME", help="of the model, as the hub names it: apache-2.0")
    push.add_argument("--private", action="store_true", help="create it private; refused if it is public already")
    push.add_argument("--revision", metavar="BRANCH", help="a branch, created if it does not exist")
    push.add_argument("--dry-run", action="store_true", help="check the card, list the files, and send nothing")
    push.set_defaults(run=_push)


def _push(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.publish.model_hub import push_model

    done = push_model(
        arguments.repo_id,
        arguments.round,
        load_params(),
        license=arguments.license,
        private=arguments.private,
        revision=arguments.revision,
        dry_run=arguments.dry_run,
    )
    print(done if arguments.dry_run else f"uploaded the model of {arguments.round}: {done}")


def add_export(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `export`."""
    command.add_argument("round", metavar="ROUND", help="whose model")
    command.add_argument("--out", required=True, type=given_path, metavar="FOLDER", help="a new folder")
    command.add_argument("--license", metavar="NAME", help="of the model, for its card")
    command.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.core.errors import ParamsError
    from funreason.publish.model_card import model_card
    from funreason.serve.checkpoint import Checkpoint
    from funreason.serve.export import GGUF, LLAMA_TEMPLATE, MODELFILE, export

    out, params = Path(arguments.out), load_params()
    if arguments.round not in params.rounds:
        raise ParamsError(f"{arguments.round!r} is not a round; params.yaml has {', '.join(params.rounds)}")
    card = model_card(arguments.round, params, arguments.license)
    notes = export(Checkpoint.of(arguments.round), out, card)
    print("\n".join([f"wrote {out}", *notes]))
    print(f"for llama.cpp: python convert_hf_to_gguf.py {out} --outfile {out / GGUF} --outtype q8_0")
    template = f"--jinja --chat-template-file {out / LLAMA_TEMPLATE} --reasoning-format none"
    print(f"  after that: llama-server -m {out / GGUF} {template}, with the calling prompt in the system message")
    if not notes:
        print(f"for Ollama, after that: ollama create {arguments.round} -f {out / MODELFILE}")
