"""Calls on the toy world's held-out queries by BFCL's official scorer, from asking to accuracy."""

from pathlib import Path

from funreason.evaluate import bfcl
from funreason.evaluate.answers import ask
from funreason.evaluate.bfcl_metrics import toy_metrics
from funreason.llm import Client

SUITES = ("known", "new")  # queries over tools seen in training, and over tools held out


def toy_accuracy(client: Client, world: str | Path, mode: str, desc: str) -> dict:
    """`toy_metrics` of the model behind `client`. `world`: the folder that holds SUITES; `mode`: the sandbox."""
    folders = {suite: Path(world) / suite for suite in SUITES}
    prompts = [prompt for suite, folder in folders.items() for prompt in bfcl.folder_prompts(suite, folder)]
    responses = ask(client, [prompt.messages for prompt in prompts], desc)
    rows = bfcl.score(prompts, responses, folders, mode)
    return toy_metrics({suite: [row for row in rows if row.suite == suite] for suite in SUITES})
