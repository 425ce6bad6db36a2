"""The two stage scripts over a model nobody trained: real engine, real scorers, small data."""

import json
import shutil
from pathlib import Path

import pytest
from llm.http_server import completion, serve

from funreason.core.jsonio import read_details

from .workspace import PROBLEM, fill, rows, served_by, set_params, stage

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, tiny_model) -> Path:
    """With models/r0, which nobody trained."""
    here = fill(tmp_path_factory.mktemp("workspace"))
    shutil.copytree(tiny_model, here / "models/r0")
    config = json.loads((here / "models/r0/config.json").read_text())
    (here / "models/r0/config.json").write_text(json.dumps(config | {"max_position_embeddings": 4096}))
    return here


def test_bfcl_stage(workspace, mode):
    done = stage(workspace, "evaluate_bfcl.py", "r0")
    assert done.returncode == 0, done.stderr
    metrics = read_details(workspace / "metrics/r0/bfcl.json")
    assert metrics["sandbox"] == mode and metrics["toy"]["n"] == 6
    assert metrics["toy"]["known"]["categories"].keys() == {"simple_python", "irrelevance"}
    none = {"accuracy": 0.0, "low": 0.0, "high": 0.6576, "correct": 0, "n": 2}  # random weights make no call
    toy, bfcl = metrics["toy"]["known"]["categories"], metrics["bfcl"]["categories"]
    assert none.items() <= toy["simple_python"].items() and bfcl["simple_python"]["partial"]
    # They write until they are cut, and refuse nothing; BFCL's own rule says that they do.
    assert toy["irrelevance"] == none | {"unreadable": 0, "cut": 2, "strict": none}
    right = {"accuracy": 1.0, "correct": 2, "cut": 2, "strict": none}
    assert right.items() <= bfcl["irrelevance"].items()
    assert metrics["api_bank"] is None
    assert metrics["bfcl"]["partial"] is True and metrics["bfcl"]["limit"] == 2
    answers = rows(workspace / "data/r0/bfcl.jsonl")
    assert len(answers) == 10 and {row["suite"] for row in answers} == {"known", "new", "bfcl"}


def test_code_stage(workspace, mode):
    """The untrained model, here behind a server that knows the answer."""
    response = completion(f"```python\n{PROBLEM['prompt']}{PROBLEM['canonical_solution']}```")
    with serve(answer=lambda body: response) as server:
        set_params(workspace, served_by(server.url) | {"evaluate.code.samples": 2})
        done = stage(workspace, "evaluate_code.py", "base")
    assert done.returncode == 0, done.stderr
    metrics = read_details(workspace / "metrics/base/code.json")
    toy = {"pass@1": 1.0, "low": 0.2065, "high": 1.0, "correct": 1, "n": 1}
    toy |= {"cut": 0, "readings": {"block": 1}, "sampled": {"samples": 2, "pass@1": 1.0, "partial": False}}
    toy["partial"] = False
    assert metrics.pop("llm")["requests"] == 3
    assert metrics == {"toy": toy, "too_long": 0, "unanswered": 0, "sandbox": mode}
    row, *drawn = rows(workspace / "data/base/code.jsonl")
    assert [tested["sample"] for tested in (row, *drawn)] == [0, 1, 2]
    assert row["task_id"] == "toy/0" and row["result"] == "passed" and row["reading"] == "block"
    assert server.asked[0]["messages"][0]["content"].endswith(PROBLEM["prompt"])


def test_no_sandbox_is_one_line_before_any_answer(workspace):
    done = stage(workspace, "evaluate_code.py", "r0", PATH="/nonexistent")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: evaluate.sandbox is 'auto', but this machine cannot isolate model code")


def test_no_internet_is_one_line_that_names_file_and_folder(workspace):
    set_params(workspace, {"evaluate.code.benchmarks": ["mbpp+"]})
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = stage(workspace, "evaluate_code.py", "r0", XDG_CACHE_HOME=str(workspace / "empty"), **nowhere)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: EvalPlus could not fetch MbppPlus.jsonl (")
    assert "put MbppPlus.jsonl.gz from github.com/evalplus/mbppplus_release into a folder" in done.stderr
    assert "set evaluate.code.evalplus_data to it" in done.stderr
