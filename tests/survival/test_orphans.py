"""Whoever of a run is killed, nobody of it goes on: neither the stage, nor what it has started."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from project import ROOT, dvc_command, environment

pytestmark = pytest.mark.slow

# A stage that sleeps for ten minutes, as do a scorer in the sandbox and a rank under a launcher.
STAGE = """
import subprocess, sys, threading
from funreason.sandbox import isolation as sandbox
from funreason.train.launch import _tied
from funreason.core.runtime import run

def main():
    asleep = ["/bin/sleep", "600"]
    threading.Thread(target=sandbox.run, args=[asleep], kwargs={"timeout_s": 600}, daemon=True).start()
    subprocess.run([*_tied(), *asleep])

run(main)
"""
PIPELINE = "stages:\n  report:\n    cmd: python stage.py\n    outs: [out]\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "project"
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    return folder


def none_goes_on(folder: Path, command: list[str], victim: int, number: int, **more: str) -> None:
    """Run the command until all of it sleeps, then send the signal to the process that is so far down in its family."""
    env = environment(folder) | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")} | more
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, env=env, **quiet) as run:
        family = grown(psutil.Process(run.pid))
        os.kill(family[victim].pid, number)
    _, alive = psutil.wait_procs(family, timeout=20)
    for process in alive:
        process.kill()
    assert not alive


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
@pytest.mark.parametrize("victim", [0, 1], ids=["dvc", "stage"])
def test_nobody_goes_on(folder, victim, shell):
    none_goes_on(folder, dvc_command("repro"), victim, signal.SIGKILL, SHELL=shell)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_benchmark_ends_with_its_dvc(folder, number):
    shutil.copy(ROOT / "profiles/toy.yaml", folder / "params.yaml")
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    none_goes_on(folder, [sys.executable, str(ROOT / "benchmarks/rounds.py"), str(folder)], 0, number)


def grown(root: psutil.Process) -> list[psutil.Process]:
    """dvc, the stage and all under it, once both sleep."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        family = [root, *root.children(recursive=True)]
        if sum(name(process) == "sleep" for process in family) == 2:
            return family
        time.sleep(0.05)
    pytest.fail(f"not all of them started: {family}")


def name(process: psutil.Process) -> str:
    try:
        return Path(process.exe()).name
    except psutil.Error:
        return ""
