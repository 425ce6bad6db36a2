"""A check that removes most rows, or leaves most undecided, stops its stage and says why."""

from contextlib import nullcontext

import pytest

from funreason.config import load_params
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.ledger.results import CheckResult
from funreason.refine.checks import CHECKS
from funreason.refine.guard import MIN_ROWS, Guard
from funreason.refine.loop import run
from funreason.refine.metrics import CheckMetrics
from funreason.refine.modes import HeuristicsFirst
from funreason.refine.panel import with_recipe_panel

from .conftest import REPO
from .rows import GHENT, TOOLS

PARAMS = load_params(REPO / "profiles" / "toy.yaml")
FCDR = PARAMS.fcdr.model_copy(update={"mode": "heuristics"})


def guarded(removed: int, undecided: int, rows: int, **changes) -> Guard:
    guard = Guard("cot", FCDR.model_copy(update=changes))
    for number in range(rows):
        if number < removed:
            guard.add(CheckResult(str(number), "cot", "fail", "drop", "reasoning does not lead to the answer"))
        elif number < removed + undecided:
            said = {"value": None, "reason": "the query may ask for more", "evidence": {}}
            guard.add(CheckResult(str(number), "cot", "undecided", "keep", "unclear", heuristics=said))
        else:
            guard.add(CheckResult(str(number), "cot", "pass", "keep", ""))
    return guard


def test_too_many_removed_rows_stop_the_check_with_counts_reasons_and_the_parameter():
    with pytest.raises(DataError) as error:
        guarded(removed=101, undecided=0, rows=200).stop_if_emptying()
    for text in ("check cot removed 101 of its 200 rows", "fcdr.max_removed allows 50%",
                 "101 reasoning does not lead to the answer (as row '0')", "or raise fcdr.max_removed"):  # fmt: skip
        assert text in str(error.value)


def test_too_many_undecided_rows_stop_the_check_with_the_reasons_of_the_heuristics():
    with pytest.raises(DataError) as error:
        guarded(removed=0, undecided=170, rows=200).stop_if_emptying()
    assert "left undecided 170 of its 200 rows (85%), fcdr.max_undecided allows 80%" in str(error.value)
    assert "170 the query may ask for more (as row '0')" in str(error.value)


@pytest.mark.parametrize(("answer", "stops"), [(GHENT, True), ("No tool fits.", False), ("[]", False)])
def test_calls_that_are_taken_for_statements_count_as_removed(answer, stops):
    """A judge that calls every answer a statement would let all of them skip the other checks."""
    guard = Guard("response", FCDR)
    for number in range(MIN_ROWS):
        statement = Sample(str(number), "The weather in Ghent for 3 days?", TOOLS, "", answer, kind="statement")
        guard.add(CheckResult(str(number), "response", "fail", "keep", "statement", sample=statement))
    problem = "check response removed 100 of its 100 rows.*100 calls taken for a statement"
    with pytest.raises(DataError, match=problem) if stops else nullcontext():
        guard.stop_if_emptying()


@pytest.mark.parametrize("removed", [150, 0])
def test_the_remedy_is_one_that_the_mode_has(removed):
    """Without a judge there is none to change; with judges the mode is no remedy for what they leave undecided."""
    messages = []
    for mode in ("heuristics", "judge", "cascade"):
        with pytest.raises(DataError) as error:
            guarded(removed, undecided=200 - removed, rows=200, mode=mode).stop_if_emptying()
        messages.append(str(error.value))
    assert ["the judge" in message for message in messages] == [False, True, True]
    assert "fcdr.mode" in messages[0]


@pytest.mark.parametrize(
    ("removed", "undecided", "rows", "changes"),
    [(100, 0, 200, {}), (0, 160, 200, {}), (200, 0, 200, {"max_removed": 1.0}), (50, 0, 50, {"max_removed": 1.0}),
     (0, 200, 200, {"max_undecided": 1.0}), (9, 0, 9, {}), (25, 0, 50, {}), (0, 16, 20, {})],
)  # fmt: skip
def test_what_the_parameters_allow_goes_on(removed, undecided, rows, changes, caplog):
    guarded(removed, undecided, rows, **changes).stop_if_emptying()
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("removed", "undecided", "rows", "problem"),
    [(10, 0, 10, "removed 10 of its 10 rows (100%)"), (30, 0, 50, "removed 30 of its 50 rows"),
     (99, 0, MIN_ROWS - 1, "removed 99 of its 99"), (0, 30, 30, "left undecided 30 of its 30")],
)  # fmt: skip
def test_a_check_that_empties_a_round_of_few_rows_warns_and_goes_on(removed, undecided, rows, problem, caplog):
    guarded(removed, undecided, rows).stop_if_emptying()
    assert f"check cot {problem}" in caplog.text and "fcdr.max_" in caplog.text


@pytest.mark.parametrize(("action", "problem"), [("drop", "removed"), ("keep", "left undecided")])
def test_statements_that_skip_a_check_do_not_dilute_its_fractions(action, problem):
    guard = guarded(removed=0, undecided=0, rows=0)
    for number in range(2 * MIN_ROWS):
        guard.add(CheckResult(f"s{number}", "cot", "skip", "keep", "statement"))
        if number < MIN_ROWS:
            guard.add(CheckResult(str(number), "cot", "undecided", action, "unclear"))
    with pytest.raises(DataError, match=rf"{problem} 100 of its 100 rows \(100%\)"):
        guard.stop_if_emptying()


def test_a_check_that_drops_what_it_cannot_decide_says_which_parameter_keeps_it():
    """The rows are sound, but their query takes words that the heuristics do not know."""
    samples = [Sample(str(n), "Wie wird das Wetter?", TOOLS, "", "[]") for n in range(MIN_ROWS)]
    fcdr = FCDR.model_copy(update={"undecided": "drop"})
    with pytest.raises(DataError, match="most are undecided and fcdr.undecided is drop: set it to likely or keep"):
        list(run(CHECKS["call"], samples, HeuristicsFirst(None, fcdr.verifier), fcdr, CheckMetrics()))
    sound = [Sample(str(n), "The weather in Ghent for 3 days?", TOOLS, "", GHENT) for n in range(MIN_ROWS)]
    results = list(run(CHECKS["call"], sound, HeuristicsFirst(None, FCDR.verifier), FCDR, CheckMetrics()))
    assert all(result.goes_on for result in results)


def test_an_hdr_round_is_not_guarded_since_its_queries_failed_before():
    hdr = load_params(REPO / "profiles" / "toy.yaml")
    rounds = hdr.rounds | {"h1": hdr.rounds["r1"].model_copy(update={"recipe": "hdr"})}
    of_round = with_recipe_panel(hdr.model_copy(update={"rounds": rounds}), "h1")
    assert (of_round.fcdr.max_removed, of_round.fcdr.max_undecided) == (1.0, 1.0)
    assert with_recipe_panel(hdr, "r0").fcdr.max_removed == 0.5
