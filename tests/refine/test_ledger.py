"""`funreason ledger show` and `stats`: the history of a row, the numbers of a round."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.core.jsonio import write_jsonl
from funreason.ledger.history import judges_value, read_ledger, row_outcomes
from funreason.ledger.outcomes import POOLS

from .conftest import rows
from .ledgers import GHENT, LINES, OSLO, OUTCOMES, line, refused, vote


def test_the_ledger_alone_gives_the_outcomes_of_the_chain(finished):
    pools = [row for pool in POOLS for row in rows(f"data/r0/pools/{pool}.jsonl")]
    outcomes = row_outcomes(read_ledger(Path("data/r0/ledger.jsonl")))
    assert {name: outcome.name for name, outcome in outcomes.items()} == {row["id"]: row["outcome"] for row in pools}
    left = {row["id"]: (row["check"], row["reason"]) for row in pools if row["outcome"] in ("dropped", "hard")}
    assert {name: (outcomes[name].check, outcomes[name].reason) for name in left} == left


def test_the_outcome_of_a_row_is_its_last_action(ledgered):
    assert row_outcomes(LINES) == OUTCOMES


def test_the_history_of_a_row_has_its_votes_heuristics_and_answers(ledgered, command):
    status, output, _ = command("ledger", "show", "12#1")
    lines = [text.strip() for text in output.splitlines()]
    assert status == 0 and lines[0] == "row 12#1 of round r0: regenerated at call (answer replaced)"
    assert "query       How is Ghent?" in lines and "tools       get_weather, book_table" in lines
    call = lines[lines.index("call        pass, regenerate") :]
    assert call[1:5] == ["small: False", "It is Ghent.", "small: True", "I looked."]
    assert call[5:7] == ["heuristics: False  (value not in the query)", '{"city": "Oslo"}']
    assert call[7:10] == ["answer, old and new", OSLO, f"→ {GHENT}"]
    assert "reasoning   It asks for Ghent." in lines
    assert lines[-1] == "outcome     regenerated at call (answer replaced), in data/r0/pools/qualified.jsonl"
    assert command("ledger", "show", "r0/12#1")[1] == output  # as train.jsonl names it


def test_a_row_without_a_sample_is_shown_with_its_task(ledgered, command):
    output = command("ledger", "show", "2")[1]
    assert "And Oslo?" in output and "dropped at generate (empty answer)" in output
    assert "\x1b" not in output and r"\x1b[2Jhm" in output  # a model's escape codes are not obeyed


def test_long_texts_are_wrapped(ledgered, command, monkeypatch):
    write_jsonl("data/r0/ledger.jsonl", [line("1", "response", votes=[vote(True, text="word " * 90)])])
    monkeypatch.setenv("COLUMNS", "60")
    output = command("ledger", "show", "1")[1].splitlines()
    assert sum("word" in text for text in output) == 9 and max(map(len, output[3:])) <= 60


def test_an_unknown_id_names_the_nearest(ledgered, command):
    assert "nearest are 12#0, 12#1. Choose" in refused(command("ledger", "show", "12"))
    assert "no row '12#7' among the 4 of data/r0/ledger.jsonl" in refused(command("ledger", "show", "12#7"))


def test_ledgers_with_votes_as_texts_and_no_heuristics_are_read(ledgered, command):
    old = line("1", "response", votes=["It is. <judge>True</judge>"]) | {"old_answer": None, "new_answer": None}
    write_jsonl("data/r0/ledger.jsonl", [old])
    assert "It is. <judge>True</judge>" in command("ledger", "show", "1")[1]
    assert json.loads(command("ledger", "stats", "--json")[1])["steps"][0]["heuristics"] == {"both": 0, "agree": 0}


def test_ledgers_with_the_names_of_an_earlier_version_are_read(ledgered, command):
    names = {"attempts": "asks", "heuristics": "rules"}
    old = [{names.get(key, key): value for key, value in line.items()} for line in LINES]
    new = command("ledger", "stats", "--json")[1], command("ledger", "show", "12#1")[1]
    write_jsonl("data/r0/ledger.jsonl", old)
    assert (command("ledger", "stats", "--json")[1], command("ledger", "show", "12#1")[1]) == new
    write_jsonl("data/r0/ledger.jsonl", [line("1", "validate", action="spare", reason="best: 2 was chosen")])
    assert "not_selected at validate (best: 2 was chosen)" in command("ledger", "show", "1")[1]


def test_stats_count_steps_outcomes_and_reasons(ledgered, command):
    stats = json.loads(command("ledger", "stats", "--json")[1])
    steps = {entry.pop("step"): entry for entry in stats["steps"]}
    assert list(steps) == ["generate", "response", "cot", "call", "validate"]
    assert steps["cot"] == {
        "in": 3, "pass": 1, "fail": 1, "undecided": 0, "skip": 1, "regenerated": 0, "not_selected": 0, "dropped": 1,
        "hard": 0, "attempts": 3, "heuristics": {"both": 2, "agree": 1},
    }  # fmt: skip
    assert (steps["call"]["regenerated"], steps["call"]["heuristics"]) == (1, {"both": 1, "agree": 1})
    assert stats["outcomes"] == {
        "kept": 0, "regenerated": 1, "statement": 1, "not_selected": 0, "dropped": 2, "hard": 0,
    }  # fmt: skip
    assert {"step": "cot", "reason": "reasoning leads elsewhere", "rows": 1} in stats["reasons"]
    assert [entry["rows"] for entry in stats["reasons"]] == [1, 1, 1]  # neither `sampled` nor skipped statements
    output = command("ledger", "stats")[1]
    assert [text.split() for text in output.splitlines() if text.startswith("cot")] == [
        ["cot", "3", "1", "1", "0", "1", "0", "0", "1", "0", "3", "1/2"]
    ]


@pytest.mark.parametrize(
    ("votes", "new_answer", "expected"),
    [
        ([vote(None), vote(True)], None, True),
        ([vote(True, "a"), vote(False, "b")], None, None),
        ([vote(False), vote(True), vote(True)], GHENT, False),  # the second and third are about the new answer
        ([vote(True), vote(True), vote(False)], None, True),  # three seats of one judge
        ([vote(None, "generator")], None, None),
    ],
)
def test_the_judges_value_is_their_majority_on_the_row_as_it_came_in(votes, new_answer, expected):
    assert judges_value(line("1", "call", votes=votes, new_answer=new_answer)) is expected


def test_a_missing_file_is_one_line_with_a_remedy(ledgered, command):
    assert "`dvc repro validate@r7` makes it" in refused(command("ledger", "stats", "--round", "r7"))
    Path("empty").mkdir()
    assert "in this folder; run `dvc pull validate@r0`" in refused(command("ledger", "diff", "empty", "workspace"))
    write_jsonl("data/r0/ledger.jsonl", [{"query": "?"}])
    assert "row 1 has no `id` and `check`" in refused(command("ledger", "stats"))
    assert "is not a Git repository" in refused(command("ledger", "diff", "HEAD", "workspace"))


def test_a_closed_pipe_is_not_an_error(ledgered):
    """As in `funreason ledger stats | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    run = [sys.executable, "-c", "from funreason.cli.main import main; main()", "ledger", "stats"]
    done = subprocess.run(run, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
