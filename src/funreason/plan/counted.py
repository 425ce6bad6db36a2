"""What a run would ask, before there is one: a sample of the user's own rows in the real prompts, counted by the
tokenizers of the models. How long answers are is assumed, except where the rows bring answers.

An upper bound: no row is dropped on the way, heuristics decide none, and none is asked again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import fmean

from funreason.calls import render
from funreason.config import Params
from funreason.core.errors import DataError, FunReasonError, ModelError
from funreason.core.paths import CHECKS, TASKS, round_of
from funreason.core.records import Sample, Task
from funreason.evaluate.bfcl_metrics import MULTI_TURN, expand
from funreason.ledger.files import read_tasks
from funreason.plan.benchmarks import Benchmark, code_benchmarks, function_benchmarks
from funreason.plan.estimate import BASE, StageEstimate
from funreason.plan.tokens import Counters, TokenCounter
from funreason.prompts import judge_messages, template
from funreason.prompts.conversation import chat, transcript

REASONING = 600  # real teachers write about 300 to 1,300 per answer
TEACHER, STUDENT = "models.teacher", "models.base"


@dataclass(frozen=True)
class Lengths:
    """Tokens that are assumed, since no model is asked.

    Attributes:
        reasoning: Of a reasoning; None: 600, or measured where at least one row of the sample brings one.
        reply: Of a judge's reply.
        code: Of an answer to a problem of a code benchmark, beside the reasoning.
    """

    reasoning: int | None = None
    reply: int = 400
    code: int = 200


@dataclass
class Counted:
    """An estimate by counting.

    Attributes:
        rows: Of the source.
        estimates: The stages that ask a model or train one.
        notes: What was counted, with which tokenizers, and what was assumed.
    """

    rows: int
    estimates: list[StageEstimate]
    notes: list[str] = field(default_factory=list)


class CountedRun:
    """Counts a run of params.yaml.

    Args:
        params: All parameters.
        counters: Of the models.
        lengths: What is assumed.
        sample: Rows to count, at most.

    Raises:
        DataError: There are no tasks.
        ModelError: A tokenizer is not here.
    """

    def __init__(self, params: Params, counters: Counters, lengths: Lengths, sample: int):
        self.params, self._counters, self._lengths = params, counters, lengths
        self.tasks, self._sample = sampled(sample)
        self._trained: dict[str, int] = {}  # round → its own rows that a model is trained on
        self._uncounted: list[str] = []
        self._given = [task for task in self._sample if task.response]
        # A teacher that is not asked need not be here.
        teacher = counters.of(TEACHER if len(self._given) < len(self._sample) else STUDENT)
        self.reasoning, self.reasoning_from = self._reasoning(teacher)
        self._answer = fmean(teacher.text(_answer(task)) for task in self._sample)

    def run(self, rows: int | None) -> Counted:
        """The estimate for `rows` rows of the source; None: those of data/tasks.jsonl."""
        rows = rows or self.tasks
        estimates = [*self._evaluations(BASE)]
        for name in self.params.rounds:
            estimates += [*self._round(name, rows), *self._evaluations(name)]
        return Counted(rows, estimates, self._notes())

    def _round(self, name: str, rows: int) -> Iterator[StageEstimate]:
        recipe = self.params.recipe_of(name)
        distills = self.params.rounds[name].recipe == "distill"
        given = len(self._given) / len(self._sample) if distills else 0.0
        asked = round(rows * (1 - given) * recipe.samples)
        written = rows * given + asked
        yield self._generate(name, asked, TEACHER if distills else STUDENT)
        for check in CHECKS:
            yield self._check(name, check, round(written))
        self._trained[name] = round(written if recipe.selection == "all" else rows)
        replay = self._trained.get(round_of(self.params.rounds[name].replay), 0)
        yield self._train(name, self._trained[name] + round(recipe.replay_fraction * replay))

    @property
    def _cut(self) -> bool:
        return self.reasoning + self._answer > self.params.generate.max_tokens

    def _generate(self, name: str, asked: int, where: str) -> StageEstimate:
        stage = f"generate@{name}"
        if not asked:
            return StageEstimate(stage)
        prompt = self._mean(where, chat, [task for task in self._sample if where == STUDENT or not task.response])
        completion = min(self.reasoning + self._answer, self.params.generate.max_tokens)
        return StageEstimate(stage, asked, asked, round(asked * prompt), round(asked * completion))

    def _check(self, name: str, check: str, rows: int) -> StageEstimate:
        stage = f"{check}@{name}"
        if self.params.fcdr.mode == "heuristics":
            return StageEstimate(stage, rows)
        panel = self.params.recipe_of(name).panel or self.params.fcdr.panels()[check]
        shown = self.reasoning if "{cot}" in template(f"judge_{check}") else 0
        prompts = [
            shown + self._mean(f"models.judges.{judge}", lambda task: self._question(check, task), self._sample)
            for judge in panel.judges
        ]
        requests = rows * len(panel.judges)
        reply = min(self._lengths.reply, self.params.judge.max_tokens)
        return StageEstimate(stage, rows, requests, round(rows * sum(prompts)), requests * reply)

    def _question(self, check: str, task: Task) -> list[dict]:
        """Without the reasoning, whose length is known apart."""
        sample = Sample(task.id, task.query, task.tools, "", _answer(task), history=task.history, steps=task.steps)
        return judge_messages(
            check,
            query=transcript(sample),
            tools=sample.tools,
            cot="",
            answer=sample.answer,
            examples=self.params.judge.examples,
        )

    def _train(self, name: str, rows: int) -> StageEstimate:
        epochs = self.params.train.epochs * (1 - self.params.train.heldout_fraction)
        prompt = self._mean(STUDENT, chat, self._sample)
        completion = min(self.reasoning + self._answer, max(self.params.train.max_length - prompt, 0))
        return StageEstimate(f"train@{name}", rows, 0, round(rows * epochs * prompt), round(rows * epochs * completion))

    def _evaluations(self, name: str) -> list[StageEstimate]:
        return [replace(estimate, stage=f"{estimate.stage}@{name}") for estimate in self._evaluation]

    @cached_property
    def _evaluation(self) -> list[StageEstimate]:
        """The same for every model under test."""
        estimates = []
        for stage, benchmarks in (("evaluate_bfcl", function_benchmarks), ("evaluate_code", code_benchmarks)):
            try:
                parts = [self._benchmark(benchmark) for benchmark in benchmarks(self.params)]
            except ModelError:
                raise
            except FunReasonError as problem:  # a scorer that is not installed, or data that is not here
                self._uncounted.append(f"{stage} is not counted: {problem}")
                continue
            columns = zip((0, 0, 0), *parts, strict=True)
            requests, prompt, completion = map(sum, columns)
            estimates.append(StageEstimate(stage, requests, requests, prompt, completion))
        return estimates

    def _benchmark(self, benchmark: Benchmark) -> tuple[int, int, int]:
        """Requests, and tokens of prompts and completions."""
        student = self._counters.of(STUDENT)
        prompt = fmean(map(student.prompt, benchmark.chats))
        answer = self._lengths.code if benchmark.code else self._answer
        completion = min(self.reasoning + answer, benchmark.max_tokens)
        return benchmark.requests, round(benchmark.requests * prompt), round(benchmark.requests * completion)

    def _mean(self, where: str, messages: Callable[[Task], list[dict]], tasks: Iterable[Task]) -> float:
        counter = self._counters.of(where)
        return fmean(counter.prompt(messages(task)) for task in tasks)

    def _reasoning(self, teacher: TokenCounter) -> tuple[float, str]:
        if self._lengths.reasoning is not None:
            return self._lengths.reasoning, "assumed (--reasoning)"
        lengths = [teacher.text(task.response["cot"]) for task in self._given if task.response and task.response["cot"]]
        if lengths:
            return fmean(lengths), f"measured on {len(lengths)} rows that bring one"
        return REASONING, "assumed; teachers write about 300 to 1,300: --reasoning"

    def _notes(self) -> list[str]:
        notes = [
            f"prompts: {len(self._sample)} of {self.tasks:,} rows of {TASKS}, by the tokenizers of the models",
            f"reasoning: {self.reasoning:,.0f} tokens, {self.reasoning_from}",
            f"answer: {self._answer:,.0f} tokens, measured on these rows",
            f"assumed: {self._lengths.reply} tokens of a judge's reply (--reply)",
            f"assumed: {self._lengths.code} tokens of a solution of a code problem (--code)",
            "no row is dropped, decided by heuristics or asked again; completions end at max_tokens of params.yaml",
        ]
        if self._cut:
            notes.append(f"generate.max_tokens {self.params.generate.max_tokens} would cut most answers: raise it")
        if any(name in MULTI_TURN for name in expand(self.params.evaluate.bfcl.categories)):
            notes.append("BFCL's conversations of several turns are not counted: their prompts follow from the answers")
        notes += self._uncounted
        notes += [f"{where} is counted with another tokenizer (--tokenizer)" for where in self._counters.replaced]
        return notes


def _answer(task: Task) -> str:
    """The answer of a row, or its reference calls."""
    return str(task.response["answer"]) if task.response else render(task.answers)


def sampled(size: int) -> tuple[int, list[Task]]:
    """The number of tasks, and at most `size` from all over them. Raises DataError if there are none."""
    if not Path(TASKS).is_file():
        raise DataError(f"{TASKS} does not exist; `dvc repro prepare` makes it, without asking a model")
    total = sum(1 for _ in read_tasks(TASKS))
    if not total:
        raise DataError(f"{TASKS} is empty; give data.path in params.yaml a file with rows")
    return total, list(islice(read_tasks(TASKS), 0, None, -(-total // size)))
