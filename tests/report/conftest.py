"""A project folder with the metrics of a finished run in it: base, r0 (800 of 1,000 tasks were asked) and r1."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from funreason.core.jsonio import write_details, write_json, write_jsonl
from funreason.prompts import CHECKS

from .browser import Browser

ROOT = Path(__file__).parents[2]


def rate(correct: int, n: int = 300) -> dict:
    return {"accuracy": round(correct / n, 4), "low": 0.1, "high": 0.9, "correct": correct, "n": n}


def usage(requests: int) -> dict:
    return {"requests": requests, "prompt_tokens": 70 * requests, "completion_tokens": 50 * requests, "cost": 0.0}


def write_skill(
    name: str, correct: int, code: float = 0.9, bfcl: int | None = None, no_call: tuple[int, int] | None = (75, 300)
) -> None:
    """`correct` of 300 questions that need a call, the same for BFCL; refusals that can be read, of how many."""
    sides = {"calls_wanted": rate(correct), "no_call_wanted": None}
    if no_call:
        sides["no_call_wanted"] = rate(no_call[1], no_call[1]) | {"strict": rate(*no_call)}
    asked = {"when_to_call": {"calls_wanted": rate(bfcl) if bfcl else None, "no_call_wanted": None}, "overall": None}
    bfcl = {"toy": rate(290) | sides, "bfcl": asked, "llm": usage(400)}
    write_details(f"metrics/{name}/bfcl.json", bfcl)
    write_details(f"metrics/{name}/code.json", {"toy": {"pass@1": code}, "too_long": 0, "llm": usage(60)})


def write_round(name: str, asked: int, solved: int, hard: int) -> None:
    write_details(f"metrics/{name}/0_generate.json", {"in": 1000, "llm": usage(asked)})
    for place, check in enumerate(CHECKS, 1):
        write_details(
            f"metrics/{name}/{place}_{check}.json", {"in": 1000 - 50 * place, "llm": usage(1000 - 50 * place)}
        )
    queries = {"in": 1000, "solved": solved, "hard": hard}
    made = {"queries": queries, "kept_fraction": solved / 1000, "reasoning_chars": {"mean": 170.5, "median": 150.0}}
    write_details(f"metrics/{name}/6_validate.json", made)
    write_details(f"metrics/{name}/train.json", {"rows": {"used": solved}})


@pytest.fixture
def measured(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "profiles/toy.yaml", "params.yaml")  # whatever the user's params.yaml says
    shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
    write_jsonl("data/empty.jsonl", [])
    write_jsonl("data/tasks.jsonl", ({"id": str(at)} for at in range(1000)))
    for name, rows in (("r0", 700), ("r1", 1500)):
        write_jsonl(f"data/{name}/train.jsonl", ({"id": str(at)} for at in range(rows)))
        write_jsonl(f"data/{name}/hard.jsonl", ({"id": str(at)} for at in range(40)))
    for name in ("base", "r0", "r1"):
        write_json(f"data/report/{name}.json", {})  # no rows, no answers: see test_page.py for these
    write_skill("base", 90, 0.95)
    write_skill("r0", 210)
    write_skill("r1", 225)
    write_round("r0", 800, 700, 40)
    write_round("r1", 1000, 800, 20)
    return tmp_path


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
