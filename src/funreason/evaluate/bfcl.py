"""BFCL by its official scorer: v4 or v3 on its own data, and single turns of v4 on any folder in its layout.

Conversations of several turns are led in bfcl_turns.py, and scored here.

A folder in BFCL's layout holds BFCL_v4_<category>.json (rows {"id", "question", "function"}) and
possible_answer/BFCL_v4_<category>.json; irrelevance has no possible answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from funreason.calls.forms import CALLS, STATEMENT, UNREADABLE
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.evaluate import DRIVERS
from funreason.evaluate.answers import ScoredAnswer, too_long, unanswered, without_reasoning
from funreason.evaluate.bfcl_metrics import CATEGORIES, wants_no_call
from funreason.evaluate.forms import CUT, form_of
from funreason.llm import Response
from funreason.prompts import calling_prompt
from funreason.sandbox.scorer import bisect, run_scorer, scorer_python

ENVIRONMENTS = {"v3": ".venv-bfcl3", "v4": ".venv-bfcl"}  # one per release, see requirements/
_PREFIX = "BFCL_v4_"
_SECONDS = {str: 0.1, list: 5}  # to score one answer, or one conversation: many times what it takes

Folders = Mapping[str, str | Path | None]  # the data folder of each suite; None for BFCL's own data
Key = tuple[str, str, str]  # suite, category, id


@dataclass(frozen=True)
class BfclPrompt:
    """One entry: `suite` names its data (BFCL's own, or a folder), `messages` is the chat to be answered."""

    suite: str
    category: str
    id: str
    messages: list[dict]


class Submission(NamedTuple):
    """What the official scorer sees of an entry: its answer, or for a conversation the answers of each turn.

    An answer of FC mode is a list of calls, {name: arguments as JSON}.
    """

    suite: str
    category: str
    id: str
    result: str | list

    @property
    def key(self) -> Key:
        """(suite, category, id)."""
        return self.suite, self.category, self.id


def official_prompts(
    suite: str, categories: Sequence[str], limit: int | None, mode: str, version: str = "v4"
) -> list[BfclPrompt]:
    """Entries of BFCL's own data, as chats made by its own functions.

    Args:
        suite: the name that the prompts get.
        categories: of single turns.
        limit: entries per category, from the first; None for all.
        mode: of the sandbox.
        version: v3 or v4.

    Returns:
        The prompts, in BFCL's order.
    """
    request = {"categories": list(categories), "limit": limit}
    python = scorer_python(ENVIRONMENTS[version])
    entries = run_scorer(DRIVERS / "bfcl_prompts.py", python, request, timeout_s=120, mode=mode)
    return [
        BfclPrompt(suite, category, row["id"], row["messages"]) for category, rows in entries.items() for row in rows
    ]


def folder_prompts(suite: str, folder: str | Path) -> list[BfclPrompt]:
    """The entries of a folder in BFCL's layout, under BFCL's system prompt, with the functions as they are.

    Args:
        suite: the name that the prompts get.
        folder: holds BFCL_v4_<category>.json.

    Returns:
        The prompts, in BFCL's order of categories.

    Raises:
        DataError: where the folder or a row does not have that layout.
    """
    files = {path.stem.removeprefix(_PREFIX): path for path in Path(folder).glob(f"{_PREFIX}*.json")}
    if not files or (unknown := set(files) - set(CATEGORIES)):
        what = f"unknown categories {sorted(unknown)}" if files else "no BFCL_v4_<category>.json"
        raise DataError(f"{folder} holds {what}; known are {', '.join(CATEGORIES)}; rerun its stage")
    return [
        BfclPrompt(suite, category, row["id"], [_system(row), *row["question"][0]])
        for category in CATEGORIES if category in files
        for row in _in_order(read_jsonl(files[category]), category, files[category])
    ]  # fmt: skip


def scored_text(category: str, response: Response) -> str:
    """The text that is scored for a response.

    Args:
        category: of the prompt.
        response: to it.

    Returns:
        The answer without its reasoning; a text that is certainly wrong where there is no answer.
    """
    if not unanswered(response):
        return without_reasoning(response.text)
    # No answer would be right where no call is expected, and any call where some call is.
    wrong = "[prompt_too_long()]" if too_long(response) else "[refused_by_the_server()]"
    return "" if "irrelevance" not in category and "relevance" in category else wrong


def score(
    prompts: Sequence[BfclPrompt],
    responses: Sequence[Response],
    folders: Folders,
    mode: str,
    version: str = "v4",
    fc: Mapping[str, list] | None = None,
) -> list[ScoredAnswer]:
    """Score responses to single turns by the official scorer.

    Args:
        prompts: what was asked.
        responses: one per prompt, in order.
        folders: the data of each suite, None for BFCL's own.
        mode: of the sandbox.
        version: v3 or v4.
        fc: {id: calls of FC mode}, scored in place of the response.

    Returns:
        The official verdicts, in order. In folders of our own an answer that was cut is not a refusal: it is wrong
        where no call fits, whatever the official rule says.
    """
    rows = [
        ScoredAnswer(
            prompt.suite, prompt.category, prompt.id, scored_text(prompt.category, response), form=form_of(response)
        )
        for prompt, response in zip(prompts, responses, strict=True)
    ]
    submitted = [Submission(row.suite, row.category, row.id, (fc or {}).get(row.id, row.text)) for row in rows]
    wrong = official_failures(submitted, folders, mode, version)
    judged = [_judged(row, wrong.get(submission.key)) for row, submission in zip(rows, submitted, strict=True)]
    return [row if folders[row.suite] is None else _without_cut_refusal(row) for row in judged]


def _judged(row: ScoredAnswer, error: str | None) -> ScoredAnswer:
    """A row with the official verdict. BFCL's decoder reads more than ours (arithmetic, Java): then there are calls."""
    row = replace(row, correct=error is None, error=error or "")
    undecoded = row.correct if wants_no_call(row.category) else row.error.startswith(("ast_decoder", "relevance_error"))
    guessed = (UNREADABLE, STATEMENT) if wants_no_call(row.category) else (UNREADABLE,)
    return replace(row, form=CALLS) if row.form in guessed and not undecoded else row


def _without_cut_refusal(row: ScoredAnswer) -> ScoredAnswer:
    """An answer that ran into the limit refuses nothing, though BFCL's rule takes what it cannot read for a refusal."""
    if row.form == CUT and row.correct and wants_no_call(row.category):
        return replace(row, correct=False, error="cut: ended at max_tokens, which is not a refusal")
    return row


def official_failures(submitted: Sequence[Submission], folders: Folders, mode: str, version: str) -> dict[Key, str]:
    """What the official scorer finds wrong.

    Args:
        submitted: answers and conversations.
        folders: the data of each suite, None for BFCL's own.
        mode: of the sandbox.
        version: v3 or v4.

    Returns:
        {(suite, category, id): the reason} of the submissions that are wrong.
    """

    def call(part: Sequence[Submission]) -> dict[Key, str]:
        return _run_official(part, folders, mode, version)

    failures: dict[Key, str] = {}
    for part in bisect(call, submitted, lambda submission: {submission.key: "ended the scorer"}):
        failures |= part
    return failures


def _run_official(part: Sequence[Submission], folders: Folders, mode: str, version: str) -> dict[Key, str]:
    answers: dict[str, dict[str, list[dict]]] = {suite: {} for suite in folders}
    for submission in part:
        rows = answers[submission.suite].setdefault(submission.category, [])
        rows.append({"id": submission.id, "result": submission.result})
    suites = {
        suite: {"data": _files(folder) if folder else None, "answers": answers[suite]}
        for suite, folder in folders.items()
    }
    reply = run_scorer(
        DRIVERS / "bfcl_score.py", scorer_python(ENVIRONMENTS[version]), {"suites": suites}, mode=mode,
        timeout_s=120 + sum(_SECONDS[type(submission.result)] for submission in part),
    )  # fmt: skip
    return {
        (suite, category, failure["id"]): f"{failure['type']}: {failure['error']}"
        for suite, categories in reply.items()
        for category, failures in categories.items()
        for failure in failures
    }


def _files(folder: str | Path) -> dict[str, str]:
    """The texts of a folder by file name. Texts, not paths: run by root, the scorer is a user who may not read them."""
    paths = Path(folder).rglob(f"{_PREFIX}*.json")
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in paths}


def _system(row: dict) -> dict:
    return {"role": "system", "content": calling_prompt(row["function"])}


def _in_order(rows: Iterable[dict], category: str, path: Path) -> Iterable[dict]:
    """Refuse other ids: the runner sorts answers by the number in the id, and pairs them with rows by position."""
    for number, row in enumerate(rows):
        expected = f"{category}_{number}"
        if row.get("id") != expected or not {"question", "function"} <= row.keys():
            seen = f"id {row.get('id')!r}, keys {sorted(row)}"
            raise DataError(f"{path}:{number + 1}: {seen}; wanted id {expected!r}, question, function; rerun its stage")
        yield row
