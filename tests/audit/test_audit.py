"""The audit of the scorers finds what is known of them, and its plants are wrong."""

import argparse
import re
from itertools import islice

import pytest
from code_closure import ROOT

from funreason.audit import scorers
from funreason.audit.plants import KINDS, every_diagnosis
from funreason.calls import Call
from funreason.cli import audit
from funreason.core.errors import FunReasonError
from funreason.evaluate import acebench
from funreason.sandbox import isolation
from funreason.sandbox.scorer import scorer_python

DATA = ROOT.parent / "shared" / "data"  # beside the checkout, on machines without the internet


def found(findings, count: int) -> dict:
    return {(each.scorer, each.kind): (each.passed, each.answers) for each in islice(findings, count)}


@pytest.mark.slow
def test_bfcl_lets_hardly_anything_pass():
    assert found(scorers.of_bfcl("v4", isolation.resolve("auto")), 4) == {
        ("BFCL v4", "gold"): (2304, 2311), ("BFCL v4", "number"): (1, 1031), ("BFCL v4", "boolean"): (12, 427),
        ("BFCL v4", "padded string"): (0, 1947),
    }  # fmt: skip


@pytest.mark.slow
def test_acebench_compares_no_number_and_no_boolean():
    if not (DATA / "acebench").is_dir():
        pytest.skip("no ACEBench in shared/data/acebench, beside the checkout")
    try:
        scorer_python(acebench.ENVIRONMENT)
    except FunReasonError:
        pytest.skip(f"no environment {acebench.ENVIRONMENT}: make acebench")
    findings = found(scorers.of_acebench(str(DATA / "acebench"), "en", isolation.resolve("auto")), 10)
    official = {kind: counts for (scorer, kind), counts in findings.items() if "strict" not in scorer}
    strict = {kind: counts for (scorer, kind), counts in findings.items() if "strict" in scorer}
    assert official == {
        "gold": (598, 600), "gold dialogues": (75, 100), "number": (89, 90), "boolean": (43, 43),
        "padded string": (421, 423),
    }  # fmt: skip
    assert strict == {
        "gold": (600, 600), "gold dialogues": (100, 100), "number": (0, 90), "boolean": (0, 43),
        "padded string": (0, 423),
    }  # fmt: skip


def test_api_bank_lets_more_calls_than_one_pass():
    """The published rule: any call of an answer may be the right one."""
    if not (DATA / "api-bank").is_dir():
        pytest.skip("no API-Bank in shared/data/api-bank, beside the checkout")
    findings = found(scorers.of_api_bank(str(DATA / "api-bank"), "none"), 99)
    passed = {kind: counts for (_, kind), counts in findings.items() if counts[0]}
    assert passed == {"gold": (597, 597), "call repeated": (597, 597)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_plant_differs_from_gold_or_is_none(kind):
    calls = [Call("f", {"n": 1, "b": False, "s": "x"}), Call("g", {})]
    planted = KINDS[kind](calls)
    assert (
        planted is not None and planted != calls and calls == [Call("f", {"n": 1, "b": False, "s": "x"}), Call("g", {})]
    )
    if kind in ("number", "boolean", "padded string", "other string", "last argument left out", "call left out"):
        assert KINDS[kind]([Call("f", {})]) is None


def test_true_is_not_a_number():
    (call,) = KINDS["number"]([Call("f", {"b": True, "n": 2.5})])
    assert call.arguments == {"b": True, "n": 3.5}


def test_every_diagnosis_names_everything():
    text = every_diagnosis({"api": ["a", "b"]})
    assert "parameters (a, b, api) for the api (api)" in text and "limitations" in text
    assert "There is incorrect value (a, b) for the parameters (api)" in text
    assert "limitations" in every_diagnosis("a sentence")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--acebench", "/nowhere"], "/nowhere/data_en/data_normal_single_turn_single_function.json does not exist"),
        (["--acebench", "/nowhere", "--languages", "de"], "--languages names de; allowed are en, zh"),
        (["--acebench", "/nowhere", "--out", "/proc/new/audit.json"], "nothing can be written into /proc/new"),
    ],
)
def test_what_cannot_be_audited_is_told_before_anything_is_scored(arguments, problem, capsys):
    parser = argparse.ArgumentParser()
    audit.add(parser)
    parsed = parser.parse_args(["--scorers", "humaneval,acebench", "--sandbox", "none", *arguments])
    with pytest.raises(FunReasonError, match=re.escape(problem)):
        parsed.run(parsed)
    assert not capsys.readouterr().out
