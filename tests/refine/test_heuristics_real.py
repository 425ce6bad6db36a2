"""The heuristics on real rows, where they lie beside the checkout: what docs/heuristics.md says, with some room."""

import sys
from collections import Counter

import pytest

from funreason.config import load_params
from funreason.heuristics import heuristic_result

from .conftest import REPO

DATA = REPO.parent / "shared" / "data" / "real"
LIMITS = load_params(REPO / "profiles" / "toy.yaml").fcdr.verifier
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real rows in {DATA}")


@pytest.fixture(scope="module")
def rows():
    sys.path.insert(0, str(REPO / "benchmarks"))
    try:
        from real_rows import read_real_rows
    finally:
        sys.path.pop(0)
    return read_real_rows(DATA)[0][::4]


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
