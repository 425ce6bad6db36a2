"""The official gold answers, through our road from text to score, reach the known ceilings; wrong ones reach 0.

The ceilings are below 100 % where the official parser cannot read its own possible answers, or where they contradict
each other or their tools. Of Java it keeps the quotes in an array of strings (8 rows) or in a list of anything (2), and
loses what a new map is filled with (3).
"""

import pytest

from funreason.core.errors import FunReasonError
from funreason.evaluate import bfcl
from funreason.evaluate.bfcl_metrics import CATEGORIES, official_metrics, size
from funreason.llm import Response
from funreason.report.page.ceilings import GOLD
from funreason.sandbox.scorer import scorer_python

from .gold import gold_texts, official_data

NO_CALL = "None of the functions can be used."
V3_NAMES = {"simple_python": "simple", "simple_java": "java", "simple_javascript": "javascript"}


@pytest.fixture(scope="module", params=["v4", "v3"])
def release(request, mode):
    """(version, prompts, {id: gold text}) of all single-turn categories."""
    version = request.param
    try:
        scorer_python(bfcl.ENVIRONMENTS[version])
    except FunReasonError:
        pytest.skip(f"no environment {bfcl.ENVIRONMENTS[version]}: make bfcl3")
    prompts = bfcl.official_prompts("bfcl", CATEGORIES, None, mode, version)
    gold = {}
    for name in CATEGORIES:
        if "relevance" not in name:
            gold |= gold_texts(official_data(version), V3_NAMES.get(name, name) if version == "v3" else name)
    return version, prompts, gold


def metrics(release, texts: list[str], mode: str) -> dict:
    version, prompts, _ = release
    rows = bfcl.score(prompts, [Response(text, "stop", 1, 1) for text in texts], {"bfcl": None}, mode, version)
    return official_metrics(rows, None, version)


def test_gold_reaches_the_ceilings(release, mode):
    """Written as a reasoning model would: half of the answers come after a call that was only thought of."""
    version, prompts, gold = release
    marks = ["", "<think>Perhaps [f(a=1)]?</think>\n\n"]
    named = {prompt.id: "[any_call(a=1)]" if prompt.category == "live_relevance" else NO_CALL for prompt in prompts}
    texts = [marks[number % 2] + (named | gold)[prompt.id] for number, prompt in enumerate(prompts)]
    figures = metrics(release, texts, mode)
    assert not figures["partial"]
    correct = {name: part["correct"] for name, part in figures["categories"].items()}
    assert correct == {name: GOLD[version][name][0] for name in CATEGORIES}
    assert {name: of for name, (_, of) in GOLD[version].items()} == {
        name: size(name, version) for name in GOLD[version]
    }


def test_wrong_answers_score_nothing(release, mode):
    """A function that is not there where a call is wanted, a call where none is, and talk where any call would do."""
    _, prompts, _ = release
    texts = [NO_CALL if prompt.category == "live_relevance" else "[no_such_function(a=1)]" for prompt in prompts]
    figures = metrics(release, texts, mode)
    assert {name: part["correct"] for name, part in figures["categories"].items()} == dict.fromkeys(CATEGORIES, 0)
    assert figures["overall"]["accuracy"] == 0.0
