"""Panels, their rules, and the heuristics that may decide before them; the judges answer over a real server."""

from collections import Counter

import pytest

from funreason.config import check_params, read_yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import read_details
from funreason.refine.metrics import cohen, fleiss
from funreason.refine.panel import decide, needed_fraction
from funreason.refine.reply import JudgeReply

from .conftest import REPO, rows, stage, write_project
from .rows import GHENT, TASKS, row
from .scripted import serve

T, F, U = True, False, None


def replies(*values: bool | None, calls: dict[int, str] | None = None) -> tuple[list[JudgeReply], ...]:
    """One reply per seat."""
    calls = calls or {}
    return tuple(
        [JudgeReply(f"j{at}", "", value, calls.get(at), "" if value is not None else "no <judge> tag")]
        for at, value in enumerate(values)
    )


@pytest.mark.parametrize(
    ("rule", "votes", "value"),
    [
        ("any", (F, F, T), True), ("any", (F, F, F), False), ("any", (F, U, F), None), ("any", (T, U, U), True),
        ("majority", (T, T, F), True), ("majority", (T, F), False), ("majority", (T, U, F), None),
        ("majority", (T, T, U), True), ("unanimous", (T, T, T), True), ("unanimous", (T, T, F), False),
        ("unanimous", (T, T, U), None), ("unanimous", (F, U, U), False), (0.5, (T, F), True), (0.67, (T, T, F), False),
        (0.66, (T, T, F), True),
    ],
)  # fmt: skip
def test_a_rule_is_a_fraction_of_votes_and_unreadable_ones_count_where_they_decide(rule, votes, value):
    verdict = decide(replies(*votes), needed_fraction(rule))
    assert (verdict.value, verdict.votes, len(verdict.replies)) == (value, votes, len(votes))
    assert bool(verdict.problem) is (value is None)


def test_the_new_call_is_the_first_one_given_with_a_false():
    seats = replies(T, F, F, calls={0: "[not_this()]", 2: "[this()]"})
    assert decide(seats, needed_fraction("unanimous")).new_call == "[this()]"


def test_kappas_are_those_of_worked_examples():
    """Cohen: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no → 0.4. Fleiss over two classes, against the formula by hand."""
    assert cohen(Counter({(T, T): 20, (T, F): 5, (F, T): 10, (F, F): 15})) == 0.4
    assert cohen(Counter({(T, T): 7})) is None and cohen(Counter()) is None
    assert fleiss(Counter({(3, 3): 2, (3, 0): 2})) == 1.0
    assert fleiss(Counter({(3, 2): 1, (3, 1): 1})) == round((1 / 3 - 0.5) / 0.5, 4)


def settings(**fcdr) -> dict:
    values = read_yaml(REPO / "profiles/toy.yaml")
    values["fcdr"] |= fcdr
    return values


def test_a_seat_without_a_model_and_a_greedy_double_are_refused():
    with pytest.raises(ParamsError, match=r"fcdr.cot.judges names 'x', models.judges has \['judge'\]"):
        check_params(settings(cot={"judges": ["x"], "rule": "any"}), "params.yaml")
    with pytest.raises(ParamsError, match="a greedy judge always votes alike; set its temperature above 0"):
        check_params(settings(cot={"judges": ["judge", "judge"], "rule": "any"}), "params.yaml")


def ledger(stem: str) -> dict[str, dict]:
    return {row["id"]: row for row in rows(f"data/r0/{stem}.ledger.jsonl")}


def test_two_judges_vote_and_one_row_falls(project):
    """Both give the same replies, except that the second one is asked about `kept` and says False."""
    panel = {"judges": ["judge", "second"], "rule": "unanimous"}
    judges = {name: {"path": None, "hub": None, "revision": None} for name in ("judge", "second")}
    second = {("second", "cot", "kept"): "It ends elsewhere. <judge>False</judge>"}
    with serve(second) as server:
        write_project(project, server.url, TASKS, fcdr={"cot": panel}, models={"judges": judges})
        for step in ("generate", "response", "query_tool", "cot"):
            stage(*(("generate", "r0") if step == "generate" else ("refine", step, "r0")))
    kept = ledger("3_cot")["kept"]
    assert (kept["verdict"], kept["action"]) == ("fail", "drop")
    assert [(vote["judge"], vote["value"]) for vote in kept["votes"]] == [("judge", True), ("second", False)]
    found = read_details(project / "metrics/r0/3_cot.json")["agreement"]["panel"]
    assert found["n"] > 10 and found["kappa"] < 1


QUERY = "Get the weather in Ghent for 3 days, {}."
THOUGHT = "I use get_weather. city is Ghent. days is 3."
PLAIN = [
    row("fine", GHENT, QUERY.format("please"), THOUGHT),
    row("space", "[ get_weather(city='Ghent', days=3)]", QUERY.format("now"), THOUGHT),
    row(
        "undeclared",
        "[get_weather(city='Ghent', hours=3)]",
        QUERY.format("today"),
        "I use get_weather. Ghent, hours is 3.",
    ),
]


@pytest.mark.parametrize("mode", ["heuristics", "cascade"])
def test_heuristics_decide_what_is_clear_without_the_judge(project, mode):
    """Only what they find wrong goes to a judge, for a new call; the judge's own verdict on it does not count."""
    said = {("judge", "format", "space"): f"A space. <judge>False</judge><NewFC>{GHENT}</NewFC>"}
    with serve(said, PLAIN) as server:
        write_project(project, server.url, PLAIN, fcdr={"mode": mode, "undecided": "keep"})
        stage("generate", "r0")
        for check in ("response", "query_tool", "cot", "call", "format"):
            stage("refine", check, "r0")
        asked = [body["messages"][-1]["content"] for body in server.asked]
    call, form = ledger("4_call"), ledger("5_format")
    assert call["fine"]["attempts"] == form["fine"]["attempts"] == 0
    assert call["undeclared"]["heuristics"]["value"] is False and call["undeclared"]["action"] == "hard"
    if mode == "heuristics":
        assert not asked and form["space"]["action"] == "hard"
        # No judge could have written a new call, so its absence is not the reason.
        assert form["space"]["reason"] == form["space"]["heuristics"]["reason"]
    else:
        assert (form["space"]["action"], form["space"]["new_answer"]) == ("regenerate", GHENT)
        assert not any("<answer>\n" + GHENT in text for text in asked)
    counted = read_details(project / "metrics/r0/5_format.json")
    assert counted["by_heuristics"] == counted["questions"] and counted["without_judge"] >= 1
