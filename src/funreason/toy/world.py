"""The toy world's files: the refine pool with planted defects, held-out sets in BFCL's layout, and code tasks.

Splits have no query in common (`corpus.split_of`), and the tools of `new/` are in no other file. The bytes depend on
the arguments alone.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

from funreason.calls import to_bfcl
from funreason.core.jsonio import write_jsonl
from funreason.prompts import CHECKS
from funreason.toy.code_world import humaneval_row, sample_split
from funreason.toy.corpus import split_of, toolbox
from funreason.toy.defects import CAUGHT_BY, Case, clean, sample_case
from funreason.toy.episodes import SHAPES, Episode, ToyCall, sample_episode
from funreason.toy.judging import sample_judged
from funreason.toy.tools import ToyTool, split

Drawn = TypeVar("Drawn", Episode, Case)
SHAPE_WEIGHTS = (6, 6, 3, 2, 3)
CATEGORIES = {"simple": "simple_python", **{shape: shape for shape in SHAPES[1:]}}
PREWRITTEN_FRACTION = 0.15
TEACHER_MAY_ANSWER = ("unsolvable", "missing_value")


def write_world(
    folder: Path,
    seed: int,
    pool_rows: int,
    planted_fraction: float,
    heldout_rows: int,
    judge_rows: int,
    code_rows: int,
) -> None:
    """Write every file of the toy world but the conversations.

    Args:
        folder: Where the files go.
        seed: Of all random streams.
        pool_rows: Rows of the refine pool.
        planted_fraction: Fraction of the pool with a planted defect.
        heldout_rows: Held-out queries per suite, `known` and `new`.
        judge_rows: Questions per check with a known verdict.
        code_rows: Code tasks per split.
    """
    known, new = split()
    pool, labels = zip(*pool_row_pairs(seed, pool_rows, planted_fraction), strict=True)
    write_jsonl(folder / "pool.jsonl", pool)
    write_jsonl(folder / "pool_labels.jsonl", labels)
    write_jsonl(folder / "judge.jsonl", judge_cases(seed, judge_rows, known))
    write_heldout(folder / "known", known, heldout_rows, Random(f"known/{seed}"))
    write_heldout(folder / "new", new, heldout_rows, Random(f"new/{seed}"))
    for name, held_out in (("code_train", False), ("code_heldout", True)):
        rng = Random(f"{name}/{seed}")
        tasks = sample_split(held_out, code_rows, rng)
        write_jsonl(folder / f"{name}.jsonl", [humaneval_row(task, f"toy/{i}", rng) for i, task in enumerate(tasks)])


def fresh(wanted: str, seen: set[str], draw: Callable[[], Drawn]) -> Drawn:
    """The first drawn episode or case whose query is of split `wanted` and not seen yet."""
    while True:
        drawn = draw()
        query = drawn.query if isinstance(drawn, Episode) else drawn.episode.query
        if query not in seen and split_of(query) == wanted:
            seen.add(query)
            return drawn


def pool_row_pairs(seed: int, rows: int, planted_fraction: float) -> Iterator[tuple]:
    """(xLAM row, hidden label) pairs; planted ones carry a response where a teacher would not err that way itself.

    Some rows are over tools invented for them: a student that only sees known names forgets to read tools.
    """
    rng, seen, defects = Random(f"pool/{seed}"), set[str](), list(CAUGHT_BY)
    for number in range(rows):
        defect, tools = rng.choice(defects) if rng.random() < planted_fraction else None, toolbox(rng)
        if defect is None:
            shape = rng.choices(SHAPES, SHAPE_WEIGHTS)[0]
            case = clean(fresh("pool", seen, partial(sample_episode, shape, tools, tools, rng)), rng)
            written = rng.random() < PREWRITTEN_FRACTION
        else:
            case = fresh("pool", seen, partial(sample_case, defect, tools, tools, rng))
            written = defect not in TEACHER_MAY_ANSWER or rng.random() < 0.5
        yield (
            xlam_row(str(number), case, written),
            {"id": str(number), "defect": defect, "check": CAUGHT_BY[defect] if defect else None},
        )


def xlam_row(row_id: str, case: Case, written: bool) -> dict:
    """A row in xLAM's own format (tools and answers as JSON text), with a `response` where one was written."""
    row = {
        "id": row_id,
        "query": case.episode.query,
        "tools": json.dumps(case.episode.xlam_tools(), ensure_ascii=False),
        "answers": json.dumps([step.call() for step in case.steps], ensure_ascii=False),
    }
    return row | {"response": {"cot": case.cot, "answer": case.answer}} if written else row


def judge_cases(seed: int, rows: int, tools: tuple[ToyTool, ...]) -> Iterator[dict]:
    """`rows` questions per check, half of them with the right verdict True, to measure judges with."""
    for check in CHECKS:
        rng, number = Random(f"judge/{check}/{seed}"), 0
        while number < rows:
            passed = number % 2 == 0
            _, _, case = sample_judged(check, passed, tools, tools, rng)
            if split_of(case.episode.query) == "held_out":
                yield {
                    "id": f"{check}/{number}",
                    "check": check,
                    "query": case.episode.query,
                    "tools": case.episode.xlam_tools(),
                    "cot": case.cot,
                    "answer": case.answer,
                    "label": passed,
                    "defect": case.defect,
                }
                number += 1


def write_heldout(folder: Path, tools: tuple[ToyTool, ...], rows: int, rng: Random) -> None:
    """Held-out queries in BFCL v4's layout, so that its official scorer reads them as one of its own data folders."""
    seen: set[str] = set()
    total = sum(SHAPE_WEIGHTS)
    for shape, weight in zip(SHAPES, SHAPE_WEIGHTS, strict=True):
        category = CATEGORIES[shape]
        episodes = [
            fresh("held_out", seen, partial(sample_episode, shape, tools, tools, rng))
            for _ in range(max(1, round(rows * weight / total)))
        ]
        prompts, answers = zip(*(bfcl_rows(f"{category}_{i}", e) for i, e in enumerate(episodes)), strict=True)
        write_jsonl(folder / f"BFCL_v4_{category}.json", prompts)
        if shape != "irrelevance":
            write_jsonl(folder / "possible_answer" / f"BFCL_v4_{category}.json", answers)


def bfcl_rows(row_id: str, episode: Episode) -> tuple[dict, dict]:
    """The prompt row and the possible-answer row of an episode."""
    functions = [to_bfcl(tool) for tool in episode.xlam_tools()]
    prompt = {"id": row_id, "question": [[{"role": "user", "content": episode.query}]], "function": functions}
    return prompt, {"id": row_id, "ground_truth": [possible(step) for step in episode.steps]}


def possible(step: ToyCall) -> dict:
    """A call as BFCL writes possible answers: a list of values per parameter; "" allows leaving an optional one out."""
    declared, arguments = step.tool.xlam()["parameters"], step.call()["arguments"]
    allowed: dict[str, list] = {}
    for slot in step.tool.slots:
        if slot in arguments:
            value = arguments[slot]
            allowed[slot] = [{key: [item] for key, item in value.items()} if isinstance(value, dict) else value]
        else:
            allowed[slot] = [declared[slot]["default"], ""]
    return {step.tool.name: allowed}
