"""The prompts of the evaluations, as far as they can be known before a model answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from funreason.config import Params
from funreason.core.paths import TOY
from funreason.evaluate import acebench, api_bank, bfcl, code_bench, toy_suites
from funreason.evaluate.acebench_data import is_agent
from funreason.evaluate.acebench_run import asked_rows
from funreason.evaluate.bfcl_metrics import asked_once, expand
from funreason.prompts import code_messages
from funreason.sandbox import isolation

SAMPLE = 40  # prompts of a benchmark that are counted


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its requests, some of its chats from all over, the longest completion, and whether it wants code."""

    requests: int
    chats: list[list[dict]]
    max_tokens: int
    code: bool = False


def function_benchmarks(params: Params) -> Iterator[Benchmark]:
    """What evaluate_bfcl asks, but for conversations, whose prompts follow from the answers. Raises FunReasonError."""
    chosen = params.evaluate.bfcl
    if Path(TOY).is_dir():
        toy = toy_suites.prompts(toy_suites.suite_folders())
        yield _spread([prompt.messages for prompt in toy], params.evaluate.toy.max_tokens)
    if params.evaluate.api_bank:
        items = api_bank.load_items(params.evaluate.api_bank)
        yield _spread([item.messages for item in items], chosen.max_tokens)
    if rows := [row for row in asked_rows(params.evaluate.acebench) if not is_agent(row.category)]:
        chats = acebench.prompts(rows, isolation.resolve(params.evaluate.sandbox))
        yield _spread(chats, params.evaluate.acebench.max_tokens)
    if single := asked_once(expand(chosen.categories)):
        mode = isolation.resolve(params.evaluate.sandbox)
        official = bfcl.official_prompts("bfcl", single, chosen.limit, mode, chosen.version)
        yield _spread([prompt.messages for prompt in official], chosen.max_tokens)


def code_benchmarks(params: Params) -> Iterator[Benchmark]:
    """What evaluate_code asks. Raises FunReasonError."""
    code = params.evaluate.code
    for name in code.benchmarks:
        problems = code_bench.load(name, code.evalplus_data)[: code.limit]
        chats = [code_messages(problem["prompt"]) for problem in problems]
        yield _spread(chats, code.max_tokens, samples=1 + code.samples, code=True)


def _spread(chats: list[list[dict]], max_tokens: int, samples: int = 1, code: bool = False) -> Benchmark:
    return Benchmark(len(chats) * samples, chats[:: -(-len(chats) // SAMPLE) or 1], max_tokens, code)
