"""The five checks and the end of the chain, over a real server that answers with judge texts of every kind."""

import shutil
from pathlib import Path

import pytest

from funreason.calls import split_completion
from funreason.config import read_yaml, yaml
from funreason.core.errors import DataError, ParamsError
from funreason.core.jsonio import read_details, write_details

from .conftest import chain, rows, stage
from .rows import GHENT, OSLO, OUTCOMES, TASKS

STEMS = ("0_generate", "1_response", "2_query_tool", "3_cot", "4_call", "5_format")


def ledger(check: str) -> dict[str, dict]:
    return {row["id"]: row for row in rows("data/r0/ledger.jsonl") if row["check"] == check}


def metrics(stem: str) -> dict:
    return read_details(f"metrics/r0/{stem}.json")


def test_every_row_has_the_outcome_that_it_should(finished):
    pools = [rows(f"data/r0/pools/{name}.jsonl") for name in ("qualified", "hard", "dropped", "statement")]
    assert len(rows("data/r0/pools/quarantined.jsonl")) == 1
    outcomes = {row["id"]: (row["outcome"], row["check"]) for pool in pools for row in pool}
    assert sum(map(len, pools)) == len(TASKS)
    assert outcomes == OUTCOMES


def test_the_ledger_has_one_line_per_row_and_check(finished):
    assert list(ledger("generate")) == [task["id"] for task in TASKS]
    for before, after in zip(STEMS, STEMS[1:], strict=False):
        alive = [row["id"] for row in rows(f"data/r0/{before}.jsonl")]
        assert list(ledger(after[2:])) == alive
        assert [row["id"] for row in rows(f"data/r0/{after}.ledger.jsonl")] == alive


def test_a_statement_skips_all_later_checks(finished):
    for check in ("query_tool", "cot", "call", "format", "validate"):
        assert ledger(check)["statement"] == {
            "id": "statement", "check": check, "verdict": "skip", "action": "keep", "reason": "statement",
            "attempts": 0, "votes": [], "old_answer": None, "new_answer": None, "heuristics": None,
        }  # fmt: skip
    assert ledger("response")["statement"]["verdict"] == "fail"


def test_old_and_new_answers_stay_in_the_ledger(finished):
    mended = ledger("call")["mended"]
    assert (mended["old_answer"], mended["new_answer"]) == (OSLO, GHENT)
    assert (mended["verdict"], mended["action"]) == ("pass", "regenerate")
    stubborn = ledger("call")["stubborn"]
    assert (stubborn["action"], stubborn["attempts"]) == ("hard", 2)
    assert "Bern" in stubborn["new_answer"]
    assert ledger("call")["kept"]["new_answer"] is None


def test_reasoning_is_judged_again_where_the_calls_changed(finished):
    """Call, call again, and the CoT check; a mended space changes no call, so there is no third question."""
    assert ledger("call")["mended"]["attempts"] == 3
    assert ledger("call")["mended_off_cot"]["reason"].startswith("new answer: reasoning")
    assert ledger("format")["space"]["attempts"] == 2
    assert ledger("format")["quoted"]["attempts"] == 3


def test_refused_new_answers_say_why(finished):
    assert ledger("call")["no_new_call"]["reason"] == "no <NewFC>"
    assert ledger("call")["broken_new_call"]["reason"] == "<NewFC> does not parse"
    assert ledger("format")["format_rewrites"]["reason"] == "<NewFC> changes more than the format"


def test_unreadable_votes_are_asked_again_and_kept(finished):
    mute, second = ledger("query_tool")["mute"], ledger("cot")["second_ask"]
    assert (mute["verdict"], mute["reason"], mute["attempts"]) == ("undecided", "both verdicts", 2)
    assert mute["votes"][0] == {"judge": "judge", "value": None, "text": "get_weather fits."}
    assert (second["verdict"], second["attempts"]) == ("pass", 2)


def test_only_what_is_asked_again_is_drawn_with_a_temperature(finished):
    """Judges are greedy here: the same question would get the same unreadable answer."""
    warm = [ask for ask, temperature in finished[1].temperatures if temperature > 0 and ask > 1]
    judged = [t for ask, t in finished[1].temperatures if ask > 1]
    assert len(warm) == len(judged) == 2


def test_metrics_count_what_the_ledger_says(finished):
    call = metrics("4_call")
    reasons, agreement = call.pop("reasons"), call.pop("agreement")
    assert call.pop("llm")["requests"] == call["attempts"]
    judge = call.pop("judges")["judge"]
    assert (judge["judged"], judge["true_fraction"]) == (13, 0.6154) and judge["sensitivity"] is None
    assert call == {
        "in": 14, "pass": 9, "fail": 4, "undecided": 0, "skip": 1, "regenerated": 1, "dropped": 1, "hard": 3,
        "out": 10, "questions": 18, "by_heuristics": 0, "without_judge": 0, "attempts": 18, "parse_failures": 0,
    }  # fmt: skip
    assert agreement["panel"] == {"n": 0, "kappa": None} and agreement["heuristics"]["n"] > 0
    assert reasons["no <NewFC>"] == 1
    assert metrics("2_query_tool")["parse_failures"] == 2
    assert metrics("0_generate")["reasons"]["empty answer"] == 1
    for stem in STEMS[1:]:
        counts = metrics(stem)
        assert counts["in"] == sum(counts[key] for key in ("pass", "fail", "undecided", "skip"))
        assert counts["in"] == sum(counts[key] for key in ("out", "dropped", "hard"))


def test_validate_counts_outcomes_problems_and_planted_rows(finished):
    counts = metrics("6_validate")
    assert counts["outcomes"] == {
        "kept": 3, "regenerated": 3, "statement": 1, "not_selected": 0, "dropped": 7, "hard": 5,
    }  # fmt: skip
    assert sum(counts["outcomes"].values()) == counts["rows"] == len(TASKS)
    assert counts["queries"] == {"in": len(TASKS), "solved": 8, "hard": 5}  # the repeat is solved, too
    assert counts["schema_problems"] == {"wrong value": 1}
    assert counts["duplicates"] == 1
    assert counts["planted"]["wrong_value"] == {
        "rows": 2, "kept": 0, "regenerated": 1, "statement": 0, "left": {"call": 1}
    }  # fmt: skip
    assert counts["planted"]["sampled"]["rows"] == 2  # what the generator wrote has no label of its own


def test_training_rows_are_prompt_and_completion(finished):
    trained = {row["id"]: row for row in rows("data/r0/train.jsonl")}
    qualified = [name for name, (outcome, _) in OUTCOMES.items() if outcome in ("kept", "regenerated", "statement")]
    assert list(trained) == [f"r0/{name}" for name in qualified]
    mended = trained["r0/mended"]
    assert [message["role"] for message in mended["prompt"]] == ["system", "user"]
    completion = mended["completion"][0]["content"]
    assert split_completion(completion) == ("For mended I call the function.", GHENT)


def test_a_second_run_asks_nobody_and_writes_the_same_bytes(finished):
    folder, server = finished
    files = [path for path in sorted(folder.rglob("*.json*")) if "r0" in path.parts]
    before, asked = {path: path.read_bytes() for path in files}, len(server.asked)
    chain()
    assert {path: path.read_bytes() for path in files} == before
    assert len(server.asked) == asked


def test_a_self_refine_round_writes_its_own_answers_behind_the_earlier_ones(own_copy):
    """Nobody brings responses there: all tasks are put to the model, which is a server's in this test."""
    shutil.copy("models/teacher.json", "models/r0.json")
    chain("r1")
    counts = read_details("metrics/r1/0_generate.json")
    assert (counts["given"], counts["in"]) == (0, len(TASKS))
    assert {row["attempts"] for row in rows("data/r1/0_generate.ledger.jsonl")} == {1}
    earlier, trained = rows("data/r0/train.jsonl"), rows("data/r1/train.jsonl")
    assert trained[: len(earlier)] == earlier
    assert [row["id"] for row in trained[len(earlier) :]] == ["r1/sampled"]
    planted = read_details("metrics/r1/6_validate.json")["planted"]
    assert {name: entry["rows"] for name, entry in planted.items()} == {"sampled": 18, "unsolvable": 1}


def test_an_hdr_round_samples_what_is_hard_and_keeps_what_no_panel_accepts(own_copy):
    """The generator writes no call here, so a panel of three accepts nothing: the pool is whole, the round fails."""
    values = read_yaml("params.yaml")
    shutil.copy("models/teacher.json", "models/r0.json")
    values["rounds"]["h1"] = values["rounds"]["r1"] | {
        "recipe": "hdr", "tasks": "data/r0/hard.jsonl", "replay": "data/empty.jsonl"
    }  # fmt: skip
    with open("params.yaml", "w") as file:
        yaml().dump(values, file)
    hard = [row["id"] for row in rows("data/r0/hard.jsonl")]
    assert hard == [name for name, (outcome, _) in OUTCOMES.items() if outcome == "hard"]
    with pytest.raises(DataError, match="round h1: none of 15 rows is left"):
        chain("h1")
    assert [row["id"] for row in rows("data/h1/0_generate.ledger.jsonl")] == [
        f"{name}#{number}" for name in hard for number in range(3)
    ]
    assert {len(row["votes"]) for row in rows("data/h1/1_response.ledger.jsonl")} == {3}
    assert read_details("metrics/h1/6_validate.json")["queries"] == {"in": 5, "solved": 0, "hard": 5}
    assert rows("data/h1/hard.jsonl") == rows("data/r0/hard.jsonl")


def test_a_round_without_tasks_says_that_the_chain_is_at_its_end(own_copy):
    Path("data/tasks.jsonl").write_text("")
    with pytest.raises(DataError, match="round r1: data/tasks.jsonl is empty, nothing is left to generate; delete r1"):
        stage("generate", "r1")


def test_a_round_without_rows_fails_and_shows_why(own_copy):
    """The generator writes no call here, so that all rows are hard; the ledger is there, training rows are not."""
    shutil.copy("models/teacher.json", "models/r0.json")
    tasks = Path("data/tasks.jsonl")
    tasks.write_text(tasks.read_text().partition("\n")[0] + "\n")
    write_details("metrics/prepare.json", {"rows": 1, "quarantined": 0, "skipped": 0, "conversations": 0, "turns": 0})
    with pytest.raises(DataError, match="round r1: none of 1 rows is left .0 dropped, 1 hard."):
        chain("r1")
    assert len(rows("data/r1/pools/hard.jsonl")) == 1 and not Path("data/r1/train.jsonl").exists()


def test_unknown_names_are_refused(finished):
    with pytest.raises(ParamsError, match="there is no check 'tone', allowed are response"):
        stage("refine", "tone", "r0")
    with pytest.raises(ParamsError, match="no round 'r7'"):
        stage("refine", "cot", "r7")


def test_a_lost_row_fails_the_last_stage(own_copy):
    path, train = Path("data/r0/3_cot.jsonl"), Path("data/r0/train.jsonl")
    text, files = path.read_text(), sorted(Path("data/r0").rglob("*"))
    path.write_text(text.partition("\n")[2])
    trained = train.read_text()
    with pytest.raises(DataError, match="cot's samples: row 1 is '.*', 'kept' came in"):
        stage("validate", "r0")
    assert sorted(Path("data/r0").rglob("*")) == files and train.read_text() == trained  # nothing half written
