"""A folder with what the evaluation stages read, and the stages run in it as DVC runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from .suite import write_folder

ROOT = Path(__file__).parents[2]
PROBLEM = {
    "task_id": "toy/0",
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}
SMALL = {
    "llm.max_model_len": 1600, "llm.kv_cache_gb": 0.25, "llm.max_num_seqs": 4,
    "evaluate.bfcl.categories": ["simple_python", "irrelevance"], "evaluate.bfcl.limit": 2,
    "evaluate.bfcl.max_tokens": 8, "evaluate.toy.max_tokens": 12, "evaluate.sandbox": "auto",
    "evaluate.code.benchmarks": ["toy"], "evaluate.code.timeout_s": 2,
}  # fmt: skip


def fill(workspace: Path, problems: int = 1) -> Path:
    """The held-out toy data, params.yaml, and models/base.json: a model of the hub, which only a server can have."""
    write_folder(workspace / "data/toy/known", 2)
    write_folder(workspace / "data/toy/new", 1)
    tasks = [PROBLEM | {"task_id": f"toy/{number}"} for number in range(problems)]
    (workspace / "data/toy/code_heldout.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    (workspace / "models").mkdir(exist_ok=True)
    base = {"kind": "hub", "hub": "owner/base", "revision": "0" * 40, "identity": "hub:owner/base@0"}
    (workspace / "models/base.json").write_text(json.dumps(base))
    set_params(workspace, {"llm.engine": "vllm"})
    return workspace


def set_params(workspace: Path, changes: dict) -> None:
    """The project's params.yaml with SMALL and `changes` (dotted keys)."""
    yaml = YAML()
    params = yaml.load(ROOT / "profiles/toy.yaml")
    for key, value in (SMALL | changes).items():
        *blocks, last = key.split(".")
        block = params
        for name in blocks:
            block = block[name]
        block[last] = value
    yaml.dump(params, workspace / "params.yaml")


def served_by(url: str) -> dict:
    """The changes that let a server answer."""
    return {"llm.engine": "server", "llm.server.base_url": url, "llm.server.max_retries": 0}


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "stages" / name), *arguments]


def environment(workspace: Path, **more: str) -> dict[str, str]:
    """With a response cache of the workspace's own."""
    return os.environ | {"FUNREASON_CACHE": str(workspace / "cache")} | more


def stage(workspace: Path, name: str, *arguments: str, **more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(name, *arguments), cwd=workspace, env=environment(workspace, **more), capture_output=True, text=True
    )


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
