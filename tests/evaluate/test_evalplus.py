"""EvalPlus through our road: its gold passes, wrong answers fail, forgers fail, missing data are told."""

import gzip

import pytest
from code_closure import ROOT

from funreason.core.errors import DataError
from funreason.evaluate import code_bench, evalplus
from funreason.evaluate.code_text import completion
from funreason.llm import Response

pytestmark = pytest.mark.slow

DATA = ROOT.parent / "shared" / "data"  # beside the checkout, on machines without the internet
SLOW = "Mbpp/599"  # 40 s of the processor, as much as all others; EvalPlus ends it itself after a minute of the clock


@pytest.fixture(params=["humaneval+", "mbpp+"])
def benchmark(request) -> str:
    if not (DATA / f"{evalplus.FILES[request.param]}.gz").exists():
        pytest.skip(f"no {evalplus.FILES[request.param]}.gz in {DATA}")
    return request.param


def chosen(benchmark: str) -> list[dict]:
    return [it for it in evalplus.load_problems(benchmark, DATA) if it["task_id"] != SLOW]


def test_gold_passes_and_wrong_fails(benchmark, mode):
    """Gold as a reasoning model would write it: all pass, HumanEval/32, too, which EvalPlus by itself fails."""
    problems = chosen(benchmark)
    assert len(problems) == {"humaneval+": 164, "mbpp+": 377}[benchmark]
    texts = []
    for it in problems:
        whole = it["prompt"] + it["canonical_solution"]
        answer = f"<think>def {it['entry_point']}(): pass</think>\n\nHere:\n```python\n{whole}\n```\nDone."
        texts.append(completion(answer, it["prompt"], it["entry_point"]))
    rows, base = evalplus.score(benchmark, problems, texts, timeout_s=60, mode=mode)
    assert [(row.task_id, row.result) for row in rows if not row.passed] == [] and all(base)
    wrong = [f"\n\ndef {it['entry_point']}(*_):\n    return object()\n" for it in problems[:6]] + [""]
    rows, base = evalplus.score(benchmark, problems[:7], wrong, timeout_s=1, mode=mode)
    assert not any(base) and not any(row.passed for row in rows) and rows[-1].result == "no code"


@pytest.mark.long
def test_the_slow_gold_passes_too(mode):
    if not (DATA / "MbppPlus.jsonl.gz").exists():
        pytest.skip(f"no MbppPlus.jsonl.gz in {DATA}")
    (problem,) = [it for it in evalplus.load_problems("mbpp+", DATA) if it["task_id"] == SLOW]
    answer = f"```python\n{problem['prompt']}{problem['canonical_solution']}\n```"
    text = completion(answer, problem["prompt"], problem["entry_point"])
    ((row,), (base,)) = evalplus.score("mbpp+", [problem], [text], timeout_s=60, mode=mode)
    assert row.passed and base, row.result


def test_plus_is_harder_than_base_and_forgers_fail(mode):
    if not (DATA / "HumanEvalPlus.jsonl.gz").exists():
        pytest.skip(f"no HumanEvalPlus.jsonl.gz in {DATA}")
    (problem,) = [it for it in evalplus.load_problems("humaneval+", DATA) if it["task_id"] == "HumanEval/2"]
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
    assert [(row.passed, it) for row, it in zip(rows, base, strict=True)] == [
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
    found = code_bench.sampled_metrics([[True, False, True, False, False], [False] * 5])
    assert found == {"samples": 5, "pass@1": 0.2, "pass@5": 0.5}


def test_samples_go_the_same_road(benchmark, mode):
    """Two problems, two samples each: the first sample of the second problem is wrong."""
    problems = chosen(benchmark)[:2]
    gold = [Response(f"```python\n{it['prompt']}{it['canonical_solution']}```", "stop", 1, 1) for it in problems]
    wrong = Response("I cannot.", "stop", 1, 1)
    drawn = [[gold[0], gold[0]], [wrong, gold[1]]]
    rows, found = code_bench.score_samples(benchmark, problems, drawn, timeout_s=10, mode=mode)
    assert found == {"samples": 2, "pass@1": 0.75}
    assert [(row.sample, row.passed) for row in rows] == [(1, True), (1, False), (2, True), (2, True)]
    _, found = code_bench.score_answers(benchmark, problems, [gold[0], wrong], timeout_s=10, mode=mode)
    assert found["pass@1"] == found["base"]["pass@1"] == 0.5 and found["n"] == 2
