"""Tasks → samples: reasoning and answer, written by the sampler of the set or brought along by the data source."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from funreason.calls import CompletionError, join_completion, split_completion
from funreason.core.errors import DataError
from funreason.core.records import Sample, Task, Verdict
from funreason.ledger.outcome import Outcome, counted, mean
from funreason.llm import Request, Response
from funreason.prompts.conversation import chat

GIVEN, SAMPLED = "given", "sampled"
_CUT = {"length": "cut at the maximum length", "too_long": "prompt too long"}

BLOCK = 10_000  # tasks at a time: enough for an engine, and little memory

Ask = Callable[[list[Request]], list[Response]]


def refuse_no_tasks(name: str, path: str, tasks: int) -> None:
    """Raises DataError: an HDR chain ends where its pool is empty, and nothing can be made of no tasks anyway."""
    if not tasks:
        raise DataError(f"set {name}: {path} is empty, nothing is left to sample; delete {name} and what builds on it")


def sample_ids(task: Task, samples: int, keep_given: bool) -> list[str]:
    """The ids of the rows a task becomes: its own, numbered where several completions are drawn."""
    if samples == 1 or (keep_given and task.response is not None):
        return [task.id]
    return [f"{task.id}#{number}" for number in range(samples)]


def generate(tasks: Iterable[Task], ask: Ask, samples: int, keep_given: bool) -> Iterator[Outcome]:
    """One outcome for each of `sample_ids` of each task, in the order of the tasks.

    `keep_given`: where the source brings a response along, nobody is asked. It is a teacher's: in a round the model
    writes its own, or the round would be the first set over again.
    """
    tasks = iter(tasks)
    while block := list(islice(tasks, BLOCK)):
        yield from _block(block, ask, samples, keep_given)


def _block(tasks: list[Task], ask: Ask, samples: int, keep_given: bool) -> list[Outcome]:
    rows = [(task, number, name) for task in tasks
            for number, name in enumerate(sample_ids(task, samples, keep_given))]  # fmt: skip
    asked = [(task, number) for task, number, _ in rows if not (keep_given and task.response)]
    responses = iter(ask([Request(chat(task), number) for task, number in asked]))
    outcomes = []
    for task, _, name in rows:
        if keep_given and task.response:
            text = join_completion(task.response["cot"] or None, task.response["answer"])
            outcomes.append(_outcome(task, name, text, GIVEN))
        else:
            outcomes.append(_sampled(task, name, next(responses)))
    return outcomes


def _sampled(task: Task, name: str, response: Response) -> Outcome:
    if response.finish_reason == "stop":
        return _outcome(task, name, response.text, SAMPLED)
    reason = _CUT.get(response.finish_reason, f"ended by {response.finish_reason!r}")
    return _dropped(name, response.text, reason, asks=int(response.finish_reason != "too_long"))


def _outcome(task: Task, name: str, text: str, reason: str) -> Outcome:
    """The sample in a completion. Nobody could cut a sample without an answer, or with half a <think>, in two."""
    asks = int(reason == SAMPLED)
    try:
        cot, answer = split_completion(text)
    except CompletionError:
        return _dropped(name, text, "reasoning marks unclosed, repeated or out of place", asks)
    if not answer:
        return _dropped(name, text, "empty answer", asks)
    verdict = Verdict(name, "generate", "pass", "keep", reason, asks=asks)
    before = {"history": task.history, "steps": task.steps}
    return Outcome(verdict, Sample(name, task.query, task.tools, cot or "", answer, **before))


def _dropped(name: str, text: str, reason: str, asks: int) -> Outcome:
    """The text stays in the ledger: a user has to see what the sampler wrote."""
    vote = {"judge": "sampler", "value": None, "text": text}
    return Outcome(Verdict(name, "generate", "fail", "drop", reason, asks, votes=[vote]), None)


class Tally:
    """Counts outcomes as they pass by, and keeps none; lengths are in characters."""

    def __init__(self):
        self.found, self.reasons = Counter(), Counter()

    def over(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            self.found["in"] += 1
            self.reasons[outcome.verdict.reason] += 1
            if sample := outcome.sample:
                self.found.update(out=1, without=not sample.cot, reasoning=len(sample.cot))
            yield outcome

    def metrics(self, tasks: int) -> dict:
        rows, out, given = self.found["in"], self.found["out"], self.reasons[GIVEN]
        return {
            "tasks": tasks,
            "in": rows,
            "given": given,
            "sampled": out - given,
            "dropped": rows - out,
            "out": out,
            "without_reasoning": self.found["without"],
            "mean_reasoning_chars": mean(self.found["reasoning"], out) if out else 0.0,
            "reasons": counted(self.reasons),
        }
