"""The `funreason` command. The pipeline itself is run by DVC: `dvc repro`.

Run as: funreason profile list · funreason profile use paper · funreason params check · funreason doctor ·
funreason data inspect rows.jsonl ·
funreason ledger show 12 · funreason ledger stats · funreason ledger diff HEAD workspace · funreason cache stats ·
funreason cache gc --unused-days 90 · funreason cache push · funreason rounds plan ·
funreason rerun-plan -S loss.lambda=0.3 · funreason push-dataset OWNER/NAME · funreason compare ·
funreason report main workspace · funreason exps · funreason capacity --rows 60000 · funreason serve r0 ·
funreason chat r0 'Weather in Ghent?' --tools tools.json · funreason parity r0 ·
funreason score Qwen/Qwen3-0.6B --benchmarks bfcl,humaneval+
"""

import argparse
import os
import sys

from funreason import __version__
from funreason.cli import (
    audit,
    cache,
    capacity,
    chat,
    compare,
    data,
    doctor,
    export,
    exps,
    ledger,
    params,
    parity,
    profile,
    push_dataset,
    push_model,
    report,
    rerun_plan,
    rounds,
    score,
    serve,
)
from funreason.cli.places import enter_project
from funreason.core.runtime import outcome

PIPED = 141  # what a shell reports for a program whose reader went away (128 + SIGPIPE)
COMMANDS = {
    "profile": (profile, "named states of params.yaml, kept in profiles/"),
    "params": (params, "check params.yaml, or rewrite one of an earlier version"),
    "data": (data, "what a data source holds, and what would become of its rows"),
    "doctor": (doctor, "check whether this machine is ready for what params.yaml asks"),
    "ledger": (ledger, "what happened to the rows of a round, and why"),
    "report": (report, "one HTML page of a state of the project, or of two side by side"),
    "exps": (exps, "the DVC experiments side by side, in few columns"),
    "compare": (compare, "the rounds here beside the published numbers"),
    "score": (score, "the official benchmarks for any model or server, or for answers that are there, in any folder"),
    "audit": (audit, "what each scorer lets pass: gold answers, and answers with a planted fault"),
    "cache": (cache, "the stored responses of models: statistics, clean-up, exchange"),
    "rounds": (rounds, "the rounds side by side, and what one more would cost"),
    "rerun-plan": (rerun_plan, "what `dvc repro` would run and ask, with other values if wanted, before it runs"),
    "capacity": (capacity, "hours and cost of a run, from a finished run or from assumptions"),
    "serve": (serve, "serve the model of a round with an API like OpenAI's"),
    "chat": (chat, "ask the model of a round one question, with the tools of a file"),
    "parity": (parity, "prove that a server asks a model with the tokens that it was trained on"),
    "export": (export, "write the model of a round into a folder for others, with card, template and Modelfile"),
    "push-model": (push_model, "upload the model of a round to the Hugging Face hub"),
    "push-dataset": (push_dataset, "upload the data set of a round, data/<round>/dataset/, to the Hugging Face hub"),
}


def main() -> None:
    """Run a command from any folder of a project, and exit with its status."""
    arguments = _parser().parse_args()
    enter_project()
    try:
        status = outcome(lambda: arguments.run(arguments), [])
        sys.stdout.flush()
    except BrokenPipeError:  # `funreason ledger stats | head -3`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain when it ends
        status = PIPED
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "funreason",
        description="Parameters, profiles, ledgers, responses and data sets of the pipeline, which `dvc repro` runs. "
        "Commands work in every folder of a project.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        module.add(commands.add_parser(name, help=text))
    return parser
