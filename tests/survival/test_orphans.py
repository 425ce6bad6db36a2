"""Whoever of a run is killed, nobody of it goes on: neither the stage, nor what it has started."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from project import dvc_command, environment

# A stage that sleeps for ten minutes, as do a scorer in the sandbox and a rank under a launcher.
STAGE = """
import subprocess, sys, threading
from funreason.evaluate import sandbox
from funreason.srml.launch import _tied
from funreason.stage import run

def main():
    asleep = ["/bin/sleep", "600"]
    threading.Thread(target=sandbox.run, args=[asleep], kwargs={"timeout_s": 600}, daemon=True).start()
    subprocess.run([*_tied(), *asleep])

run(main)
"""
PIPELINE = "stages:\n  sleep:\n    cmd: python stage.py\n    outs: [out]\n"


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
@pytest.mark.parametrize("victim", [0, 1], ids=["dvc", "stage"])
def test_nobody_goes_on(tmp_path, victim, shell):
    folder = tmp_path / "project"
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    env = environment(folder) | {"SHELL": shell, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(dvc_command("repro"), cwd=folder, env=env, **quiet) as run:
        family = grown(psutil.Process(run.pid))
        os.kill(family[victim].pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


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
