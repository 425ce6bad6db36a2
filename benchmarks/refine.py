"""The five checks against hidden labels: judge, heuristics, cascade and panel, on the toy world's planted defects.

Run as: python benchmarks/refine.py [--rows 200] [--seats 3]   (rows per check, half of them sound)

Recall is the fraction of planted defects that a check catches, precision the fraction of rows that it fails which have
one. An undecided verdict counts as wrong for either label. `asked` is the fraction of questions that were put to the
judge. Prints one table; the figures belong into docs/LOG.md.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

from tabulate import tabulate

from funreason.config import FcdrParams, Params, load_params
from funreason.core.records import Sample
from funreason.llm import load_ref
from funreason.prompts import CHECKS
from funreason.refine.judge import Judge, Question
from funreason.refine.modes import Decider, HeuristicsFirst
from funreason.refine.panel import Panel, PanelVerdict
from funreason.toy.tools import split
from funreason.toy.world import judge_cases

SEED = 1007  # not the pipeline's world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=200, help="questions per check (default 200)")
    parser.add_argument("--seats", type=int, default=3, help="votes of the panel (default 3)")
    parser.add_argument("--model", default="toy/models/toy-judge", help="the judge, a local folder")
    arguments = parser.parse_args()
    params, cases = load_params(), list(labelled(arguments.rows))
    questions, labels = [question for question, _ in cases], [label for _, label in cases]
    table = []
    with ExitStack() as stack:
        for name, decider in deciders(params, arguments.model, arguments.seats, stack).items():
            verdicts = decider.ask(questions, name)
            table += list(rows(name, questions, labels, verdicts))
    print(tabulate(table, headers="keys", floatfmt=".3f"))


def labelled(count: int) -> Iterator[tuple[Question, bool]]:
    """(question, right verdict) over known tools, from queries that no model was trained on."""
    for row in judge_cases(SEED, count, split()[0]):
        sample = Sample(row["id"], row["query"], row["tools"], row["cot"], row["answer"])
        yield Question(row["check"], sample), row["label"]


def deciders(params: Params, model: str, seats: int, stack: ExitStack) -> dict[str, Decider]:
    ref = load_ref(model)
    greedy = stack.enter_context(Judge("judge", ref, params.llm, params.judge))
    warm = params.judge.model_copy(update={"temperature": 0.6})
    drawn = stack.enter_context(Judge("judge", ref, params.llm, warm))
    one, several = (with_seats(params, votes) for votes in (1, seats))
    return {
        "judge": Panel({"judge": greedy}, one),
        "heuristics": HeuristicsFirst(None),
        "cascade": HeuristicsFirst(Panel({"judge": greedy}, one)),
        f"panel of {seats}, unanimous": Panel({"judge": drawn}, several),
    }


def with_seats(params: Params, votes: int) -> FcdrParams:
    """The checks' parameters with `votes` seats for the one judge, and the unanimous rule."""
    panels = params.fcdr.panels().items()
    change = {"judges": ["judge"] * votes, "rule": "unanimous"}
    return params.fcdr.model_copy(update={name: panel.model_copy(update=change) for name, panel in panels})


def rows(name: str, questions: list[Question], labels: list[bool], verdicts: list[PanelVerdict]) -> Iterator[dict]:
    for check in CHECKS:
        counts = Counter()
        for question, label, verdict in zip(questions, labels, verdicts, strict=True):
            if question.check == check:
                counts[label, verdict.value] += 1
                counts["asked"] += bool(verdict.seats)
                counts["n"] += 1
        yield {"": name, "check": check} | scores(counts)


def scores(counts: Counter) -> dict:
    hit, missed = counts[False, False], counts[False, True] + counts[False, None]
    false_alarm, let_pass = counts[True, False], counts[True, True]
    undecided = counts[True, None] + counts[False, None]
    precision, recall = _fraction(hit, hit + false_alarm), _fraction(hit, hit + missed)
    return {
        "caught": hit, "missed": missed, "false alarms": false_alarm, "let pass": let_pass, "undecided": undecided,
        "precision": precision, "recall": recall, "F1": _fraction(2 * hit, 2 * hit + false_alarm + missed),
        "asked": _fraction(counts["asked"], counts["n"]),
    }  # fmt: skip


def _fraction(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


if __name__ == "__main__":
    main()
