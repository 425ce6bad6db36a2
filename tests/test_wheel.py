"""The wheel in empty environments: what its extras declare is all that its parts need.

Packages come from uv's cache or the package index, of the versions in requirements/cpu.lock.
"""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from code_closure import ROOT
from packaging.requirements import Requirement

LOCKED = ROOT / "requirements/cpu.lock"
HEAVY = ("dvc", "jsonschema", "pydantic", "ruamel", "torch", "trl", "vllm")
COMMANDS = (
    "--help",
    "--version",
    "params check",
    "profile list",
    "profile use paper",
    "profile use toy",
    "rounds show",
    "rerun-plan",
    "compare",
    "capacity --rows 1000",
    "cache stats",
    "cache verify",
    "cache gc --unused-days 9",
)


def run(*command: str | Path, cwd: Path | None = None, status: int = 0) -> str:
    """Run a command that sees nothing of this checkout, and return what it prints."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    if "PIP_FIND_LINKS" in environment:  # uv ignores pip's settings
        environment.setdefault("UV_FIND_LINKS", environment["PIP_FIND_LINKS"].replace(" ", ","))
    if cwd:
        environment["FUNREASON_CACHE"] = str(cwd / "responses")
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def uv(*words: str | Path) -> str:
    return run(Path(sys.executable).with_name("uv"), *words)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, since a build writes beside the source."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src/funreason", copy / "src/funreason", ignore=shutil.ignore_patterns("__pycache__"))
    uv("build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", copy / "dist", copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


def environment(folder: Path, requirement: str) -> Path:
    """The programs' folder of a new environment with the requirement and what it declares."""
    uv("venv", "-q", "--python", sys.executable, folder)
    backend = () if "PIP_FIND_LINKS" in os.environ else ("--torch-backend", "cpu")
    uv("pip", "install", "-q", "-p", folder, "-c", LOCKED, *backend, requirement)
    return folder / "bin"


@pytest.mark.long
def test_the_wheel_holds_every_file_of_the_package(wheel):
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/funreason").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("funreason/")}
    assert held == source and "funreason/py.typed" in held


@pytest.mark.long
def test_without_extras(wheel, tmp_path):
    programs = environment(tmp_path / "env", str(wheel))
    assert run(programs / "python", "-c", "import funreason; print(funreason.__version__)") == "0.1.0\n"


@pytest.mark.long
def test_the_extra_srml_trains_the_example(wheel, tmp_path):
    """With SRMLConfig's own defaults, on whatever this machine has."""
    programs = environment(tmp_path / "env", f"{wheel}[srml]")
    printed = run(programs / "python", ROOT / "examples/srml_minimal.py", tmp_path / "out")
    assert "think: 5." in printed and "result: 5." in printed
    assert (tmp_path / "out/checkpoint-5/model.safetensors").exists()
    assert run(programs / "python", "-c", "import dvc", status=1) == ""  # nothing of the pipeline


@pytest.mark.long
def test_the_extra_pipeline_runs_the_commands(wheel, tmp_path):
    """In a folder with a pipeline and its metrics, without data or models; no torch, no engine."""
    programs, project = environment(tmp_path / "env", f"{wheel}[pipeline]"), tmp_path / "project"
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", "data/empty.jsonl", "toy/models/MANIFEST.json"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project / name)
    for name in ("profiles", "metrics", "report", "stages"):
        shutil.copytree(ROOT / name, project / name)
    run("git", "init", "-q", ".", cwd=project)
    run(programs / "dvc", "init", "-q", "-f", cwd=project)
    for command in COMMANDS:
        assert run(programs / "funreason", *command.split(), cwd=project), command
    run(programs / "funreason", "doctor", cwd=project, status=1)  # it has neither weights nor scorers
    assert run(programs / "python", "-c", "import torch", status=1) == ""


@pytest.mark.parametrize("module", ["funreason", "funreason.srml", "funreason.srml.adaptive"])
def test_imports_that_load_nothing_heavy(module):
    script = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"


@pytest.mark.model
def test_the_trainer_loads_nothing_of_the_pipeline():
    script = (
        "import sys; from funreason.srml import SRMLTrainer\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
        "print({name.split('.')[1] for name in sys.modules if name.startswith('funreason.')})"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "['torch', 'trl']\n{'srml'}\n"


def test_the_locks_hold_what_the_extras_ask_for():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [Requirement(line) for lines in extras.values() for line in lines if not line.startswith("funreason[")]
    for lock in ("cpu.lock", "gpu.lock"):
        pins = [Requirement(line) for line in (ROOT / "requirements" / lock).read_text().splitlines() if "==" in line]
        versions = {pin.name.lower().replace("_", "-"): next(iter(pin.specifier)).version for pin in pins}
        assert len(versions) > 100
        for requirement in wanted:
            version = versions.get(requirement.name.lower().replace("_", "-").replace(".", "-"))
            assert version is None or requirement.specifier.contains(version, prereleases=True), (lock, requirement)
