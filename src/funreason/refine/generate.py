"""Tasks → samples: reasoning and answer, written by the generator of the round or brought along by the data source."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from funreason.calls import CompletionError, join_completion, split_completion
from funreason.core.errors import DataError
from funreason.core.records import Sample, Task
from funreason.ledger.files import row_ids
from funreason.ledger.metrics import mean, reason_counts
from funreason.ledger.results import CheckResult
from funreason.llm import UNANSWERED, Request, Response, refusal_reason
from funreason.prompts.conversation import chat
from funreason.refine.agreement import agreeing
from funreason.refine.first_look import FirstLook

GIVEN, SAMPLED = "given", "sampled"
_CUT = {"length": "cut at the maximum length", "too_long": "prompt too long"}

BLOCK = 10_000  # tasks at a time: enough for an engine, and little memory

Ask = Callable[[list[Request]], list[Response]]


def refuse_no_tasks(name: str, path: str, tasks: int) -> None:
    """Refuse to generate from nothing.

    Args:
        name: The round.
        path: Its file of tasks.
        tasks: How many there are.

    Raises:
        DataError: There are none. A chain of HDR rounds ends so, where its pool is empty.
    """
    if not tasks:
        raise DataError(
            f"round {name}: {path} is empty, nothing is left to generate; delete {name} and the rounds that build on it"
        )


def generate(
    tasks: Iterable[Task],
    ask: Ask,
    samples: int,
    keep_response: bool,
    agreement: float = 0.0,
    removed: Mapping[str, str] | None = None,
    look: FirstLook | None = None,
) -> Iterator[CheckResult]:
    """Make the rows of all tasks.

    Args:
        tasks: The tasks.
        ask: Gives the generator's responses to requests, in their order.
        samples: Completions per task.
        keep_response: Whether a response of the source is kept, and the generator not asked. It is a teacher's: in a
            later round the model writes its own, or the round would repeat the first.
        agreement: The fraction of a query's samples that must make the same call; one of these is kept. 0 keeps all.
        removed: Tasks that are dropped, and for which nobody is asked: id → reason.
        look: Looks at a few answers before all are asked for.

    Returns:
        One result per row, `row_ids` of each task, in the order of the tasks.

    Raises:
        ModelError: The first answers cannot be used.
    """
    tasks = iter(tasks)
    while block := list(islice(tasks, BLOCK)):
        results = _generate_block(block, ask, samples, keep_response, removed or {}, look)
        for task in block:
            yield from agreeing(list(islice(results, len(row_ids(task, samples, keep_response)))), agreement)


def _generate_block(
    tasks: list[Task],
    ask: Ask,
    samples: int,
    keep_response: bool,
    removed: Mapping[str, str],
    look: FirstLook | None,
) -> Iterator[CheckResult]:
    rows = [(task, index, name) for task in tasks for index, name in enumerate(row_ids(task, samples, keep_response))]
    asked = [
        (task, index) for task, index, _ in rows if task.id not in removed and not (keep_response and task.response)
    ]
    requests = [Request(chat(task), index) for task, index in asked]
    first: dict[int, Response] = {}
    if look and requests:
        first = look.at(requests, ask, lambda place, response: _from_response(asked[place][0], "", response))
    others = iter(ask([request for place, request in enumerate(requests) if place not in first]))
    responses = (first[place] if place in first else next(others) for place in range(len(requests)))
    for task, _, name in rows:
        if task.id in removed:
            yield CheckResult(name, "generate", "fail", "drop", removed[task.id])
        elif keep_response and task.response:
            text = join_completion(task.response["cot"] or None, task.response["answer"])
            yield _from_completion(task, name, text, GIVEN)
        else:
            yield _from_response(task, name, next(responses))


def _from_response(task: Task, name: str, response: Response) -> CheckResult:
    if response.finish_reason == "stop":
        return _from_completion(task, name, response.text, SAMPLED)
    reason = refusal_reason(response) or _CUT.get(response.finish_reason, f"ended by {response.finish_reason!r}")
    return _dropped(name, response.text, reason, attempts=int(response.finish_reason not in UNANSWERED))


def _from_completion(task: Task, name: str, text: str, reason: str) -> CheckResult:
    """The sample in a completion. One without an answer, or with half a <think>, has none."""
    attempts = int(reason == SAMPLED)
    try:
        cot, answer = split_completion(text)
    except CompletionError:
        return _dropped(name, text, "reasoning marks unclosed, repeated or out of place", attempts)
    if not answer:
        return _dropped(name, text, "empty answer", attempts)
    sample = Sample(
        name, task.query, task.tools, cot or "", answer, history=task.history, steps=task.steps, names=task.names
    )
    return CheckResult(name, "generate", "pass", "keep", reason, attempts, sample=sample)


def _dropped(name: str, text: str, reason: str, attempts: int) -> CheckResult:
    """The text stays in the ledger: a user has to see what the generator wrote."""
    vote = {"judge": "generator", "value": None, "text": text}
    return CheckResult(name, "generate", "fail", "drop", reason, attempts, votes=[vote])


class GenerateMetrics:
    """Counts results as they pass by, and keeps none; lengths are in characters, of the rows that have a reasoning."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def counting(self, results: Iterable[CheckResult]) -> Iterator[CheckResult]:
        """The same results, counted."""
        for result in results:
            self.counts["in"] += 1
            self.reasons[result.reason] += 1
            self.counts["not_selected"] += result.action == "not_selected"
            if sample := result.sample:
                self.counts.update({"out": 1, "without": not sample.cot, "reasoning": len(sample.cot)})
            yield result

    def metrics(self, tasks: int) -> dict:
        """The counts, for the step's metrics file; `tasks` is how many the round has."""
        rows, out, given = self.counts["in"], self.counts["out"], self.reasons[GIVEN]
        left, reasoned = self.counts["not_selected"], out - self.counts["without"]
        return {
            "tasks": tasks,
            "in": rows,
            "given": given,
            "sampled": out - given,
            "dropped": rows - out - left,
            "not_selected": left,
            "out": out,
            "without_reasoning": self.counts["without"],
            "mean_reasoning_chars": mean(self.counts["reasoning"], reasoned) if reasoned else 0.0,
            "reasons": reason_counts(self.reasons),
        }
