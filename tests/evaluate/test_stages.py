"""The two stage scripts over a model nobody trained: real engine, real scorers, small data."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from llm.http_server import completion, serve
from ruamel.yaml import YAML

from .suite import write_folder

ROOT = Path(__file__).parents[2]
PROBLEM = {
    "task_id": "desk/0",
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, tiny_model) -> Path:
    """What the stages read: params.yaml, the held-out desk data, models/r0, models/base.json."""
    here = tmp_path_factory.mktemp("workspace")
    write_folder(here / "data/desk/known", 2)
    write_folder(here / "data/desk/new", 1)
    (here / "data/desk/code_heldout.jsonl").write_text(json.dumps(PROBLEM) + "\n")
    shutil.copytree(tiny_model, here / "models/r0")
    config = json.loads((here / "models/r0/config.json").read_text())
    (here / "models/r0/config.json").write_text(json.dumps(config | {"max_position_embeddings": 4096}))
    base = {"kind": "local", "path": "models/r0", "revision": None, "identity": "sha256:0"}
    (here / "models/base.json").write_text(json.dumps(base))
    set_params(here, {"llm.engine": "vllm"})
    return here


def set_params(workspace: Path, changes: dict) -> None:
    """The project's params.yaml with small numbers and `changes` (dotted keys)."""
    small = {
        "llm.max_model_len": 1600, "llm.kv_cache_gb": 0.25, "llm.max_num_seqs": 4,
        "evaluate.bfcl.categories": ["simple_python", "irrelevance"], "evaluate.bfcl.limit": 2,
        "evaluate.bfcl.max_tokens": 8, "evaluate.desk.max_tokens": 12, "evaluate.sandbox": "auto",
        "evaluate.code.benchmarks": ["desk"], "evaluate.code.timeout_s": 2,
    }  # fmt: skip
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    for key, value in (small | changes).items():
        *blocks, last = key.split(".")
        block = params
        for name in blocks:
            block = block[name]
        block[last] = value
    yaml.dump(params, workspace / "params.yaml")


def stage(workspace: Path, name: str, *arguments: str, **env: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "stages" / name), *arguments]
    environment = os.environ | {"FUNREASON_CACHE": str(workspace / "cache")} | env
    return subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True)


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_bfcl_stage(workspace, mode):
    done = stage(workspace, "evaluate_bfcl.py", "r0")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((workspace / "metrics/r0/bfcl.json").read_text())
    assert metrics["sandbox"] == mode and metrics["desk"]["n"] == 6
    assert metrics["desk"]["known"]["categories"].keys() == {"simple_python", "irrelevance"}
    none = {"accuracy": 0.0, "low": 0.0, "high": 0.6576, "correct": 0, "n": 2}  # random weights make no call
    assert metrics["desk"]["known"]["categories"]["simple_python"] == none
    assert metrics["bfcl"]["categories"]["simple_python"] == none | {"partial": True}
    assert metrics["api_bank"] is None
    assert metrics["bfcl"]["partial"] is True and metrics["bfcl"]["limit"] == 2
    answers = rows(workspace / "data/r0/bfcl.jsonl")
    assert len(answers) == 10 and {row["suite"] for row in answers} == {"known", "new", "bfcl"}


def test_code_stage(workspace, mode):
    """The untrained model, here behind a server that knows the answer."""
    said = completion(f"```python\n{PROBLEM['prompt']}{PROBLEM['canonical_solution']}```")
    with serve(answer=lambda body: said) as server:
        changes = {"llm.engine": "server", "llm.server.base_url": server.url, "evaluate.code.samples": 2}
        set_params(workspace, changes)
        done = stage(workspace, "evaluate_code.py", "base")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((workspace / "metrics/base/code.json").read_text())
    desk = {"pass@1": 1.0, "low": 0.2065, "high": 1.0, "correct": 1, "n": 1}
    desk["sampled"] = {"samples": 2, "pass@1": 1.0}
    assert metrics.pop("llm")["requests"] == 3
    assert metrics == {"desk": desk, "too_long": 0, "sandbox": mode}
    row, *drawn = rows(workspace / "data/base/code.jsonl")
    assert [it["sample"] for it in (row, *drawn)] == [0, 1, 2]
    assert row["task_id"] == "desk/0" and row["result"] == "passed"
    assert server.asked[0]["messages"][0]["content"].endswith(PROBLEM["prompt"])


def test_no_sandbox_is_one_line_before_any_answer(workspace):
    done = stage(workspace, "evaluate_code.py", "r0", PATH="/nonexistent")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: evaluate.sandbox is 'auto', but this machine cannot lock model code in")
