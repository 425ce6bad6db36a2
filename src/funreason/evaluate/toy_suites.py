"""Calls on the toy world's held-out queries by BFCL's official scorer, from asking to accuracy."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from funreason.core.paths import TOY, TOY_SUITES
from funreason.evaluate import bfcl
from funreason.evaluate.answers import ScoredAnswer, ask
from funreason.evaluate.bfcl_metrics import accuracy_by_category, calls_apart
from funreason.evaluate.stats import accuracy
from funreason.llm import Client, Response

SUITES = tuple(TOY_SUITES)  # known: queries over tools seen in training; new: over tools held out


def suite_folders(world: str | Path = TOY) -> dict[str, Path]:
    """{suite: folder in BFCL's layout} of the toy world in the folder `world`."""
    return {suite: Path(world) / suite for suite in SUITES}


def prompts(folders: Mapping[str, Path]) -> list[bfcl.BfclPrompt]:
    """The prompts of all suites, in order; `folders` as from `suite_folders`."""
    return [prompt for suite, folder in folders.items() for prompt in bfcl.folder_prompts(suite, folder)]


def score(
    asked: Sequence[bfcl.BfclPrompt], responses: Sequence[Response], folders: Mapping[str, Path], mode: str
) -> tuple[list[ScoredAnswer], dict]:
    """Score the responses to the toy suites.

    Args:
        asked: the prompts, as from `prompts`.
        responses: one per prompt, in order.
        folders: as from `suite_folders`.
        mode: of the sandbox.

    Returns:
        The verdicts in order, and their `metrics`.
    """
    # The suites are in v4's layout.
    rows = bfcl.score(asked, responses, folders, mode)
    return rows, metrics({suite: [row for row in rows if row.suite == suite] for suite in folders})


def metrics(suites: Mapping[str, Iterable[ScoredAnswer]]) -> dict:
    """{<suite>: {"categories": {name: figures}, <accuracy>}, <accuracy>} of verdicts by suite; the last is over all.

    An accuracy is {"accuracy", "low", "high", "correct", "n", "calls_wanted", "no_call_wanted"}: over all rows, and
    over each of the two kinds of questions, see `bfcl_metrics.calls_apart`.
    """
    rows = {suite: list(scored) for suite, scored in suites.items()}
    by_suite = {
        suite: {"categories": accuracy_by_category(scored)} | _accuracy(scored) for suite, scored in rows.items()
    }
    return by_suite | _accuracy([row for scored in rows.values() for row in scored])


def _accuracy(rows: Sequence[ScoredAnswer]) -> dict:
    return accuracy([row.correct for row in rows]) | calls_apart(rows)


def toy_accuracy(client: Client, world: str | Path, mode: str, desc: str) -> dict:
    """Ask a model the toy suites and score its answers.

    Args:
        client: of the model under test.
        world: the folder that holds SUITES.
        mode: of the sandbox.
        desc: shown beside the progress.

    Returns:
        The `metrics` of its answers.
    """
    folders = suite_folders(world)
    asked = prompts(folders)
    responses = ask(client, [prompt.messages for prompt in asked], desc)
    return score(asked, responses, folders, mode)[1]
