"""The heuristics on real rows, where they lie beside the checkout: what docs/heuristics.md says, with some room."""

import json
import sys
from collections import Counter
from importlib.resources import files

import pytest

from funreason.config import load_params
from funreason.heuristics import heuristic_result
from funreason.heuristics.habits import Habits

from .conftest import REPO

DATA = REPO.parent / "shared" / "data" / "real"
LIMITS = load_params(REPO / "profiles" / "toy.yaml").fcdr.verifier
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real rows in {DATA}")


@pytest.fixture(scope="module")
def benchmark():
    """The module benchmarks/real_rows.py."""
    sys.path.insert(0, str(REPO / "benchmarks"))
    try:
        import real_rows
    finally:
        sys.path.pop(0)
    return real_rows


@pytest.fixture(scope="module")
def rows(benchmark):
    return benchmark.read_real_rows(DATA)[0][::4]


def test_the_verifier_was_fitted_on_the_evidence_that_there_is_now(benchmark, rows):
    """Else fit it again: python benchmarks/fit_verifier.py ../shared/data/real --write."""
    fit = json.loads(files("funreason.heuristics").joinpath("verifier.json").read_text())
    means = benchmark.mean_evidence(rows[:: benchmark.REFERENCE // 4], Habits(**fit["habits"]))
    assert means == pytest.approx(fit["evidence"], abs=1e-3)


@pytest.mark.parametrize(
    ("check", "decided", "wrong"), [("query_tool", 0.7, 0.01), ("cot", 0.7, 0.01), ("call", 0.5, 0.015)]
)
def test_most_sound_answers_are_decided_and_few_rows_wrongly(rows, check, decided, wrong):
    counts = Counter()
    for row in rows:
        if check in row.truth:
            result = heuristic_result(check, row.sample, LIMITS)
            if result.reason != "a call does not fit its tool":  # it breaks its own tool's schema, whatever its label
                counts[row.group, row.truth[check], result.value] += 1
    right = {value: counts["right", True, value] for value in (True, False, None)}
    assert right[True] + right[False] >= decided * sum(right.values())
    clear = {key: count for key, count in counts.items() if key[2] is not None}
    assert sum(count for (_, truth, value), count in clear.items() if truth != value) <= wrong * sum(clear.values())
