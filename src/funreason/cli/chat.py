"""`funreason chat`: one question to the model of a round, with the tools of a file."""

import argparse
import json

from funreason.cli.counts import count
from funreason.cli.parity import given_model
from funreason.cli.places import given_path


def add(chat: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    chat.add_argument("model", metavar="MODEL", type=given_model, help="a round, or a folder")
    chat.add_argument("query", metavar="QUERY", help="the question")
    chat.add_argument("--tools", required=True, metavar="FILE", type=given_path, help="JSON: a list of tools")
    chat.add_argument("--max-tokens", type=count, default=512, metavar="N", help="of the answer; default: 512")
    chat.add_argument("--json", action="store_true", help="for scripts")
    chat.set_defaults(run=_chat)


def _chat(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.serve.asking import ask, read_tools_file, shown
    from funreason.serve.checkpoint import Checkpoint

    tools, llm = read_tools_file(arguments.tools), load_params().llm
    answer = ask(Checkpoint.of(arguments.model), arguments.query, tools, llm, arguments.max_tokens)
    print(json.dumps(answer, indent=2, ensure_ascii=False) if arguments.json else shown(answer))
