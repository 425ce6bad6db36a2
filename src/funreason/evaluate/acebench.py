"""ACEBench by its official protocol, as evalscope carries it, and by a strict checker of our own beside it.

Prompts, decoding, checking and the simulated APIs run in the sandbox, in an environment of their own (`make acebench`).
Rows of agents are led step by step, like BFCL's conversations: the sandbox replays the answers so far up to the next
question, and the response cache holds the answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from funreason.evaluate import DRIVERS
from funreason.evaluate.acebench_data import SIMULATED_USER, AceRow, is_agent
from funreason.evaluate.acebench_gold import FINISH, gold_steps, gold_text
from funreason.evaluate.acebench_strict import calls_right, diagnosis_right, end_right
from funreason.evaluate.answers import ScoredAnswer, ask, unanswered, without_reasoning
from funreason.evaluate.forms import form_of
from funreason.llm import Client, Response
from funreason.sandbox.scorer import ScorerDied, run_each, run_scorer_lines, scorer_python

ENVIRONMENT = ".venv-acebench"
_SECONDS = 11  # per row of an agent, more than the driver gives it; others take milliseconds
_DIED = {"valid": False, "error": "ended the scorer", "progress": None}

Answer = Callable[[str, list[list[dict]]], list[Response]]  # (agent or user, chats) → responses


@dataclass(frozen=True)
class AceVerdict(ScoredAnswer):
    """One row with the official verdict in `correct`.

    Attributes:
        strict: the verdict of our own checker.
        dialogue: what is right or wrong as a whole, see `AceRow.dialogue`.
        progress: the share of milestones that an agent reached; None for other rows.
    """

    strict: bool = True
    dialogue: str = ""
    progress: float | None = None


@dataclass(frozen=True)
class AgentRun:
    """A row of an agent with its answers so far.

    Attributes:
        row: of ACEBench.
        agent: answers of the model under test.
        user: answers of the simulated user.
        asks: who is asked next: agent or user.
        messages: what it is asked.
        end_state: of the simulated APIs, once the row is over.
        process: the calls that were executed.
        failed: why the row has no end, if it has none.
        form: of a response that could not be used, see `forms.form_of`.
    """

    row: AceRow
    agent: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    asks: str = ""
    messages: list[dict] = field(default_factory=list)
    end_state: list[dict] | None = None
    process: list[str] = field(default_factory=list)
    failed: str = ""
    form: str = ""

    @property
    def open(self) -> bool:
        """Whether there is something left to ask."""
        return self.end_state is None and not self.failed


def prompts(rows: Sequence[AceRow], mode: str) -> list[list[dict]]:
    """The official chats of rows that are asked once.

    Args:
        rows: none of an agent.
        mode: of the sandbox.

    Returns:
        One chat per row, in order: system prompt and question.
    """
    request = {"rows": [[row.language, row.category, row.data] for row in rows]}
    pairs, death = _driver("acebench_prompts.py", request, mode, seconds=120)
    if death:
        raise death
    return [[{"role": "system", "content": system}, {"role": "user", "content": user}] for system, user in pairs]


def score(rows: Sequence[AceRow], responses: Sequence[Response], mode: str) -> list[AceVerdict]:
    """Both verdicts on responses to rows that are asked once.

    Args:
        rows: none of an agent.
        responses: one per row, in order.
        mode: of the sandbox.

    Returns:
        The verdicts, in order.
    """
    texts = ["" if unanswered(response) else without_reasoning(response.text) for response in responses]
    forms = [form_of(response) for response in responses]
    return score_texts(rows, texts, mode, forms)


def score_texts(
    rows: Sequence[AceRow], texts: Sequence[str], mode: str, forms: Sequence[str] | None = None
) -> list[AceVerdict]:
    """`score` of texts without reasoning; `forms` as from `forms.form_of`, one per row."""
    asked = [
        {"category": row.category, "text": text, "functions": row.data["function"], "gold": row.gold["ground_truth"]}
        for row, text in zip(rows, texts, strict=True)
    ]
    official = _verdicts(asked, mode)
    return [
        _verdict(row, text, verdict, _strict(row, text), form)
        for row, text, verdict, form in zip(rows, texts, official, forms or [""] * len(rows), strict=True)
    ]


def run_agents(answer: Answer, rows: Sequence[AceRow], mode: str) -> list[AgentRun]:
    """Lead the rows of agents to their end.

    Args:
        answer: asks the model under test (agent) or the simulated user (user).
        rows: of agents.
        mode: of the sandbox.

    Returns:
        The runs, over, in order.
    """
    runs = _advance([AgentRun(row) for row in rows], mode)
    while waiting := [number for number, run in enumerate(runs) if run.open]:
        for who in ("agent", "user"):
            asked = [number for number in waiting if runs[number].asks == who]
            for number, response in zip(asked, answer(who, [runs[n].messages for n in asked]), strict=True):
                runs[number] = _answered(runs[number], response)
        still = [number for number in waiting if runs[number].open]
        for number, run in zip(still, _advance([runs[number] for number in still], mode), strict=True):
            runs[number] = run
    return runs


def score_agents(runs: Sequence[AgentRun], mode: str) -> list[AceVerdict]:
    """Both verdicts on the ends of agents' runs, in order; one without an end is wrong."""
    asked = [
        {
            "category": run.row.category, "end_state": run.end_state or [], "process": run.process,
            "gold": run.row.gold["ground_truth"], "milestones": run.row.gold["mile_stone"],
        }
        for run in runs
    ]  # fmt: skip
    scored = []
    for run, verdict in zip(runs, _verdicts(asked, mode), strict=True):
        failed = {"valid": False, "error": run.failed} if run.failed else {}
        strict = end_right(run.end_state or [], run.row.gold["ground_truth"])
        text = "\n".join(run.agent)
        scored.append(_verdict(run.row, text, verdict | failed, strict and not run.failed, run.form))
    return scored


def asking(client: Client, user: Client | None, name: str) -> Answer:
    """The `Answer` of a model under test and of a simulated user; `name` is shown beside the progress."""

    def answer(who: str, chats: list[list[dict]]) -> list[Response]:
        model = user if who == "user" and user else client
        return ask(model, chats, f"{name} acebench, {who}") if chats else []

    return answer


def gold_verdicts(rows: Sequence[AceRow], mode: str) -> list[AceVerdict]:
    """Both verdicts on the possible answers: the ceilings of the two checkers. Rows of a simulated user are left out.

    An agent takes the steps of the milestones, which are not always all that it needs.
    """
    single = [row for row in rows if not is_agent(row.category)]
    agents = [row for row in rows if is_agent(row.category) and row.category != SIMULATED_USER]
    texts = [gold_text(row) for row in single]
    steps = {id(row): iter(gold_steps(row)) for row in agents}
    runs = _advance([AgentRun(row) for row in agents], mode)
    while any(run.open for run in runs):
        runs = [replace(run, agent=(*run.agent, next(steps[id(run.row)], FINISH))) if run.open else run for run in runs]
        runs = [new if old.open else old for old, new in zip(runs, _advance(runs, mode), strict=True)]
    return [*score_texts(single, texts, mode), *score_agents(runs, mode)]


def _strict(row: AceRow, text: str) -> bool:
    gold = row.gold["ground_truth"]
    if row.category.startswith("special"):
        return diagnosis_right(text, gold, row.category)
    return calls_right(text, gold, frozenset(tool["name"] for tool in row.data["function"]))


def _verdict(row: AceRow, text: str, official: dict, strict: bool, form: str) -> AceVerdict:
    return AceVerdict(
        suite=f"acebench_{row.language}", category=row.category, id=row.id, text=text, correct=official["valid"],
        error=official["error"], form=form, strict=strict, dialogue=row.dialogue, progress=official["progress"],
    )  # fmt: skip


def _verdicts(asked: Sequence[dict], mode: str) -> list[dict]:
    def call(part: Sequence[dict]) -> tuple[list[dict], ScorerDied | None]:
        return _driver("acebench_score.py", {"rows": list(part)}, mode, seconds=120)

    return run_each(call, asked, lambda _: _DIED) if asked else []


def _advance(runs: Sequence[AgentRun], mode: str) -> list[AgentRun]:
    """The runs at their next question or at their end, in order. One that kills the driver has failed."""

    def call(part: Sequence[AgentRun]) -> tuple[list[dict], ScorerDied | None]:
        request = [
            {"category": run.row.category, "language": run.row.language, "row": run.row.data, "agent": run.agent,
             "user": run.user}
            for run in part
        ]  # fmt: skip
        return _driver("acebench_agent.py", {"rows": request}, mode, seconds=60 + _SECONDS * len(part))

    replies = run_each(call, runs, lambda _: {"failed": "ended the simulated APIs"}) if runs else []
    return [replace(run, **reply) for run, reply in zip(runs, replies, strict=True)]


def _answered(run: AgentRun, response: Response) -> AgentRun:
    if unanswered(response):
        return replace(run, failed=f"{run.asks}: {response.finish_reason}", form=form_of(response))
    text = without_reasoning(response.text)
    return replace(run, agent=(*run.agent, text)) if run.asks == "agent" else replace(run, user=(*run.user, text))


def _driver(script: str, request: dict, mode: str, seconds: float) -> tuple[list, ScorerDied | None]:
    path: Path = DRIVERS / script
    return run_scorer_lines(path, scorer_python(ENVIRONMENT), request, timeout_s=seconds, mode=mode)
