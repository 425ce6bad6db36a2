"""EvalPlus through our road: its gold passes, wrong answers fail, forgers fail, missing data are told."""

import gzip
import json
import subprocess

import pytest
from code_closure import ROOT

from funreason.core.errors import DataError
from funreason.evaluate import code_bench, evalplus
from funreason.evaluate.code_text import extract
from funreason.llm import Response
from funreason.sandbox.scorer import scorer_python

from .disguises import DISGUISES, missing

pytestmark = pytest.mark.slow

DATA = ROOT.parent / "shared" / "data"  # beside the checkout, on machines without the internet
SLOW = "Mbpp/599"  # 40 s of CPU time, as much as all others; EvalPlus kills it after a minute


@pytest.fixture(params=["humaneval+", "mbpp+"])
def benchmark(request) -> str:
    if not (DATA / f"{evalplus.FILES[request.param]}.gz").exists():
        pytest.skip(f"no {evalplus.FILES[request.param]}.gz in {DATA}")
    return request.param


def quick_problems(benchmark: str) -> list[dict]:
    return [row for row in evalplus.load_problems(benchmark, DATA) if row["task_id"] != SLOW]


def test_gold_passes_and_wrong_fails(benchmark, mode):
    """Gold as a reasoning model would write it: all pass, HumanEval/32, too, which EvalPlus by itself fails."""
    problems = quick_problems(benchmark)
    assert len(problems) == {"humaneval+": 164, "mbpp+": 377}[benchmark]
    texts = []
    for problem in problems:
        whole = problem["prompt"] + problem["canonical_solution"]
        answer = f"<think>def {problem['entry_point']}(): pass</think>\n\nHere:\n```python\n{whole}\n```\nDone."
        texts.append(extract(answer, problem["prompt"], problem["entry_point"]).code)
    rows, base = evalplus.score(benchmark, problems, texts, timeout_s=60, mode=mode)
    assert [(row.task_id, row.result) for row in rows if not row.passed] == [] and all(base)
    wrong = [f"\n\ndef {problem['entry_point']}(*_):\n    return object()\n" for problem in problems[:6]] + [""]
    rows, base = evalplus.score(benchmark, problems[:7], wrong, timeout_s=1, mode=mode)
    assert not any(base) and not any(row.passed for row in rows) and rows[-1].result == "no code"


SANITIZE = """
import json, sys
from evalplus.sanitize import sanitize
print(json.dumps([sanitize(answer, name) for answer, name in json.load(sys.stdin)]))
"""


def test_plain_answers_give_what_evalplus_own_sanitize_gives(benchmark):
    """Definitions of the gold solution out of the gold solution, bare and fenced; sanitize only parses."""
    cases = [
        (problem, DISGUISES[disguise](whole(benchmark, problem), problem["entry_point"]))
        for problem in quick_problems(benchmark)[::10] for disguise in ("bare", "fence", "fence of tildes")
    ]  # fmt: skip
    asked = json.dumps([(answer, problem["entry_point"]) for problem, answer in cases])
    python = scorer_python(evalplus.ENVIRONMENT)
    done = subprocess.run([python, "-c", SANITIZE], input=asked, capture_output=True, text=True, check=True)
    for (problem, answer), sanitized in zip(cases, json.loads(done.stdout), strict=True):
        prompt, name, gold = problem["prompt"], problem["entry_point"], problem["canonical_solution"]
        assert missing(sanitized, prompt + gold, name) == []
        assert missing(prompt + extract(answer, prompt, name).code, prompt + gold, name) == []


def whole(benchmark: str, problem: dict) -> str:
    """The gold solution as a program; HumanEval's begins in the prompt."""
    return (problem["prompt"] if benchmark == "humaneval+" else "") + problem["canonical_solution"]


def test_disguises_change_no_verdict(benchmark, mode):
    """Gold passes and another body fails, whatever stands around it."""
    cases, texts = [], []
    for problem in quick_problems(benchmark)[3:5]:
        prompt, name = problem["prompt"], problem["entry_point"]
        for right, code in (
            (True, whole(benchmark, problem)),
            (False, f"def {name}(*values):\n    return iter(values)\n"),
        ):
            for disguise, dress in DISGUISES.items():
                cases.append((problem, disguise, right))
                texts.append(extract(dress(code, name), prompt, name, disguise == "cut correction").code)
    rows, _ = evalplus.score(benchmark, [problem for problem, _, _ in cases], texts, timeout_s=10, mode=mode)
    verdicts = [(disguise, right, row.passed) for (_, disguise, right), row in zip(cases, rows, strict=True)]
    assert [verdict for verdict in verdicts if verdict[1] is not verdict[2]] == []


@pytest.mark.long
def test_the_slow_gold_passes_too(mode):
    if not (DATA / "MbppPlus.jsonl.gz").exists():
        pytest.skip(f"no MbppPlus.jsonl.gz in {DATA}")
    (problem,) = [row for row in evalplus.load_problems("mbpp+", DATA) if row["task_id"] == SLOW]
    answer = f"```python\n{problem['prompt']}{problem['canonical_solution']}\n```"
    text = extract(answer, problem["prompt"], problem["entry_point"]).code
    ((row,), (base,)) = evalplus.score("mbpp+", [problem], [text], timeout_s=60, mode=mode)
    assert row.passed and base, row.result


@pytest.mark.long
def test_a_solution_that_did_not_get_its_minute_of_the_processor_is_checked_with_patience(mode):
    """It sleeps as long as others have the processor: more than a minute over all tests."""
    if not (DATA / "HumanEvalPlus.jsonl.gz").exists():
        pytest.skip(f"no HumanEvalPlus.jsonl.gz in {DATA}")
    (problem,) = [row for row in evalplus.load_problems("humaneval+", DATA) if row["task_id"] == "HumanEval/2"]
    tests = len(json.loads(problem["line"])["plus_input"])
    text = f"    import time\n    time.sleep({75 / tests})\n    return number % 1.0\n"
    ((row,), (base,)) = evalplus.score("humaneval+", [problem], [text], timeout_s=5, mode=mode)
    assert row.passed and base, row.result


def test_plus_is_harder_than_base_and_forgers_fail(mode):
    if not (DATA / "HumanEvalPlus.jsonl.gz").exists():
        pytest.skip(f"no HumanEvalPlus.jsonl.gz in {DATA}")
    (problem,) = [row for row in evalplus.load_problems("humaneval+", DATA) if row["task_id"] == "HumanEval/2"]
    forge = """    import sys
    frame = sys._getframe()
    while 'stat' not in frame.f_locals:
        frame = frame.f_back
    it = frame.f_locals
    for n in range(len(it['inputs'])):
        it['details'][n] = True
    it['progress'].value, it['stat'].value = len(it['inputs']), 0
    import ctypes
    ctypes.CDLL(None)._exit(0)
"""
    texts = ["    return number - int(number)\n", "    return number % 1.0 if number < 1000 else 7.0\n", forge]
    rows, base = evalplus.score("humaneval+", [problem] * 3, texts, timeout_s=2, mode=mode)
    assert [(row.passed, passes_base) for row, passes_base in zip(rows, base, strict=True)] == [
        (True, True),
        (False, True),
        (False, False),
    ]


def test_missing_data_are_one_line(tmp_path):
    with pytest.raises(DataError, match=r"has no MbppPlus.jsonl or MbppPlus.jsonl.gz; without the internet, put .*"):
        evalplus.load_problems("mbpp+", tmp_path)
    (tmp_path / "MbppPlus.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"is not EvalPlus's MbppPlus.jsonl .*download it anew"):
        evalplus.load_problems("mbpp+", tmp_path)


CUT = gzip.compress(b"{}\n")[:-4]


@pytest.mark.parametrize(
    "data", [b"no gzip", CUT, gzip.compress(b"\xff\n"), gzip.compress(b"7\n")], ids=["text", "cut", "latin-1", "number"]
)
def test_a_damaged_download_is_one_line(tmp_path, data):
    (tmp_path / "MbppPlus.jsonl.gz").write_bytes(data)
    with pytest.raises(DataError, match=r"MbppPlus.jsonl.gz is not EvalPlus's MbppPlus.jsonl .*download it anew"):
        evalplus.load_problems("mbpp+", tmp_path)


def test_sampled_metrics():
    """Two problems, five samples each: 2 and 0 right."""
    figures = code_bench.sampled_metrics([[True, False, True, False, False], [False] * 5])
    assert figures == {"samples": 5, "pass@1": 0.2, "pass@5": 0.5}


def test_samples_are_scored_like_answers(benchmark, mode):
    """Two problems, two samples each: the first sample of the second problem is wrong."""
    problems = quick_problems(benchmark)[:2]
    gold = [Response(f"```python\n{row['prompt']}{row['canonical_solution']}```", "stop", 1, 1) for row in problems]
    wrong = Response("I cannot.", "stop", 1, 1)
    drawn = [[gold[0], gold[0]], [wrong, gold[1]]]
    rows, figures = code_bench.score_samples(benchmark, problems, drawn, timeout_s=10, mode=mode)
    assert figures == {"samples": 2, "pass@1": 0.75}
    assert [(row.sample, row.passed) for row in rows] == [(1, True), (1, False), (2, True), (2, True)]
    _, figures = code_bench.score_answers(benchmark, problems, [gold[0], wrong], timeout_s=10, mode=mode)
    assert figures["pass@1"] == figures["base"]["pass@1"] == 0.5 and figures["n"] == 2
