"""A copy of the project in a git repository of its own, small enough to run all of it in a test, and commands in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from funreason.config import read_yaml, yaml

ROOT = Path(__file__).parents[1]
SCORERS = (".venv-bfcl", ".venv-evalplus")
SMALL = {
    "toy": {"pool_rows": 60, "heldout_rows": 12, "judge_rows": 2, "code_rows": 6},
    "train": {"epochs": 1},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 2}, "code": {"benchmarks": ["toy"]}},
}


def merged(values: dict, changes: dict) -> None:
    for key, change in changes.items():
        if isinstance(change, dict):
            merged(values[key], change)
        else:
            values[key] = change


def change_params(folder: Path, changes: dict, rounds: tuple[str, ...] = ()) -> None:
    """Write `changes` into params.yaml; of the rounds only `rounds` are left, if any are named."""
    params = read_yaml(folder / "params.yaml", "rt")
    merged(params, changes)
    for name in set(params["rounds"]) - set(rounds) if rounds else ():
        del params["rounds"][name]
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        yaml().dump(params, file)


def copy_project(folder: Path, changes: dict = SMALL, rounds: tuple[str, ...] = ()) -> Path:
    """What git tracks, without results, as a repository in `folder`, with `change_params`."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).exists() and not name.startswith(("metrics/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "profiles/toy.yaml", folder / "params.yaml")  # whatever the user's params.yaml says
    change_params(folder, changes, rounds)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    for name in SCORERS:
        (folder / name).symlink_to(ROOT / name)
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    """For commands in the copy: its own code, and a response cache of its own beside it."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "FUNREASON_CACHE": str(folder.parent / "responses"),
        **more,
    }


def dvc_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dvc", *arguments]


def tried(folder: Path, *command: str | Path, **env: str) -> subprocess.CompletedProcess:
    """Runs a command in the copy; what it prints, on both ways, is its `stdout`."""
    return subprocess.run(
        command, cwd=folder, env=environment(folder, **env), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(folder: Path, *command: str | Path, status: int = 0, **env: str) -> str:
    """As `tried`, and must end with `status`. Returns what was printed."""
    done = tried(folder, *command, **env)
    assert done.returncode == status, done.stdout[-3000:]
    return done.stdout


def try_dvc(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess:
    return tried(folder, *dvc_command(*arguments), **env)


def dvc(folder: Path, *arguments: str, status: int = 0, **env: str) -> str:
    return run(folder, *dvc_command(*arguments), status=status, **env)
