"""What a newcomer hits first: no environment, another Python, a data file that is not there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import project
import pytest
from project import ROOT

from funreason.cli import main
from funreason.config import read_yaml
from funreason.core.runtime import outcome

STAGE = 'import sys; print("ran by", sys.prefix, *sys.argv[1:])\n'


@pytest.fixture
def folder(tmp_path) -> Path:
    """A checkout with the launcher and one stage, as DVC runs it: through a shell, in the checkout's folder."""
    (tmp_path / "stages").mkdir()
    shutil.copy(ROOT / "stages/python", tmp_path / "stages")
    (tmp_path / "stages/one.py").write_text(STAGE)
    return tmp_path


def environment(folder: Path) -> Path:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    (folder / ".venv/bin/python").symlink_to(Path(sys.base_prefix) / "bin" / Path(sys._base_executable).name)
    return folder / ".venv"


def ran(folder: Path, **env: str) -> subprocess.CompletedProcess:
    env = {"PATH": "/usr/bin:/bin"} | env
    return subprocess.run(
        "stages/python stages/one.py r0", shell=True, cwd=folder, env=env, capture_output=True, text=True
    )


def test_every_stage_is_run_by_the_launcher():
    stages = read_yaml(ROOT / "dvc.yaml")["stages"].values()
    commands = [stage.get("do", stage)["cmd"] for stage in stages if "cmd" in stage.get("do", stage)]
    assert len(commands) > 10 and all(command.startswith("stages/python stages/") for command in commands)
    assert os.access(ROOT / "stages/python", os.X_OK)


def test_the_environment_need_not_be_active(folder, tmp_path_factory):
    own = environment(folder)
    assert ran(folder).stdout == f"ran by {own} r0\n"
    other = environment(tmp_path_factory.mktemp("other"))
    active = {"VIRTUAL_ENV": str(other), "PATH": f"{other}/bin:/usr/bin:/bin"}
    assert ran(folder, **active).stdout == f"ran by {other} r0\n"


def test_an_experiment_in_a_copy_has_the_environment_of_its_project(folder, tmp_path_factory):
    project = tmp_path_factory.mktemp("project")
    own = environment(project)
    assert ran(folder, DVC_ROOT=str(project)).stdout == f"ran by {own} r0\n"


def test_without_any_python_the_message_says_what_to_do(folder, tmp_path):
    for name in ("sh", "dirname"):
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / name).symlink_to(shutil.which(name))
    done = ran(folder, PATH=str(tmp_path / "tools"))
    assert done.returncode == 1 and done.stdout == ""
    assert (
        done.stderr.startswith("error: no Python for stages/one.py: run `make setup`") and "git checkout" in done.stderr
    )


def test_a_python_without_the_packages_is_named(capsys):
    def stage():
        import no_such_package  # noqa: F401

    assert outcome(stage, []) == 1
    remedy = "run `make setup`, then `source .venv/bin/activate`"
    assert capsys.readouterr().err == f"error: {sys.executable} has no package 'no_such_package': {remedy}\n"

    def broken():
        import funreason.no_such_module  # noqa: F401

    with pytest.raises(ModuleNotFoundError):
        outcome(broken, [])


@pytest.mark.parametrize(
    ("key", "old"),
    [("data.path", "  path: data/toy/pool.jsonl"), ("validate.labels", "  labels: data/toy/pool_labels.jsonl")],
)
def test_a_missing_input_is_named_before_anything_runs(tmp_path, monkeypatch, capsys, key, old):
    text = (ROOT / "profiles/toy.yaml").read_text()
    assert text.count(old) == 1
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "data/empty.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr("sys.argv", ["funreason", "params", "check"])

    def checked() -> tuple[int, str]:
        with pytest.raises(SystemExit) as status:
            main.main()
        return status.value.code, "".join(capsys.readouterr())

    Path("params.yaml").write_text(text)  # a stage writes these
    assert checked()[0] == 0
    Path("params.yaml").write_text(text.replace(old, f"{old.split(':')[0]}: mine/rows.jsonl"))
    status, said = checked()
    assert "`git add mine/rows.jsonl` first" in said
    assert status == 1 and said.startswith(f"error: params.yaml: {key} is 'mine/rows.jsonl', which does not exist")
    Path("mine").mkdir()
    Path("mine/rows.jsonl").touch()
    assert checked()[0] == 0


@pytest.mark.slow
def test_dvc_repro_names_a_missing_file_in_one_line(tmp_path):
    """Before the stages that read it; of a file that an experiment in a copy would not have, it warns."""
    for name in ("stages", "toy/models/MANIFEST.json", "dvc.yaml", "data/empty.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    (tmp_path / "src").symlink_to(ROOT / "src")
    text = (ROOT / "profiles/toy.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("path: data/toy/pool.jsonl", "path: mine/rows.jsonl"))
    (tmp_path / ".gitignore").write_text("/src\n")
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["git", "add", "."], [*GIT, "commit", "-qm", "one"]):
        subprocess.run(command, cwd=tmp_path, check=True, env=project.environment(tmp_path))
    first = "error: params.yaml: data.path is 'mine/rows.jsonl', which does not exist in "
    done = project.try_dvc(tmp_path, "repro", "resolve")
    assert done.returncode and done.stdout.count("Running stage") == 1 and first in done.stdout
    assert "Errno 2" not in done.stdout
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/rows.jsonl").write_text("{}\n")
    done = project.try_dvc(tmp_path, "repro", "inputs")
    assert done.returncode == 0 and "neither Git nor DVC tracks" in done.stdout, done.stdout
    subprocess.run(["git", "add", "mine/rows.jsonl"], cwd=tmp_path, check=True)
    done = project.try_dvc(tmp_path, "repro", "-f", "inputs")
    assert done.returncode == 0 and "neither Git nor DVC tracks" not in done.stdout


GIT = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.org"]
