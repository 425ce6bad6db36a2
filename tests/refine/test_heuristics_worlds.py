"""The heuristics on whole data sets: planted cases of the toy world, and BFCL's gold answers."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from calls.bfcl_data import LIVE, NON_LIVE, data_folder, gold, rows

from funreason.calls import Call, parse, render, validate
from funreason.heuristics import heuristic_result
from funreason.heuristics.checks import fits_at_a_glance
from funreason.heuristics.comparison import compare
from funreason.prompts import CHECKS
from funreason.toy.tools import split

from .trips import TOOLS, row, toy_rows

# Least fraction decided of all cases, least of those that should pass, greatest fraction of wrong among clear results.
BOUNDS = {
    "response": (1.0, 1.0, 0.0),
    "query_tool": (0.89, 0.97, 0.005),
    "cot": (0.92, 0.97, 0.0),
    "call": (0.9, 0.9, 0.0),
    "format": (1.0, 1.0, 0.0),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("tools", [0, 1], ids=["known", "new"])
def test_planted_cases_are_decided_and_right(check, tools):
    results = [
        (heuristic_result(check, sample).value, passed) for sample, passed in toy_rows(check, 400, split()[tools])
    ]
    clear = [(value, passed) for value, passed in results if value is not None]
    decided, of_good, wrong = BOUNDS[check]
    assert len(clear) >= decided * len(results)
    assert sum(passed for _, passed in clear) >= of_good * sum(passed for _, passed in results)
    assert sum(value != passed for value, passed in clear) <= wrong * len(clear)


def test_a_sound_query_does_not_fail_for_a_wrong_answer():
    """The row would be dropped, while the call check can correct the answer."""
    results = Counter(heuristic_result("query_tool", sample).value for sample, _ in toy_rows("call", 600))
    assert results[False] == 0 and results[True] > 280


def test_a_changed_number_or_date_never_passes_the_call_check():
    rng, seen = random.Random(1), 0
    for sample, passed in toy_rows("call", 300):
        calls = parse(sample.answer) if passed and heuristic_result("format", sample).value else []
        numbers = [
            (call, key) for call in calls for key, value in call.arguments.items() if type(value) in (int, float)
        ]
        if heuristic_result("call", sample).value and numbers:
            call, key = rng.choice(numbers)
            call.arguments[key] += rng.choice((1, -1, 0.5 if isinstance(call.arguments[key], float) else 2))
            assert heuristic_result("call", replace(sample, answer=render(calls))).value is not True, sample
            seen += 1
    assert seen > 40


def test_calls_that_fit_at_a_glance_are_valid():
    """The validator, which is then skipped, has no problem with them."""
    rng, fits = random.Random(2), 0
    values = ["Ghent", "km", "feet", 3, 3.0, True, None, [1], {"a": 1}, ""]
    for _ in range(2000):
        tool = rng.choice(TOOLS)
        keys = rng.sample([*tool["parameters"], "other"], rng.randint(0, len(tool["parameters"])))
        sample = row(render([{"name": tool["name"], "arguments": {key: rng.choice(values) for key in keys}}]))
        comparison = compare(sample, sample.query)
        if fits_at_a_glance(comparison):
            assert validate(comparison.calls, TOOLS) == []
            fits += 1
    assert fits > 20


@pytest.mark.skipif(data_folder() is None, reason="no .venv-bfcl: run make setup")
def test_gold_answers_of_bfcl():
    """Gold answers hardly ever fail, and hardly ever pass once they have a value of another row."""
    rng, gold_rows, others, clear, passed = random.Random(4), [], {}, Counter(), Counter()
    for category in NON_LIVE + LIVE:
        asked = {
            row["id"]: row["question"][0][-1]["content"] for row in rows(data_folder() / f"BFCL_v4_{category}.json")
        }
        gold_rows += [(asked[name], tools, options) for name, tools, options in gold(category)]
    for _, _, options in gold_rows:
        for call in options[0]:
            for key, value in call.arguments.items():
                others.setdefault((key, type(value)), []).append(value)
    for query, tools, options in gold_rows:
        assert heuristic_result("query_tool", row(render(options[0]), query, tools=tools)).value is not False
        result = heuristic_result("call", row(render(options[0]), query, tools=tools))
        clear[result.value, result.reason == "a call does not fit its tool"] += 1
        calls = [Call(call.name, dict(call.arguments)) for call in options[0]]
        slots = [(call, key) for call in calls for key in call.arguments]
        if slots:
            call, key = rng.choice(slots)
            call.arguments[key] = rng.choice(others[key, type(call.arguments[key])])
            if all(calls != option for option in options):
                passed[heuristic_result("call", row(render(calls), query, tools=tools)).value] += 1
    assert clear[True, False] > 0.1 * len(gold_rows)
    assert clear[False, False] <= 0.01 * clear[True, False]
    assert passed[False] > 0.1 * passed.total()
    assert passed[True] <= 0.005 * passed.total()
