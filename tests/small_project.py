"""A copy of this project with small counts in params.yaml, in a git repository of its own, and commands run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from funreason.params import read_yaml, yaml

ROOT = Path(__file__).parents[1]
SMALL = {
    "desk": {"pool_rows": 60, "heldout_rows": 12, "judge_rows": 2, "code_rows": 6},
    "train": {"epochs": 1},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 2}, "code": {"benchmarks": ["desk"]}},
}


def make_project(folder: Path) -> None:
    """Everything that git tracks, but nothing that says what was run."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).exists() and not name.startswith(("metrics/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    change_params(folder, SMALL)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / ".venv-bfcl").symlink_to(ROOT / ".venv-bfcl")


def change_params(folder: Path, changes: dict) -> None:
    params = read_yaml(folder / "params.yaml")
    _merge(params, changes)
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        yaml().dump(params, file)


def _merge(values: dict, changes: dict) -> None:
    for key, change in changes.items():
        if isinstance(change, dict):
            _merge(values[key], change)
        else:
            values[key] = change


def run(folder: Path, *command: str | Path, status: int = 0, **environment: str) -> str:
    """Runs a command in the project and returns what it printed; the response cache is the one beside the project."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "FUNREASON_CACHE": str(folder.parent / "responses"),
        **environment,
    }
    done = subprocess.run(command, cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == status, done.stdout[-3000:]
    return done.stdout


def dvc(folder: Path, *arguments: str, **options) -> str:
    return run(folder, sys.executable, "-m", "dvc", *arguments, **options)
