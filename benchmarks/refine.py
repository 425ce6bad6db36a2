"""The five checks against hidden labels: judge, rules, cascade and panel, on the toy world's planted defects.

Run as: python benchmarks/refine.py [--rows 200] [--seats 3]   (rows a check, half of them sound)

A defect is what is looked for: recall is the share of planted defects that a check finds, precision the share of its
findings that are planted. An undecided verdict counts as a miss on either side. `asked` is the share of questions that
were put to the judge. Prints one table; the figures belong into docs/LOG.md.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

from tabulate import tabulate

from funreason.config import Params, load_params
from funreason.core.records import Sample
from funreason.llm import load_ref
from funreason.prompts import CHECKS
from funreason.refine.answer import Question
from funreason.refine.judge import Judge
from funreason.refine.panel import Cascade, Panel
from funreason.toy.tools import split
from funreason.toy.world import judge_cases

SEED = 1007  # not the pipeline's world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=200, help="questions a check (default 200)")
    parser.add_argument("--seats", type=int, default=3, help="votes of the panel (default 3)")
    parser.add_argument("--model", default="toy/models/toy-judge", help="the judge, a local folder")
    arguments = parser.parse_args()
    params, cases = load_params(), list(labelled(arguments.rows))
    questions, labels = [question for question, _ in cases], [label for _, label in cases]
    table = []
    with ExitStack() as stack:
        for name, asked in contestants(params, arguments.model, arguments.seats, stack).items():
            answers = asked.ask(questions, name)
            table += list(rows(name, questions, labels, answers))
    print(tabulate(table, headers="keys", floatfmt=".3f"))


def labelled(count: int) -> Iterator[tuple[Question, bool]]:
    """(question, right verdict) over known tools, from queries that no model was trained on."""
    for row in judge_cases(SEED, count, split()[0]):
        sample = Sample(row["id"], row["query"], row["tools"], row["cot"], row["answer"])
        yield Question(row["check"], sample), row["label"]


def contestants(params: Params, model: str, seats: int, stack: ExitStack) -> dict:
    ref = load_ref(model)
    greedy = stack.enter_context(Judge("judge", ref, params.llm, params.judge))
    warm = params.judge.model_copy(update={"temperature": 0.6})
    drawn = stack.enter_context(Judge("judge", ref, params.llm, warm))
    one, several = (seated(params, votes) for votes in (1, seats))
    return {
        "judge": Panel({"judge": greedy}, one),
        "rules": Cascade(None),
        "cascade": Cascade(Panel({"judge": greedy}, one)),
        f"panel of {seats}, unanimous": Panel({"judge": drawn}, several),
    }


def seated(params: Params, votes: int):
    """The checks' parameters with `votes` seats for the one judge, and the unanimous rule."""
    panels = params.fcdr.panels().items()
    change = {"judges": ["judge"] * votes, "rule": "unanimous"}
    return params.fcdr.model_copy(update={name: panel.model_copy(update=change) for name, panel in panels})


def rows(name: str, questions: list[Question], labels: list[bool], answers: list) -> Iterator[dict]:
    for check in CHECKS:
        found = Counter()
        for question, label, answer in zip(questions, labels, answers, strict=True):
            if question.check == check:
                found[label, answer.value] += 1
                found["asked"] += bool(answer.ballot)
                found["n"] += 1
        yield {"": name, "check": check} | scores(found)


def scores(found: Counter) -> dict:
    hit, missed = found[False, False], found[False, True] + found[False, None]
    false_alarm, let_pass = found[True, False], found[True, True]
    undecided = found[True, None] + found[False, None]
    precision, recall = _share(hit, hit + false_alarm), _share(hit, hit + missed)
    return {
        "found": hit, "missed": missed, "false alarms": false_alarm, "let pass": let_pass, "undecided": undecided,
        "precision": precision, "recall": recall, "F1": _share(2 * hit, 2 * hit + false_alarm + missed),
        "asked": _share(found["asked"], found["n"]),
    }  # fmt: skip


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


if __name__ == "__main__":
    main()
