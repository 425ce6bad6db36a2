"""The lock for machines with a GPU installs on every Python that the Makefile allows; no GPU is needed to see it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SOURCES = ("antlr4-python3-runtime", "wsgidav")  # published without a wheel; pure Python


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
def test_the_gpu_lock_resolves_to_wheels(python, tmp_path):
    uv = shutil.which("uv")
    assert uv, "uv is in the lock"
    no_source = [word for name in SOURCES for word in ("--no-binary", name)]
    where = ["--python-version", python, "--python-platform", "x86_64-manylinux_2_35", "--target", str(tmp_path)]
    command = [uv, "pip", "install", "--dry-run", "--only-binary", ":all:", *no_source, *where,
               "-r", "requirements/gpu.lock"]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    if "error sending request" in done.stderr or "dns error" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    assert f"Would install {len(_pins())} packages" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("python", [PYTHONS[0], PYTHONS[-1]])
def test_the_extras_for_training_on_gpus_fit_the_lock(python):
    """All together, with the versions that the lock has of what they need."""
    extras = [word for name in ("flash", "quant", "deepspeed") for word in ("--extra", name)]
    target = ["--python-version", python, "--python-platform", "x86_64-manylinux_2_35"]
    command = [shutil.which("uv"), "pip", "compile", "--quiet", "--no-header", "--no-annotate", *target,
               "-c", "requirements/gpu.lock", *extras, "pyproject.toml"]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    if "error sending request" in done.stderr or "dns error" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    found = dict(line.split(";")[0].strip().split("==") for line in done.stdout.splitlines() if "==" in line)
    assert {"flash-attn", "bitsandbytes", "deepspeed"} <= found.keys()
    pins = _pins()
    assert found["torch"] == pins["torch"]
    assert all(pins.get(name, version) == version for name, version in found.items())


def test_cuda_python_does_not_overwrite_files_of_its_bindings():
    """Up to 12.6 it brought modules of its own; from 12.9 it only depends on cuda-bindings of the same version."""
    pins = _pins()
    assert pins["cuda-python"] == pins["cuda-bindings"] and int(pins["cuda-python"].split(".")[0]) >= 13


def test_the_makefile_allows_these_pythons():
    versions = set(re.findall(r"3\.1\d", (ROOT / ".github/workflows/ci.yml").read_text()))
    assert set(PYTHONS) <= versions


def _pins() -> dict[str, str]:
    lines = (ROOT / "requirements/gpu.lock").read_text().splitlines()
    return dict(line.split(";")[0].strip().split("==") for line in lines if "==" in line)
