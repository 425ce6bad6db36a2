"""BFCL's format sensitivity: gold in all 26 forms through prompts, scorer and numbers."""

import json
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

import pytest

from funreason.audit.bfcl_gold import gold_calls
from funreason.calls import Call, render
from funreason.config.params import check_params
from funreason.config.yamlio import read_yaml
from funreason.core.errors import ParamsError
from funreason.evaluate import bfcl
from funreason.evaluate.answers import ScoredAnswer
from funreason.evaluate.bfcl_metrics import FORMATS, expand, formats, official_metrics
from funreason.llm import Response

from .workspace import ROOT

CATEGORIES = ("simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple",
              "live_parallel", "live_parallel_multiple")  # fmt: skip
TYPES = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", tuple: "tuple", dict: "dict",
         type(None): "null"}  # fmt: skip


def written(calls: Sequence[Call], form: str) -> str:
    """The calls as the prompt of a form asks for them."""
    options = dict(part.split("=") for part in form.split("&"))
    text = {"python": render, "json": _json, "verbose_xml": _verbose, "concise_xml": _concise}[options["ret_fmt"]](
        calls
    )
    return f"<TOOLCALL>{text}</TOOLCALL>" if options["tool_call_tag"] == "True" else text


def _json(calls: Sequence[Call]) -> str:
    return json.dumps([{"function": call.name, "parameters": call.arguments} for call in calls])


def _verbose(calls: Sequence[Call]) -> str:
    def param(name, value):
        return f"<param name={quoteattr(name)} value={_quoted(value)} {_type(value)}/>"

    return _functions(calls, param, "<params>{}</params>")


def _concise(calls: Sequence[Call]) -> str:
    def param(name, value):
        return f"<param name={quoteattr(name)} {_type(value)}>{escape(str(value))}</param>"

    return _functions(calls, param, "{}")


def _functions(calls, param, around) -> str:
    parts = [
        f"<function name={quoteattr(call.name)}>"
        + around.format("".join(param(name, value) for name, value in call.arguments.items()))
        + "</function>"
        for call in calls
    ]
    return f"<functions>{''.join(parts)}</functions>"


def _quoted(value) -> str:
    return quoteattr(str(value), {"\n": "&#10;", "\t": "&#9;"})


def _type(value) -> str:
    return f'type="{TYPES[type(value)]}"'


@pytest.mark.slow
def test_gold_in_all_forms(mode):
    """20 questions; a wrong answer, and Python where another form is asked, are wrong."""
    prompts = bfcl.official_prompts("bfcl", [FORMATS], 20, mode)
    assert len(prompts) == 520 and len({prompt.messages[0]["content"] for prompt in prompts[:26]}) == 26
    gold = {name: calls for category in CATEGORIES for name, calls in gold_calls(category, "v4").items()}
    answers = [written(gold[prompt.id.split(":")[2]], prompt.id.split(":")[1]) for prompt in prompts]
    answers[0], answers[-1] = "[nothing()]", "no call"
    rows = bfcl.score(prompts, [Response(text, "stop", 0, 0) for text in answers], {"bfcl": None}, mode)
    wrong = {row.id for row in rows if not row.correct}
    # The official parser of JSON ends at the first list of objects inside the arguments.
    nested = {
        prompt.id for prompt in prompts if "ret_fmt=json" in prompt.id and prompt.id.endswith(":simple_python_96")
    }
    assert wrong == {prompts[0].id, prompts[-1].id} | nested and len(nested) == 6
    figures = official_metrics(rows, 20, "v4")
    assert figures["categories"][FORMATS]["partial"] and figures["overall"] is None
    assert figures["when_to_call"]["calls_wanted"] is None
    by_form = figures["format_sensitivity"]
    assert len(by_form["forms"]) == 26 and by_form["max_delta"] == 5.0
    python = [render(gold[prompt.id.split(":")[2]]) for prompt in prompts]
    rows = bfcl.score(prompts, [Response(text, "stop", 0, 0) for text in python], {"bfcl": None}, mode)
    right = {row.id.split(":")[1].split("&prompt")[0] for row in rows if row.correct}
    assert right == {f"ret_fmt=python&tool_call_tag=False&func_doc_fmt={name}" for name in ("python", "xml", "json")}


def test_numbers_as_in_the_official_runner():
    rows = [
        ScoredAnswer("bfcl", FORMATS, f"{FORMATS}_{number}:{form}:simple_python_1", "", correct=correct)
        for number, (form, correct) in enumerate([("a", True), ("a", True), ("b", True), ("b", False), ("c", False)])
    ]
    found = formats(rows)
    assert (found["std"], found["max_delta"]) == (50.0, 100.0) and list(found["forms"]) == ["a", "b", "c"]
    assert formats([]) is None and FORMATS not in expand(["single_turn", "multi_turn"])


def test_the_covered_weight_of_the_leaderboard():
    def covered(version: str, *names: str) -> float:
        rows = [ScoredAnswer("bfcl", name, f"{name}_0", "") for name in expand(names)]
        return official_metrics(rows, 1, version)["covered_weight"]

    assert covered("v4", "single_turn", "multi_turn") == 0.6 and covered("v3", "single_turn", "multi_turn") == 1.0
    assert covered("v4", "single_turn") == 0.3 and covered("v4", "live", "irrelevance") == 0.2
    assert covered("v4", "multiple") == 0


def test_v3_has_no_forms_and_no_memory():
    params = read_yaml(ROOT / "profiles/toy.yaml")
    params["evaluate"]["bfcl"] |= {"version": "v3", "categories": [FORMATS, "memory"]}
    with pytest.raises(ParamsError, match="v3 has no format_sensitivity, memory; leave it out"):
        check_params(params, "params.yaml")
