"""Ask a model the chosen benchmarks and score its answers: same prompts, cache, scorers and intervals as the stages."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from funreason.config import LlmParams
from funreason.config.training import AcebenchParams
from funreason.core.errors import DataError
from funreason.core.jsonio import write_json, write_jsonl
from funreason.evaluate import acebench_run, api_bank, bfcl, bfcl_csv, bfcl_memory, bfcl_search, bfcl_turns, code_bench
from funreason.evaluate.answers import ask, counted, greedy
from funreason.evaluate.bfcl_metrics import MEMORY, MULTI_TURN, WEB_SEARCH, asked_once, expand, official_metrics
from funreason.llm import Client, ModelRef, counting
from funreason.prompts import code_messages
from funreason.score import tools_mode

SUITE = "bfcl"
CODE = ("humaneval", "humaneval+", "mbpp+")
BENCHMARKS = ("bfcl", "acebench", "api_bank", *CODE)
_CODE_TIMEOUT_S = 5


@dataclass(frozen=True)
class Choice:
    """What `funreason score` is to do.

    Attributes:
        benchmarks: of BENCHMARKS.
        limit: first rows per category or benchmark, None for all.
        max_tokens: of an answer.
        tools: whether BFCL is asked by a server's tools API, not by its prompt.
        mode: of the sandbox.
        categories: of BFCL, categories and groups.
        version: of BFCL.
        acebench: a checkout of ACEBench.
        languages: of ACEBench.
        user_model: the server's model that plays the user in ACEBench.
        api_bank: the folder of API-Bank.
        evalplus_data: the folder of EvalPlus.
    """

    benchmarks: tuple[str, ...]
    limit: int | None
    max_tokens: int
    tools: bool
    mode: str
    categories: tuple[str, ...] = ("single_turn",)
    version: str = "v4"
    acebench: str | None = None
    languages: tuple[str, ...] = ("en",)
    user_model: str | None = None
    api_bank: str | None = None
    evalplus_data: str | None = None


Scored = tuple[list[Any], dict]  # rows to keep, numbers


def score(ref: ModelRef, llm: LlmParams, choice: Choice, out: Path) -> Iterator[tuple[str, dict]]:
    """Ask and score, benchmark by benchmark.

    Args:
        ref: the model.
        llm: how it is asked.
        choice: what is asked.
        out: the folder of the results: <benchmark>.json and <benchmark>.jsonl with every answer; bfcl_csv/.

    Yields:
        (benchmark, its numbers), as they are written.
    """
    # All is prepared before the model answers: a missing file or environment should not cost a generation.
    jobs = [(name, _prepared(name, choice, llm)) for name in choice.benchmarks]
    with Client(ref, llm, greedy(choice.max_tokens)) as client:
        for name, job in jobs:
            with counting(llm) as usage:
                rows, numbers = job(client)
            numbers |= {"model": ref.identity, "sandbox": choice.mode, "settings": settings(name, choice)}
            numbers |= {"llm": usage.metrics()}
            write_jsonl(out / f"{name}.jsonl", map(asdict, rows))
            write_json(out / f"{name}.json", numbers)
            if name == "bfcl":
                write_tables(out, numbers, choice.mode)
            yield name, numbers


def write_tables(out: Path, numbers: dict, mode: str) -> None:
    """Write BFCL's own tables of one model into `out`/bfcl_csv; its name there is the folder's."""
    bfcl_csv.write(out / "bfcl_csv", bfcl_csv.tables({out.resolve().name: numbers}, mode))


def settings(name: str, choice: Choice) -> list[str]:
    """What differs from the settings of the benchmark's own leaderboard, a line each."""
    lines = [f"temperature 0 and at most {choice.max_tokens} tokens per answer; reasoning is cut at </think>"]
    if choice.limit:
        lines.append(f"the first {choice.limit} rows of each category only: not comparable")
    if name == "bfcl":
        lines[0] += " (leaderboard: temperature 0.001)"
        if choice.tools:
            lines.append(f"tools API (leaderboard: FC); not asked: {', '.join(tools_mode.NOT_ASKED)}")
        if choice.version == "v4":
            lines.append("v4's Overall is null where a category was not asked; covered_weight says how much is there")
    elif name == "acebench":
        lines[0] += " (official: 0.001)"
        played = choice.user_model or "nobody: agent_multi_turn is not asked, Agent and Overall are null"
        lines.append(f"the user of agent_multi_turn is played by {played} (official: gpt-4o)")
    elif name == "api_bank":
        lines.append("calls are asked for as [f(a=1)], not as <tool_call> JSON")
    elif name in CODE:
        lines.append("own prompt without a prefilled answer, and own reading of the code (leaderboard: EvalPlus's)")
        lines.append(f"at least {_CODE_TIMEOUT_S} s per solution (leaderboard: 1 s)")
    return lines


def _prepared(name: str, choice: Choice, llm: LlmParams) -> Callable[[Client], Scored]:
    match name:
        case "bfcl":
            return _bfcl(choice)
        case "acebench":
            return _acebench(choice, llm)
        case "api_bank":
            return _api_bank(choice)
        case _:
            return _code(name, choice)


def _bfcl(choice: Choice) -> Callable[[Client], Scored]:
    categories = expand(choice.categories)
    single = asked_once(categories)
    multi = [] if choice.tools else [name for name in categories if name in MULTI_TURN]
    if choice.tools:
        prompts, requests, names = tools_mode.requests(SUITE, single, choice.limit, choice.mode, choice.version)
    else:
        prompts = bfcl.official_prompts(SUITE, single, choice.limit, choice.mode, choice.version)
    apis = bfcl_turns.SimulatedApis(choice.version, choice.mode, "tool")
    opened = apis.start(SUITE, multi, choice.limit) if multi else []
    memories = bfcl_memory.Memories(choice.mode, "tool")
    remembering = [] if choice.tools else [name for name in categories if name in MEMORY]
    filling = memories.start(SUITE, remembering, choice.limit)
    web = bfcl_search.Web(choice.mode, "tool")
    searched = [] if choice.tools else [name for name in categories if name in WEB_SEARCH]
    searching = web.start(SUITE, searched, choice.limit)

    def job(client: Client) -> Scored:
        if choice.tools:
            asked = client.run(requests, desc="bfcl, tools")
            responses = [tools_mode.renamed(*pair) for pair in zip(asked, names, strict=True)]
        else:
            responses = ask(client, [prompt.messages for prompt in prompts], "bfcl")
        led = [
            *bfcl_turns.run_conversations(client, opened, apis, "bfcl multi-turn"),
            *bfcl_memory.run(client, filling, memories, "bfcl"),
            *bfcl_turns.run_conversations(client, searching, web, "bfcl web search"),
        ]
        rows: list[Any] = [
            *bfcl.score(prompts, responses, {SUITE: None}, choice.mode, choice.version),
            *bfcl_turns.score(led, choice.mode, choice.version),
        ]
        return rows, official_metrics(rows, choice.limit, choice.version) | counted(responses)

    return job


def _acebench(choice: Choice, llm: LlmParams) -> Callable[[Client], Scored]:
    if not choice.acebench:
        raise DataError("acebench needs its data; clone github.com/chenchen0103/ACEBench and give --acebench FOLDER")
    agents = ["agent"] if choice.user_model else ["agent_multi_step"]
    params = AcebenchParams.model_validate({
        "data": choice.acebench, "languages": list(choice.languages), "categories": ["normal", "special", *agents],
        "limit": choice.limit, "max_tokens": choice.max_tokens, "user_model": choice.user_model,
    })  # fmt: skip
    asked = acebench_run.questions(params, choice.mode)

    def job(client: Client) -> Scored:
        answers = acebench_run.answer(asked, client, llm, "score")
        rows, numbers = acebench_run.score(asked, answers)
        return rows, (numbers or {}) | counted(answers.responses)

    return job


def _api_bank(choice: Choice) -> Callable[[Client], Scored]:
    if not choice.api_bank:
        raise DataError(f"api_bank needs its data; take it from {api_bank.SOURCE} and give --api-bank FOLDER")
    levels: dict[int, list[api_bank.ApiBankItem]] = {level: [] for level in api_bank.LEVELS}
    for item in api_bank.load_items(choice.api_bank):
        levels[item.level].append(item)
    items = [item for each in levels.values() for item in each[: choice.limit]]
    total = sum(map(len, levels.values()))

    def job(client: Client) -> Scored:
        responses = ask(client, [item.messages for item in items], "api-bank")
        rows = api_bank.score(items, responses)
        return rows, _marked(api_bank.metrics(rows), len(items) < total) | counted(responses)

    return job


def _code(name: str, choice: Choice) -> Callable[[Client], Scored]:
    every = code_bench.load(name, choice.evalplus_data)
    problems = every[: choice.limit]

    def job(client: Client) -> Scored:
        responses = ask(client, [code_messages(problem["prompt"]) for problem in problems], name)
        limits: dict[str, Any] = {"timeout_s": _CODE_TIMEOUT_S, "mode": choice.mode}
        rows, numbers = code_bench.score_answers(name, problems, responses, **limits)
        return rows, code_bench.mark_partial(numbers, len(problems) < len(every)) | counted(responses)

    return job


def _marked(figures: dict, partial: bool) -> dict:
    """Figures in which every accuracy, also in the parts, says whether rows were left out."""
    parts = {key: _marked(part, partial) for key, part in figures.items() if isinstance(part, dict)}
    return figures | parts | ({"partial": partial} if "accuracy" in figures else {})
