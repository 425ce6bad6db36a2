"""Measures the toy models: calls on held-out queries by the official checker, verdicts on planted labels.

Run as: python toy/measure.py   (from the repository root, after the root pipeline's `world` stage)
"""

from pathlib import Path

from funreason.core import runtime as stage
from funreason.core.paths import TOY

MODELS = Path("toy/models")
WORLD = Path(TOY)


def main() -> None:
    from funreason.config import load_params
    from funreason.core.jsonio import write_details

    params = load_params()
    figures = {role: calling_accuracy(MODELS / f"toy-{role}", params) for role in ("base", "teacher")}
    figures["judge"] = judging_accuracy(MODELS / "toy-judge", params)
    write_details("toy/metrics.json", figures)


def calling_accuracy(model: Path, params) -> dict:
    """Official accuracies over queries on known and on held-out tools, greedy (see `toy_accuracy`)."""
    from funreason.evaluate.answers import greedy
    from funreason.evaluate.toy_suites import toy_accuracy
    from funreason.llm import Client, load_ref

    with Client(load_ref(model), params.llm, greedy(params.evaluate.toy.max_tokens)) as client:
        return toy_accuracy(client, WORLD, params.evaluate.sandbox, model.name)


def judging_accuracy(model: Path, params) -> dict:
    """{check: {"balanced_accuracy", "undecided", "n"}} on the planted labels of data/toy/judge.jsonl."""
    from funreason.core.jsonio import read_jsonl
    from funreason.core.records import Sample
    from funreason.llm import load_ref
    from funreason.prompts import CHECKS
    from funreason.refine.judge import Judge, Question

    rows = list(read_jsonl(WORLD / "judge.jsonl"))
    samples = [Sample(row["id"], row["query"], row["tools"], row["cot"], row["answer"]) for row in rows]
    with Judge("judge", load_ref(model), params.llm, params.judge) as judge:
        asked = judge.ask([Question(row["check"], sample) for row, sample in zip(rows, samples, strict=True)], "judge")
    pairs = {check: [] for check in CHECKS}
    for row, replies in zip(rows, asked, strict=True):
        pairs[row["check"]].append((row["label"], replies[-1].value))
    return {check: verdict_figures(pairs[check]) for check in CHECKS}


def verdict_figures(pairs: list[tuple[bool, bool | None]]) -> dict:
    """Of (label, verdict) pairs; an undecided verdict counts as wrong on both labels."""
    recalls = [
        sum(verdict is label for label, verdict in pairs if label is side) / sum(label is side for label, _ in pairs)
        for side in (True, False)
    ]
    return {
        "balanced_accuracy": round(sum(recalls) / 2, 4),
        "undecided": sum(verdict is None for _, verdict in pairs),
        "n": len(pairs),
    }


if __name__ == "__main__":
    stage.run(main)
