"""What decontaminate finds of planted overlaps, what it finds in real rows, and how long it takes.

    python benchmarks/decontaminate.py [FOLDER]        FOLDER holds real rows, default ../shared/data/real

Planted: BFCL's questions in disguises, each with the tools of a real row of other origin, so that only the text can
tell; and BFCL's tools under other names, with the query of such a row. Found rows of other sources (those derived from
BFCL aside) are listed in full with --list: whoever reads them decides which of them overlap. Time: 60,000 tasks on one
core, BFCL and humaneval as benchmarks.
"""

import argparse
import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from planted_overlaps import COMBINED, DISGUISES, Disguise, renamed
from tabulate import tabulate

from funreason.calls.schema import to_bfcl
from funreason.core.records import Task
from funreason.data.rows import AcceptedRow, TaskIds, read_tasks
from funreason.decontaminate.benchmarks import read_benchmark
from funreason.decontaminate.matching import FOLLOWING, KINDS, LEAST, TEXT_KINDS
from funreason.decontaminate.sorting import Sorter
from funreason.decontaminate.text import weight, words

FILES = ("xlam_like.jsonl.gz", "with_cot.jsonl.gz", "conversations.jsonl.gz")
FROM_BFCL = ("bfcl", "qwen", "w2c")  # When2Call was made from BFCL's live part
PLANTED, ROWS, NGRAM, THRESHOLD = 2000, 60_000, 13, 0.45


def real_tasks(folder: Path) -> Iterator[Task]:
    for name in FILES:
        with gzip.open(folder / name, "rt") as file:
            for row in read_tasks(enumerate(map(json.loads, file), 1), name, TaskIds()):
                if isinstance(row, AcceptedRow):
                    yield from row.tasks


def planted_table(sorter: Sorter, questions: list, others: list[Task]) -> str:
    texts = [question.text for question in questions if not question.follows]
    texts = [text for text in dict.fromkeys(texts) if weight(words(text)) >= LEAST]
    texts = random.Random(1).sample(texts, min(PLANTED, len(texts)))
    rows = [planted_row(sorter, name, disguise, texts, others) for name, disguise in (DISGUISES | COMBINED).items()]
    headers = ["disguise", "planted", "recall", f"of those of weight {FOLLOWING}", *TEXT_KINDS]
    return tabulate(rows, headers, "github")


def planted_row(sorter: Sorter, name: str, disguise: Disguise, texts: list[str], others: list[Task]) -> list:
    """Texts that a disguise leaves as they are do not count."""
    rng = random.Random(2)
    found: Counter[str] = Counter()
    heavy: list[bool] = []
    planted = [(text, other) for text in texts if (other := disguise(text, rng)) != text]
    for text, other in planted:
        overlaps = sorter.overlaps(replace(rng.choice(others), query=other, history=[], steps=[]))
        found.update(overlap.kind for overlap in overlaps)
        found["any"] += bool(overlaps)
        heavy += [bool(overlaps)] if weight(words(text)) >= FOLLOWING else []
    kinds = [found[kind] for kind in TEXT_KINDS]
    return [name, len(planted), f"{found['any'] / len(planted):.2%}", f"{sum(heavy) / len(heavy):.2%}", *kinds]


def renamed_line(sorter: Sorter, tools: list[dict], others: list[Task]) -> str:
    rng = random.Random(3)
    found = [
        bool(sorter.overlaps(replace(rng.choice(others), tools=[renamed(to_bfcl(tool), rng)], history=[])))
        for tool in tools
    ]
    return f"tools under other names, with other names of all parameters: {sum(found) / len(found):.2%} of {len(tools)}"


def real_table(sorter: Sorter, tasks: list[Task], listed: bool) -> str:
    rows = []
    for group in ("derived from BFCL", "other sources"):
        own = [task for task in tasks if task.id.startswith(FROM_BFCL) == (group == "derived from BFCL")]
        found: Counter[str] = Counter()
        for task in own:
            overlaps = sorter.overlaps(task)
            found.update(overlap.kind for overlap in overlaps)
            found["any"] += bool(overlaps)
            for overlap in overlaps if listed and group == "other sources" else []:
                print(f"{overlap.kind:7}{task.id} | {task.query!r:.150} | {overlap.entry}: {overlap.shared}")
        rows.append([group, len(own), found["any"], *(found[kind] for kind in KINDS)])
    return tabulate(rows, ["rows", "tasks", "found", *KINDS], "github")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="../shared/data/real", type=Path)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    tasks = list(real_tasks(arguments.folder))
    bfcl = read_benchmark("bfcl")
    sorter = Sorter([bfcl], KINDS, NGRAM, THRESHOLD)
    others = [task for task in tasks if not task.id.startswith(FROM_BFCL)]
    others = [task for task in others if not sorter.overlaps(replace(task, query="", history=[]))]
    print(planted_table(sorter, bfcl.questions, others), end="\n\n")
    print(renamed_line(sorter, bfcl.tools, others), end="\n\n")
    print(real_table(sorter, tasks, arguments.list), end="\n\n")
    started = time.process_time()
    timed = Sorter([read_benchmark("bfcl"), read_benchmark("humaneval")], KINDS, NGRAM, THRESHOLD)
    many = islice(cycle(tasks), ROWS)
    timed.sort((replace(task, query=f"{task.query} {at}") for at, task in enumerate(many)), lambda row: None)
    print(f"{ROWS:,} tasks: {time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
