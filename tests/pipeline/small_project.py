"""The desk profile with small counts, in a git repository of its own in a temporary folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from code_closure import ROOT

from funreason.params import read_yaml, yaml

RECORDER = Path(__file__).parent / "recorder"
SMALL = {
    "desk": {"pool_rows": 60, "heldout_rows": 12, "judge_rows": 2, "code_rows": 6},
    "train": {"epochs": 1},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 2}, "code": {"benchmarks": ["desk"]}},
}
TARGETS = ("publish@r0", "evaluate_bfcl@r0", "evaluate_code@r0")


def merged(values: dict, changes: dict) -> None:
    for key, change in changes.items():
        if isinstance(change, dict):
            merged(values[key], change)
        else:
            values[key] = change


def make_project(folder: Path) -> Path:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).exists() and not name.startswith(("metrics/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    params = read_yaml(folder / "params.yaml")
    merged(params, SMALL)
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        yaml().dump(params, file)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / ".venv-bfcl").symlink_to(ROOT / ".venv-bfcl")
    return folder


def dvc(folder: Path, *arguments: str) -> str:
    """Runs dvc in the project, with a response cache of its own, and returns what it printed.

    The stages find the project's own source by themselves.
    """
    recorded = folder.parent / "imports"
    recorded.mkdir(exist_ok=True)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{RECORDER}{os.pathsep}{ROOT / 'src'}",
        "RECORDED_IMPORTS": str(recorded),
        "FUNREASON_CACHE": str(folder.parent / "responses"),
    }
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout
