"""docs/tutorial.md runs as it is written, in a copy of the small project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from code_closure import ROOT

pytestmark = pytest.mark.long

TEXT = (ROOT / "docs/tutorial.md").read_text()
BLOCK = re.compile(r"(<!-- not run: [^>]*-->\n)?```bash\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory) -> Path:
    """As after `make repro`: everything has run, the run is not in git yet."""
    folder = tmp_path_factory.mktemp("tutorial") / "project"
    shutil.copytree(finished, folder, symlinks=True)
    bash(folder, "git commit -q -m start")
    return folder


def bash(folder: Path, commands: str) -> str:
    names = {f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | names | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "FUNREASON_CACHE": str(folder.parent / "responses"),
    }  # fmt: skip
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}"
    return done.stdout


def test_every_block_runs(folder, finished):
    shutil.copytree(finished.parent / "responses", folder.parent / "responses")
    ran = {commands: bash(folder, commands) for skipped, commands in BLOCK.findall(TEXT) if not skipped}
    assert len(ran) >= 6
    said = "\n".join(ran.values())
    assert "train@r0" in said and "loss.lambda" in said and "lambda-03" in said


def test_a_block_that_is_not_run_says_why():
    assert [bool(skipped) for skipped, _ in BLOCK.findall(TEXT)].count(True) == TEXT.count("<!-- not run: ") == 2
