"""DVC's experiments run in copies of the project: of git's files, without environments. They run the copy's code."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from code_closure import ROOT
from project import copy_project

pytestmark = pytest.mark.slow
MARK = "\nprint('loaded from', __file__)\n"
SMALL_WORLD = ("toy.pool_rows=20", "toy.heldout_rows=4", "toy.judge_rows=1", "toy.code_rows=2")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("exp") / "project")
    git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "-q", "-m", "start"]
    subprocess.run(git, cwd=folder, check=True)
    return folder


def dvc(folder: Path, *arguments: str) -> str:
    """As a user has it: the environment is activated, the package that Python finds is that of another checkout."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "src"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **{f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def overrides() -> list[str]:
    return [word for value in SMALL_WORLD for word in ("-S", value)]


def test_a_temporary_copy_runs_its_own_source(project):
    world = project / "src/funreason/toy/world.py"
    world.write_text(world.read_text() + MARK)
    said = dvc(project, "exp", "run", "--temp", "--name", "copied", *overrides(), "world")
    loaded = {line.split()[-1] for line in said.splitlines() if line.startswith("loaded from")}
    assert len(loaded) == 1 and f"{project}/.dvc/tmp/exps/" in loaded.pop()
    shown = list(csv.DictReader(io.StringIO(dvc(project, "exp", "show", "--csv"))))
    rows = {row["Experiment"]: row for row in shown}
    assert rows["copied"]["toy.pool_rows"] == "20" and not (project / "data/toy/pool.jsonl").exists()


def test_the_environments_of_the_scorers_are_found_from_a_copy(project, tmp_path):
    """They are not in git; DVC_ROOT leads to them."""
    code = "from funreason.sandbox.scorer import scorer_python; print(scorer_python('.venv-bfcl'))"
    environment = os.environ | {"DVC_ROOT": str(project), "PYTHONPATH": str(project / "src")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True, capture_output=True)
    assert done.stdout.strip() == f"{project}/.venv-bfcl/bin/python", done.stderr
    assert (ROOT / ".venv-bfcl").exists()
