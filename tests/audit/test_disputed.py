"""Disputed rows of BFCL: the list is what the data say, and scores without them stand beside the official ones."""

from pathlib import Path

import pytest

from funreason.audit.disputed import disputed, disputed_acebench
from funreason.core.errors import FunReasonError
from funreason.evaluate import acebench_metrics, bfcl
from funreason.evaluate.acebench import AceVerdict
from funreason.evaluate.acebench_data import LANGUAGES
from funreason.evaluate.answers import ScoredAnswer
from funreason.evaluate.bfcl_metrics import official_metrics
from funreason.evaluate.disputed import disputed_rows
from funreason.llm import Response
from funreason.sandbox import isolation
from funreason.sandbox.scorer import scorer_python

ACEBENCH = Path(__file__).parents[3] / "shared/data/acebench"


def require(version: str) -> None:
    try:
        scorer_python(bfcl.ENVIRONMENTS[version])
    except FunReasonError:
        pytest.skip(f"no environment {bfcl.ENVIRONMENTS[version]}: make bfcl3")


@pytest.mark.slow
@pytest.mark.parametrize("version", ["v4", "v3"])
def test_the_list_is_what_the_data_say(version):
    require(version)
    assert disputed(version, isolation.resolve("auto")) == disputed_rows(version)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_is_what_acebench_says(language):
    if not ACEBENCH.is_dir():
        pytest.skip("no ACEBench beside the checkout")
    assert disputed_acebench(ACEBENCH, language) == disputed_rows(f"acebench_{language}")


def test_acebench_scores_without_disputed_rows():
    names = [next(iter(disputed_rows("acebench_en"))), *(f"normal_single_turn_single_function_{n}" for n in (1, 2))]
    category = "normal_single_turn_single_function"
    rows = [AceVerdict("acebench_en", category, name, "", name != names[0], dialogue=name) for name in names]
    table = acebench_metrics.metrics(rows, [], 3)["en"]
    assert (table["categories"][category]["correct"], table["categories"][category]["n"]) == (2, 3)
    left = table["undisputed"]
    assert left["left_out"] == 1 and left["normal"] is None and left[category]["accuracy"] == 1
    assert acebench_metrics.metrics(rows[1:], [], 2)["en"]["undisputed"] is None


def test_rows_that_the_official_checker_refuses_itself_are_listed():
    refused = {"parallel_multiple_12", "parallel_multiple_26", "live_simple_106-63-0", "live_simple_112-68-0",
               "live_multiple_507-149-4", "live_multiple_862-181-3", "live_multiple_964-207-0"}  # fmt: skip
    assert refused <= disputed_rows("v4").keys() and len(disputed_rows("v4")) < 30


def test_scores_without_disputed_rows():
    ids = ["parallel_multiple_12", "parallel_multiple_13", "parallel_multiple_14"]
    rows = [ScoredAnswer("bfcl", "parallel_multiple", name, "", name != ids[0]) for name in ids]
    figures = official_metrics(rows, 3, "v4")
    assert figures["categories"]["parallel_multiple"]["correct"] == 2
    left = figures["undisputed"]
    assert left["left_out"] == 1 and left["overall"] is None
    assert (left["parallel_multiple"]["accuracy"], left["parallel_multiple"]["n"]) == (1.0, 2)
    assert official_metrics(rows[1:], 2, "v4")["undisputed"] is None


@pytest.mark.slow
def test_all_18_rows_of_live_relevance_in_v3_are_scored_apart():
    """Two rows have one id there: a wrong answer to one of them leaves the other right."""
    require("v3")
    mode = isolation.resolve("auto")
    prompts = bfcl.official_prompts("bfcl", ["live_relevance"], None, mode, "v3")
    assert len({prompt.id for prompt in prompts}) == 18
    for wrong in ("live_relevance_3-3-0", "live_relevance_3-3-1"):
        texts = ["No tool fits." if prompt.id == wrong else "[any(a=1)]" for prompt in prompts]
        rows = bfcl.score(prompts, [Response(text, "stop", 0, 0) for text in texts], {"bfcl": None}, mode, "v3")
        assert [row.id for row in rows if not row.correct] == [wrong]
