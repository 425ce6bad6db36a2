"""A generator whose answers cannot be used stops its stage after a few of them; a weak one does not."""

import json
import re
from itertools import count

import pytest
from llm import http_server
from llm.http_server import completion

from funreason.core.errors import ModelError

from .conftest import rows, stage, write_project
from .test_watch import SOURCE

TASKS = [{**row, "id": f"{row['id']}/{copy}", "query": f"{row['query']} {'Thanks! ' * copy}", "response": None}
         for copy in range(3) for row in SOURCE]  # fmt: skip
CUT = completion("Okay, so the user wants to know the weather. Okay, so the user")
CUT["choices"][0]["finish_reason"] = "length"
OPEN, GOOD = completion("<think>never closed"), completion("<think>It is.</think>[get_weather(city='Oslo', days=3)]")


def generated(project, answer, **watch) -> int:
    """Run the stage with a server as the generator; how many prompts it was asked."""
    with http_server.serve(answer=answer) as server:
        write_project(project, server.url, TASKS, generate={"watch": {"rows": 16, "max_unreadable": 0.9} | watch})
        try:
            stage("generate", "r0")
        finally:
            asked = [json.dumps(body["messages"]) for body in server.asked]
    assert len(asked) == len(set(asked)), "an answer is paid twice"
    return len(asked)


def test_a_hopeless_generator_stops_the_stage_after_a_few_answers(project, capfd):
    seen = []

    def answer(body):
        seen.append(body)
        return OPEN if len(seen) > 13 else CUT

    message = (
        r"generator 'teacher': 16 of its first 16 answers cannot be used \(13 cut at the maximum length, 3 reasoning "
        r"marks unclosed, repeated or out of place; they begin .*'Okay, so the user.*generate.watch.max_unreadable "
        r"allows a fraction of 0.9; 16 questions were asked, the other 62 were not. Take another model, raise "
        r"generate.max_tokens \(now 256\) .*"
    )
    with pytest.raises(ModelError, match=message) as raised:
        generated(project, answer)
    assert "\n" not in str(raised.value) and len(seen) == 16
    lengths = [len(re.findall("Thanks", json.dumps(body["messages"]))) for body in seen]
    assert set(lengths) == {0, 1, 2}, "it looks at prompts of all lengths"


def test_a_weak_generator_works_on_and_no_answer_is_paid_twice(project):
    """Four answers of five are cut: rows leave, the stage goes on."""
    turn = count()
    assert generated(project, lambda body: CUT if next(turn) % 5 else GOOD) == len(TASKS)
    results = rows("data/r0/0_generate.ledger.jsonl")
    assert len(results) == len(TASKS)


def test_the_watch_can_be_loosened_and_turned_off(project):
    assert generated(project, lambda body: CUT, max_unreadable=1.0) == len(TASKS)


def test_without_rows_nothing_is_looked_at(project):
    assert generated(project, lambda body: CUT, rows=0) == len(TASKS)
