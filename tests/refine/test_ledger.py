"""`funreason ledger`: the story of a row, the numbers of a set, the rows whose fate differs between two states."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from funreason import cli
from funreason.records import write_jsonl
from funreason.refine.ledger import LEDGER, End, ends, judge_value, read_ledger
from funreason.refine.pools import POOLS

from .conftest import rows

OSLO, GHENT = "[get_weather(city='Oslo')]", "[get_weather(city='Ghent')]"
TOOLS = [{"name": "get_weather"}, {"name": "book_table"}]


def line(name: str, check: str, verdict: str = "pass", action: str = "keep", reason: str = "", **fields) -> dict:
    asks = {"asks": len(fields.get("votes", []))}
    return {"id": name, "check": check, "verdict": verdict, "action": action, "reason": reason, **asks, **fields}


def vote(value: bool | None, judge: str = "small", text: str = "I looked.") -> dict:
    return {"judge": judge, "value": value, "text": text}


def rule(value: bool | None, reason: str = "", **evidence) -> dict:
    return {"value": value, "reason": reason, "evidence": evidence}


LINES = [
    line("1", "generate", reason="sampled"),
    line("2", "generate", "fail", "drop", "empty answer", votes=[vote(None, "sampler", "<think>\x1b[2Jhm</think>")]),
    line("12#0", "generate", reason="sampled"),
    line("12#1", "generate", reason="sampled"),
    line("1", "response", votes=[vote(True)]),
    line("12#0", "response", "fail", "keep", "statement", votes=[vote(False), vote(False, "large")]),
    line("12#1", "response", votes=[vote(True)]),
    line("1", "cot", "fail", "drop", "reasoning leads elsewhere", votes=[vote(False)], rules=rule(False, "no city")),
    line("12#0", "cot", "skip", "keep", "statement"),
    line("12#1", "cot", votes=[vote(None), vote(True)], rules=rule(False)),
    line("12#0", "call", "skip", "keep", "statement"),
    line("12#1", "call", "pass", "regenerate", votes=[vote(False, text="It is Ghent."), vote(True)], asks=2,
         old_answer=OSLO, new_answer=GHENT, rules=rule(False, "value not in the query", city="Oslo")),
    line("12#0", "validate", "skip", "keep", "statement"),
    line("12#1", "validate"),
]  # fmt: skip
ENDS = {
    "1": End("dropped", "cot", "reasoning leads elsewhere"),
    "2": End("dropped", "generate", "empty answer"),
    "12#0": End("statement", "response", "statement"),
    "12#1": End("regenerated", "call", "answer replaced"),
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with the set of LINES in it, as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    write_jsonl("data/r0/ledger.jsonl", LINES)
    sample = {"id": "12#1", "query": "How is Ghent?", "tools": TOOLS, "cot": "It asks for Ghent.", "answer": GHENT}
    write_jsonl("data/r0/pools/qualified.jsonl", [sample | {"fate": "regenerated", "check": "validate", "reason": ""}])
    write_jsonl("data/tasks.jsonl", [{"id": "2", "query": "And Oslo?", "tools": TOOLS, "answers": []}])
    return tmp_path


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs `funreason` with words, and gives (exit status, stdout, stderr)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["funreason", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return run


def refused(done: tuple[int, str, str]) -> str:
    """The one line of an error."""
    assert done[:2] == (1, "") and done[2].startswith("error: ") and done[2].count("\n") == 1
    return done[2]


def test_the_ledger_tells_the_fates_that_the_chain_counted(finished):
    pools = [row for pool in POOLS for row in rows(f"data/r0/pools/{pool}.jsonl")]
    found = ends(read_ledger(Path("data/r0") / LEDGER))
    assert {name: end.fate for name, end in found.items()} == {row["id"]: row["fate"] for row in pools}
    left = {row["id"]: (row["check"], row["reason"]) for row in pools if row["fate"] in ("dropped", "hard")}
    assert {name: (found[name].check, found[name].reason) for name in left} == left


def test_every_row_has_its_last_action_as_fate(project):
    assert ends(LINES) == ENDS


def test_the_story_of_a_row_has_its_votes_rules_and_answers(project, command):
    status, said, _ = command("ledger", "show", "12#1")
    lines = [text.strip() for text in said.splitlines()]
    assert status == 0 and lines[0] == "row 12#1 of set r0: regenerated at call (answer replaced)"
    assert "query       How is Ghent?" in lines and "tools       get_weather, book_table" in lines
    call = lines[lines.index("call        pass, regenerate") :]
    assert call[1:5] == ["small: False", "It is Ghent.", "small: True", "I looked."]
    assert call[5:7] == ["rules: False  (value not in the query)", '{"city": "Oslo"}']
    assert call[7:10] == ["answer, old and new", OSLO, f"→ {GHENT}"]
    assert "reasoning   It asks for Ghent." in lines
    assert lines[-1] == "fate        regenerated at call (answer replaced), in data/r0/pools/qualified.jsonl"
    assert command("ledger", "show", "r0/12#1")[1] == said  # as train.jsonl names it


def test_a_row_that_never_became_a_sample_is_told_from_its_task(project, command):
    said = command("ledger", "show", "2")[1]
    assert "And Oslo?" in said and "dropped at generate (empty answer)" in said
    assert "\x1b" not in said and r"\x1b[2Jhm" in said  # a model's escape codes are not obeyed


def test_long_texts_are_wrapped(project, command, monkeypatch):
    write_jsonl("data/r0/ledger.jsonl", [line("1", "response", votes=[vote(True, text="word " * 90)])])
    monkeypatch.setenv("COLUMNS", "60")
    said = command("ledger", "show", "1")[1].splitlines()
    assert sum("word" in text for text in said) == 9 and max(map(len, said[3:])) <= 60


def test_an_unknown_id_names_the_nearest(project, command):
    assert "nearest are 12#0, 12#1. Choose" in refused(command("ledger", "show", "12"))
    assert "no row '12#7' among the 4 of data/r0/ledger.jsonl" in refused(command("ledger", "show", "12#7"))


def test_ledgers_with_plain_votes_and_no_rules_are_read(project, command):
    old = line("1", "response", votes=["It is. <judge>True</judge>"]) | {"old_answer": None, "new_answer": None}
    write_jsonl("data/r0/ledger.jsonl", [old])
    assert "It is. <judge>True</judge>" in command("ledger", "show", "1")[1]
    assert json.loads(command("ledger", "stats", "--json")[1])["steps"][0]["rules"] == {"both": 0, "agree": 0}


def test_stats_count_steps_fates_and_reasons(project, command):
    found = json.loads(command("ledger", "stats", "--json")[1])
    steps = {entry.pop("step"): entry for entry in found["steps"]}
    assert list(steps) == ["generate", "response", "cot", "call", "validate"]
    assert steps["cot"] == {"in": 3, "pass": 1, "fail": 1, "undecided": 0, "skip": 1, "regenerated": 0, "dropped": 1,
                            "hard": 0, "asks": 3, "rules": {"both": 2, "agree": 1}}  # fmt: skip
    assert (steps["call"]["regenerated"], steps["call"]["rules"]) == (1, {"both": 1, "agree": 1})
    assert found["fates"] == {"kept": 0, "regenerated": 1, "statement": 1, "dropped": 2, "hard": 0}
    assert {"step": "cot", "reason": "reasoning leads elsewhere", "rows": 1} in found["reasons"]
    assert [entry["rows"] for entry in found["reasons"]] == [1, 1, 1]  # neither `sampled` nor skipped statements
    said = command("ledger", "stats")[1]
    assert [text.split() for text in said.splitlines() if text.startswith("cot")] == [
        ["cot", "3", "1", "1", "0", "1", "0", "1", "0", "3", "1/2"]
    ]


@pytest.mark.parametrize(
    ("votes", "new_answer", "expected"),
    [
        ([vote(None), vote(True)], None, True),
        ([vote(True, "a"), vote(False, "b")], None, None),
        ([vote(False), vote(True), vote(True)], GHENT, False),  # the second and third are about the new answer
        ([vote(True), vote(True), vote(False)], None, True),  # three seats of one judge
        ([vote(None, "sampler")], None, None),
    ],
)
def test_what_judges_say_is_their_majority_on_the_row_as_it_came(votes, new_answer, expected):
    assert judge_value(line("1", "call", votes=votes, new_answer=new_answer)) is expected


def changed() -> list[dict]:
    """LINES with row 1 kept to the end, 12#0 gone and 3 new."""
    kept = [line("1", check) for check in ("cot", "call", "validate")]
    rest = [row for row in LINES if row["id"] != "12#0" and (row["id"], row["check"]) != ("1", "cot")]
    return [*rest, *kept, line("3", "generate", "fail", "drop", "empty answer")]


def test_diff_of_two_folders_tells_what_moved_and_why(project, command):
    write_jsonl("elsewhere/ledger.jsonl", changed())
    found = json.loads(command("ledger", "diff", "workspace", "elsewhere", "--json")[1])
    assert found["transitions"] == [{"from": "dropped", "to": "kept", "rows": 1}]
    assert (found["added"], found["removed"], found["unchanged"]) == (["3"], ["12#0"], 2)
    assert found["changed"] == [{
        "id": "1", "a": {"fate": "dropped", "check": "cot", "reason": "reasoning leads elsewhere"},
        "b": {"fate": "kept", "check": "validate", "reason": ""},
    }]  # fmt: skip
    said = command("ledger", "diff", ".", "elsewhere")[1]
    assert "dropped at cot (reasoning leads elsewhere)  ->  kept" in said
    assert "added (only in b, 1): 3" in said and "removed (only in a, 1): 12#0" in said
    assert "0 changed their fate, 4 kept it" in command("ledger", "diff", ".", "data/r0")[1]


def test_diff_shows_twenty_rows_or_all(project, command):
    write_jsonl("a/ledger.jsonl", [line(str(number), "validate") for number in range(30)])
    write_jsonl("b/ledger.jsonl", [line(str(number), "cot", "fail", "drop", "no") for number in range(30)])
    few, every = command("ledger", "diff", "a", "b")[1], command("ledger", "diff", "a", "b", "--all")[1]
    assert (few.count("dropped at cot (no)"), every.count("dropped at cot (no)")) == (20, 30)
    assert "10 more with --all" in few and "more with" not in every


def test_what_is_missing_is_one_line_with_the_way_out(project, command):
    assert "`dvc repro validate@r7` makes it" in refused(command("ledger", "stats", "--set", "r7"))
    Path("empty").mkdir()
    assert "in this folder; run `dvc pull validate@r0`" in refused(command("ledger", "diff", "empty", "workspace"))
    write_jsonl("data/r0/ledger.jsonl", [{"query": "?"}])
    assert "row 1 has no `id` and `check`" in refused(command("ledger", "stats"))
    assert "is no Git repository" in refused(command("ledger", "diff", "HEAD", "workspace"))


def test_a_reader_that_goes_away_is_no_error(project):
    """As in `funreason ledger stats | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    run = [sys.executable, "-c", "from funreason.cli import main; main()", "ledger", "stats"]
    done = subprocess.run(run, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.fixture(scope="module")
def versioned(tmp_path_factory) -> Path:
    """A repository with set r0 as a DVC out: a state at tag `one`, another at HEAD, a third as experiment `third`."""
    folder = tmp_path_factory.mktemp("versioned")
    write_jsonl(folder / "source.jsonl", LINES)
    make = "python -c \"import shutil, os; os.makedirs('data/r0', exist_ok=True); shutil.copy('source.jsonl', '{}')\""
    out = "data/r0/ledger.jsonl"
    stage = {"cmd": make.format(out).replace("python", sys.executable), "deps": ["source.jsonl"], "outs": [out]}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": {"validate": stage}}))
    (folder / ".gitignore").write_text("/data/\n")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def commit(message: str) -> None:
        run(sys.executable, "-m", "dvc", "repro")
        run("git", "add", ".")
        run("git", "commit", "-qm", message)

    run("git", "init", "-q")
    for key in ("user.name", "user.email"):
        run("git", "config", key, "tester@example.org")
    run(sys.executable, "-m", "dvc", "init", "-q")
    commit("one")
    run("git", "tag", "one")
    write_jsonl(folder / "source.jsonl", changed())
    commit("two")
    write_jsonl(folder / "source.jsonl", LINES[:2])
    run(sys.executable, "-m", "dvc", "repro")
    run(sys.executable, "-m", "dvc", "exp", "save", "-n", "third")
    return folder


def test_diff_reads_revisions_and_experiments(versioned, monkeypatch, command):
    monkeypatch.chdir(versioned)
    found = json.loads(command("ledger", "diff", "one", "HEAD", "--json")[1])
    assert found["transitions"] == [{"from": "dropped", "to": "kept", "rows": 1}]
    assert (found["rows"], found["added"]) == ({"a": 4, "b": 4}, ["3"])
    assert json.loads(command("ledger", "diff", "third", "HEAD~1", "--json")[1])["rows"] == {"a": 2, "b": 4}
    assert "0 changed their fate, 2 kept it" in command("ledger", "diff", "workspace", "third")[1]


def test_what_a_revision_does_not_have_is_one_line(versioned, monkeypatch, command):
    monkeypatch.chdir(versioned)
    assert "'nope' is no folder, and no Git revision" in refused(command("ledger", "diff", "nope", "HEAD"))
    said = refused(command("ledger", "diff", "one", "HEAD", "--set", "r1"))
    assert "data/r1/ledger.jsonl was not made at one" in said


def test_a_revision_that_was_not_pulled_says_how_to_get_it(versioned, monkeypatch, command, tmp_path):
    bare = shutil.copytree(versioned, tmp_path / "clone", ignore=shutil.ignore_patterns("cache"))
    monkeypatch.chdir(bare)
    said = refused(command("ledger", "diff", "one", "workspace"))
    assert "`dvc fetch --all-commits validate@r0` brings it from a remote" in said
