"""Several samples of a query: one with the call that most of them make is kept, and the ledger says how many agree."""

from collections import Counter

import pytest
from llm import http_server
from llm.http_server import completion

from funreason.config import check_params
from funreason.core.errors import ParamsError
from funreason.core.jsonio import read_details
from funreason.core.records import Sample
from funreason.ledger.results import CheckResult
from funreason.refine.agreement import agreeing

from .conftest import CHECKS, rows, stage, write_project
from .rows import GHENT, OSLO, TOOLS
from .test_panel import settings

SWAPPED = "[get_weather(days=3, city='Ghent')]"


def drawn(*answers: str | None) -> list[CheckResult]:
    """Results of generate; None is a sample that was dropped."""
    return [
        CheckResult(
            f"q#{at}", "generate", "pass", "keep", "sampled", 1, sample=Sample(f"q#{at}", "?", TOOLS, "c", answer)
        )
        if answer
        else CheckResult(f"q#{at}", "generate", "fail", "drop", "empty answer", 1)
        for at, answer in enumerate(answers)
    ]


@pytest.mark.parametrize(
    ("answers", "agreement", "actions"),
    [
        ((OSLO, GHENT, SWAPPED), 0.5, ("not_selected", "keep", "not_selected")),  # the order of arguments is no matter
        ((GHENT, OSLO), 0.5, ("keep", "not_selected")),  # of equally many, the first
        ((GHENT, OSLO, "[get_weather(city='Rome')]"), 0.5, ("drop", "drop", "drop")),
        ((GHENT, None, None), 0.5, ("drop", "drop", "drop")),  # dropped samples agree with nobody
        ((None, GHENT, GHENT), 0.6, ("drop", "keep", "not_selected")),
        (("I cannot (yet).", "No tool fits.", GHENT), 0.6, ("keep", "not_selected", "not_selected")),
        (("[f(a=1, a=2)]", "[g(b=", "{h: 3}"), 0.5, ("drop", "drop", "drop")),  # calls that cannot be read
        ((GHENT, "[g(b=", "I cannot."), 0.5, ("drop", "drop", "drop")),
        ((GHENT, OSLO), 0.0, ("keep", "keep")),
        ((GHENT,), 1.0, ("keep",)),
        ((None, None), 0.5, ("drop", "drop")),
    ],
)
def test_the_first_sample_with_the_most_frequent_call_is_kept(answers, agreement, actions):
    results = agreeing(drawn(*answers), agreement)
    assert [result.action for result in results] == list(actions)
    assert [result.id for result in results] == [f"q#{at}" for at in range(len(answers))]
    for answer, result in zip(answers, results, strict=True):
        assert result.goes_on == bool(result.sample)
        if answer and not result.goes_on:
            assert result.votes[0]["text"] == answer and "samples agree" in result.reason


def test_agreement_of_one_sample_is_refused():
    values = settings()
    values["recipes"]["distill"]["agreement"] = 0.5
    with pytest.raises(ParamsError, match="one sample agrees with itself, draw more"):
        check_params(values, "params.yaml")


def test_a_round_keeps_one_sample_per_query_and_the_outcomes_add_up(project):
    """A teacher that wavers on one query of two, and a judge that accepts everything."""
    tasks = [
        {"id": name, "query": f"Three days in {name}?", "tools": TOOLS, "answers": []} for name in ("Ghent", "Rome")
    ]
    asked: Counter[str] = Counter()

    def answer(body: dict) -> dict:
        prompt = body["messages"][-1]["content"]
        if "<answer>" in prompt or "<judge>" in prompt:
            return completion("Right. <judge>True</judge>")
        asked[prompt] += 1
        days = 3 if "Ghent" in prompt and asked[prompt] != 2 else asked[prompt]
        return completion(f"<think>I think.</think>\n\n[get_weather(city='Ghent', days={days})]")

    with http_server.serve(answer=answer) as server:
        recipes = settings()["recipes"]
        recipes["distill"] |= {"samples": 3, "agreement": 0.6, "temperature": 0.7}
        write_project(project, server.url, tasks, recipes=recipes)
        for name in ("generate", *CHECKS, "validate"):
            stage(*((name, "r0") if name in ("generate", "validate") else ("refine", name, "r0")))
    ledger = {row["id"]: row for row in rows("data/r0/0_generate.ledger.jsonl")}
    kept = [row["id"] for row in rows("data/r0/train.jsonl")]
    assert len(kept) == 1 and kept[0].startswith("r0/Ghent#")
    assert ledger[kept[0].removeprefix("r0/")]["reason"] == "2 of 3 samples agree"
    found = read_details(project / "metrics/r0/0_generate.json")
    assert (found["in"], found["out"], found["not_selected"], found["dropped"]) == (6, 1, 2, 3)
    outcomes = read_details(project / "metrics/r0/6_validate.json")["outcomes"]
    assert outcomes["kept"] == 1 and outcomes["not_selected"] == 2 and outcomes["dropped"] == 3


def test_an_endless_word_takes_no_longer_than_it_is_read():
    """A search that starts anew at each letter would take hours for a million of them."""
    results = agreeing(drawn("a" * 1_000_000, "a" * 1_000_000, GHENT), 0.5)
    assert [result.action for result in results] == ["keep", "not_selected", "not_selected"]


def test_a_query_whose_kept_sample_is_hard_stays_hard():
    """Samples that generate did not select were never judged: they do not solve the query."""
    from funreason.ledger.outcomes import RowHistory, is_left_hard

    kept, other = agreeing(drawn(GHENT, GHENT), 0.5)
    failed = CheckResult("q#0", "call", "fail", "hard", "calls still wrong", sample=kept.sample)
    histories = [RowHistory("q#0", [kept, failed], kept.sample), RowHistory("q#1", [other], None)]
    assert [history.outcome().name for history in histories] == ["hard", "not_selected"]
    assert is_left_hard(histories, any_failure=False)
