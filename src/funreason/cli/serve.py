"""`funreason serve`: a server for the model of a round, with an API like OpenAI's."""

import argparse
import shlex

from funreason.cli.parity import given_model


def add(serve: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    serve.add_argument("model", metavar="MODEL", type=given_model, help="a round, a folder or a hub id")
    serve.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine alone")
    serve.add_argument("--port", type=_port, default=8000, help="default: 8000")
    serve.add_argument("--print", action="store_true", help="print the command, and start nothing")
    serve.add_argument("--vllm", default="", metavar="ARGUMENTS", help="more for `vllm serve`: --vllm='--seed 3'")
    serve.set_defaults(run=_serve)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a whole number, 1 to 65535")
    return int(text)


def _serve(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.serve.checkpoint import Checkpoint
    from funreason.serve.launch import examples, running, serve_command

    model = Checkpoint.of(arguments.model)
    command = serve_command(model, load_params().llm, arguments.host, arguments.port, shlex.split(arguments.vllm))
    if arguments.print:
        print(shlex.join(command))
        return
    url = f"http://{arguments.host}:{arguments.port}"
    with running(command, url) as process:
        print(examples(model.name, url), flush=True)
        process.wait()
