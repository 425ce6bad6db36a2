"""ACEBench from params.yaml to its numbers: what is asked, by which models, and what comes of it."""

from contextlib import ExitStack
from dataclasses import dataclass

from funreason.config import LlmParams
from funreason.config.training import AcebenchParams
from funreason.evaluate import acebench
from funreason.evaluate.acebench_data import AceRow, expand, is_agent, load_rows
from funreason.evaluate.acebench_metrics import metrics
from funreason.evaluate.answers import ask, greedy
from funreason.llm import Client, ModelRef, Response


@dataclass(frozen=True)
class AceQuestions:
    """What is asked: the rows, and the chats of those that are asked once. Empty where ACEBench is not run."""

    params: AcebenchParams
    mode: str
    single: list[AceRow]
    chats: list[list[dict]]
    agents: list[AceRow]


@dataclass(frozen=True)
class AceAnswers:
    """What a model answered: one response per row that is asked once, one run per row of an agent."""

    responses: list[Response]
    runs: list[acebench.AgentRun]

    @property
    def unanswered(self) -> int:
        """Rows of agents that a server ended."""
        return sum(bool(run.form) for run in self.runs)


def asked_rows(params: AcebenchParams) -> list[AceRow]:
    """The rows that `evaluate.acebench` chooses; none where it has no data. Raises DataError."""
    if not params.data:
        return []
    return load_rows(params.data, params.languages, expand(params.categories), params.limit)


def questions(params: AcebenchParams, mode: str) -> AceQuestions:
    """What is to be asked, before any model answers.

    Args:
        params: evaluate.acebench.
        mode: of the sandbox.

    Raises:
        FunReasonError: the data or the environment are missing.
    """
    rows = asked_rows(params)
    single = [row for row in rows if not is_agent(row.category)]
    agents = [row for row in rows if is_agent(row.category)]
    return AceQuestions(params, mode, single, acebench.prompts(single, mode) if rows else [], agents)


def answer(asked: AceQuestions, client: Client, llm: LlmParams, name: str) -> AceAnswers:
    """Ask a model everything.

    Args:
        asked: as from `questions`.
        client: of the model under test, with evaluate.acebench.max_tokens.
        llm: names the server of the simulated user.
        name: shown beside the progress.
    """
    responses = ask(client, asked.chats, f"{name} acebench")
    with ExitStack() as stack:
        user = stack.enter_context(_user(asked.params, llm)) if asked.params.user_model and asked.agents else None
        runs = acebench.run_agents(acebench.asking(client, user, name), asked.agents, asked.mode)
    return AceAnswers(responses, runs)


def score(asked: AceQuestions, answers: AceAnswers) -> tuple[list[acebench.AceVerdict], dict | None]:
    """The verdicts in order, and the numbers as from `acebench_metrics.metrics`, None where ACEBench is not run."""
    rows = [
        *acebench.score(asked.single, answers.responses, asked.mode),
        *acebench.score_agents(answers.runs, asked.mode),
    ]
    gold = acebench.gold_verdicts([*asked.single, *asked.agents], asked.mode)
    return rows, metrics(rows, gold, asked.params.limit) if rows else None


def _user(params: AcebenchParams, llm: LlmParams) -> Client:
    """The simulated user: a model of llm.server, also where the model under test has another engine."""
    name = str(params.user_model)
    server = llm.server.model_copy(update={"model": None})
    at_server = llm.model_copy(update={"engine": "server", "server": server})
    return Client(ModelRef(name, None, f"server:{name}@unpinned", kind="server"), at_server, greedy(params.max_tokens))
