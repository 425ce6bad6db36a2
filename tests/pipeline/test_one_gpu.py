"""The profile for one GPU from the first stage to the last, on a CPU: with the toy models under the profile's names."""

import json
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest
from project import ROOT, SMALL, change_params, copy_project, dvc, run

from funreason.config import read_yaml
from funreason.core.jsonio import read_details, read_json, read_jsonl, write_jsonl
from funreason.core.paths import accuracy, step_metrics

pytestmark = pytest.mark.long

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOY = {"teacher": "toy-teacher", "judge": "toy-judge", "base": "toy-base"}
# What a CPU and small models need otherwise; all else is the profile's.
HERE = {
    "data": {"path": "own/rows.jsonl", "hub": None},
    "llm": {"dtype": "float32", "max_model_len": 4096},
    "generate": {"max_tokens": 256},
    "judge": {"max_tokens": 256},
    "train": {"bf16": False, "max_length": 1024, "epochs": 1},
    "evaluate": {
        "bfcl": {"categories": ["simple_python"], "limit": 2, "max_tokens": 64},
        "code": {"benchmarks": ["toy"], "max_tokens": 64},
    },
}


def cached(cache: Path, name: str, model: str) -> None:
    """A model as a download from the hub leaves it."""
    folder = cache / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(COMMIT)
    (folder / "snapshots").mkdir()
    shutil.copytree(ROOT / "toy/models" / model, folder / "snapshots" / COMMIT)


def published(row: dict, number: int) -> dict:
    """A row of the toy world in the form of argilla/Synth-APIGen-v0.1."""
    tools = json.loads(row["tools"]) if isinstance(row["tools"], str) else row["tools"]
    answers = row["answers"] if isinstance(row["answers"], str) else json.dumps(row["answers"])
    wrapped = json.dumps([tool if "function" in tool else {"type": "function", "function": tool} for tool in tools])
    return {"query": row["query"], "tools": wrapped, "answers": answers, "model_name": "toy", "hash_id": f"{number:x}"}


def engines(folder: Path | str) -> list[psutil.Process]:
    """The shared engines whose sockets are under `folder`."""
    module = "funreason.llm.engines.shared_server"
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if module in line and str(folder) in line[-1] and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@pytest.fixture
def sockets():
    """The folder of the shared engines; none goes on after the test."""
    with tempfile.TemporaryDirectory(prefix="f") as folder:
        yield Path(folder)
        for engine in engines(folder):
            engine.kill()


def test_the_whole_profile_runs(tmp_path, sockets):
    folder = copy_project(tmp_path / "project")
    run(folder, "funreason", "profile", "use", "one-gpu", "--force")
    change_params(folder, {"toy": SMALL["toy"]} | HERE)
    params = read_yaml(folder / "params.yaml")
    models = {"teacher": params["models"]["teacher"], "base": params["models"]["base"]} | params["models"]["judges"]
    for role, model in models.items():
        cached(tmp_path / "hub", model["hub"], TOY[role])
    env = {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "FUNREASON_ENGINES": str(sockets)}
    dvc(folder, "repro", "world", **env)
    rows = [published(row, number) for number, row in enumerate(read_jsonl(folder / "data/toy/pool.jsonl"))]
    write_jsonl(folder / "own/rows.jsonl", rows)
    dvc(folder, "repro", "validate@r0", **env)
    assert len(engines(sockets)) == 1  # the judge, for `keep_alive_s`
    dvc(folder, "repro", "train@r0", **env)
    assert not engines(sockets)
    dvc(folder, "repro", **env)
    assert read_json(folder / "models/teacher.json")["identity"] == f"hub:{models['teacher']['hub']}@{COMMIT}"
    assert 0 < read_details(folder / step_metrics("r0", "validate"))["kept_fraction"] <= 1
    assert (folder / "models/r0/model.safetensors").exists() and (folder / accuracy("r0", "bfcl")).exists()
