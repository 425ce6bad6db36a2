"""What goes wrong on real machines: one clear line with the remedy, and nothing is lost."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from project import copy_project, dvc, environment, try_dvc

from funreason.config import read_yaml
from funreason.doctor.objects import locks, objects

from .killing import Repro
from .replies import model_server
from .test_kills import CONCURRENCY, SMALL

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which all is done up to training r0; the checks ask nobody."""
    folder = tmp_path_factory.mktemp("faults") / "project"
    with model_server(folder / "data/toy/pool.jsonl") as server:
        llm = {"engine": "server", "server": {"base_url": server.url, "concurrency": CONCURRENCY}}
        copy_project(
            folder,
            SMALL | {"llm": llm, "fcdr": {"mode": "heuristics"}, "train": {"epochs": 4, "eval_rows": 0}},
            rounds=("r0",),
        )
        dvc(folder, "repro", "validate@r0", "method@r0")
        yield folder, server, len(server.asked)


@pytest.fixture
def folder(project) -> Path:
    """The same, with an empty response cache; what a test breaks, it mends."""
    shutil.rmtree(project[0].parent / "responses", ignore_errors=True)
    return project[0]


@pytest.fixture
def asked(project) -> list:
    """The requests of this test. At its end: all of an unbroken run, few of them twice."""
    _, server, wanted = project
    server.asked.clear()
    yield server.asked
    distinct = {json.dumps(body, sort_keys=True) for body in server.asked}
    assert len(distinct) == wanted and len(server.asked) - wanted <= CONCURRENCY


def stage(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment(folder) | env, text=True, capture_output=True
    )


def one_line(done: subprocess.CompletedProcess, *parts: str) -> None:
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr[-2000:]
    assert done.stderr.startswith("error: ") and all(part in done.stderr for part in parts), done.stderr


@contextmanager
def small(folder: Path, kilobytes: int):
    """A file system of this size over `folder`, with what is there; yields what makes it large."""
    if os.geteuid():
        pytest.skip("only root may mount a small tmpfs")
    kept = shutil.copytree(folder, folder.with_name(f".{folder.name}.kept")) if folder.exists() else None
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", folder]).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        if kept:
            shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield lambda: subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        shutil.rmtree(kept or folder)


def size_kb(folder: Path) -> int:
    """As tmpfs counts: whole pages."""
    return sum(-(-path.stat().st_size // 4096) * 4 for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_under_the_responses(folder, asked):
    """What was answered before is kept: with room, only the rest is asked."""
    before = (folder / "data/r0/0_generate.jsonl").read_bytes()
    with small(folder.parent / "responses", 64) as enlarge:
        one_line(stage(folder, "stages/generate.py", "r0"), "responses.sqlite: ", "check the disk's space")
        assert (folder / "data/r0/0_generate.jsonl").read_bytes() == before
        enlarge()
        assert stage(folder, "stages/generate.py", "r0").returncode == 0
    assert (folder / "data/r0/0_generate.jsonl").read_bytes() == before


@pytest.mark.parametrize("script", ["generate", "validate"])
def test_a_full_disk_under_the_rows(folder, script):
    before = {path: path.read_bytes() for path in (folder / "data/r0").rglob("*.jsonl")}
    with small(folder / "data/r0", size_kb(folder / "data/r0") + 8) as enlarge:
        one_line(stage(folder, f"stages/{script}.py", "r0"), "data/r0/", "no space left on the device; free some")
        assert not list((folder / "data/r0").rglob(".*.tmp"))
        enlarge()
        assert stage(folder, f"stages/{script}.py", "r0").returncode == 0
        assert {path: path.read_bytes() for path in (folder / "data/r0").rglob("*.jsonl")} == before


# A disk that another program fills once training has begun.
FILLED = """
import runpy, sys; sys.path.insert(0, "stages")
from pathlib import Path
from funreason.train import callbacks, run
real = run.require_space
def then_full(folder, parameters):
    real(folder, parameters)
    try: Path(".checkpoints/other").write_bytes(bytes(10**9))
    except OSError: pass
run.require_space = then_full
init = callbacks.TimedCheckpoints.__init__
callbacks.TimedCheckpoints.__init__ = lambda self, seconds: init(self, 0)
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def test_a_full_disk_under_the_checkpoints(folder):
    with small(folder / ".checkpoints", 1000):
        one_line(stage(folder, "stages/train.py", "r0"), "GB free at .checkpoints", "free some space")
    with small(folder / ".checkpoints", 150_000):
        one_line(stage(folder, "-c", FILLED, "stages/train.py", "r0"), "no space left on the device; free some")
        assert not (folder / "models/r0").exists()


def damage_header(path: Path) -> None:
    path.write_bytes(b"rubbish" * 3 + path.read_bytes()[21:])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 + 100)


@pytest.mark.parametrize("damage", [damage_header, truncate])
def test_a_damaged_response_cache(folder, damage):
    """Put aside, not deleted: the run says where it is and how to take from it what can be read."""
    cache = folder.parent / "responses/responses.sqlite"
    assert stage(folder, "stages/generate.py", "r0").returncode == 0
    before = (folder / "data/r0/0_generate.jsonl").read_bytes()
    damage(cache)
    done = stage(folder, "stages/generate.py", "r0")
    aside = cache.with_name("responses.corrupt-1.sqlite")
    assert done.returncode == 0 and done.stderr.count("\n") == 1, done.stderr
    assert f"moved to {aside}, starting anew; `funreason cache import {aside}`" in done.stderr
    assert aside.exists() and (folder / "data/r0/0_generate.jsonl").read_bytes() == before


def test_a_damaged_object_in_the_cache_of_dvc(folder, monkeypatch):
    """DVC hands it out unseen; doctor finds it, and its remedy brings the right bytes back."""
    path = folder / "data/tasks.jsonl"
    before = path.read_bytes()
    monkeypatch.chdir(folder)
    assert [finding.level for finding in objects(deep=True)] == ["ok"]
    damaged = object_of(folder, path)
    damaged.chmod(0o644)
    damaged.write_bytes(before.replace(b"e", b"a", 1))
    damaged.chmod(0o444)
    (found,) = objects(deep=True)
    assert found.level == "error" and "is damaged; delete it and data/tasks.jsonl, then `dvc fetch`" in str(found)
    damaged.unlink()
    path.unlink()
    dvc(folder, "repro", "prepare")
    assert path.read_bytes() == before and object_of(folder, path).read_bytes() == before


def object_of(folder: Path, path: Path) -> Path:
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    return folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def test_two_at_once(folder):
    """The second is refused in one line that names the first, and disturbs nothing."""
    first = Repro(folder, "--force", "--single-item", "generate@r0")
    assert first.first() == "generate@r0"
    second = try_dvc(folder, "repro", "--force", "--single-item", "generate@r0")
    assert second.returncode != 0 and "is busy, it is being blocked by" in second.stdout, second.stdout
    assert first.finished()[0] == 0


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("shell, status", [("/bin/bash", "130"), ("/bin/sh", "(130|-2)")])
def test_ctrl_c(folder, asked, monkeypatch, shell, status):
    """Sent to all processes of the terminal, as a terminal does. A shell that stays between, as dash does, dies too."""
    monkeypatch.setenv("SHELL", shell)
    before = (folder / "data/r0/0_generate.jsonl").read_bytes()
    run = Repro(folder, "--force", "--single-item", "generate@r0")
    run.first()
    end = time.monotonic() + 300
    while len(asked) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(run.process.pid, signal.SIGINT)
    ended, said = run.finished()
    assert ended != 0 and "error: interrupted; run again to go on\n" in said and "Traceback" not in said, said
    assert re.search(f"exited with {status}\n", said), said
    dvc(folder, "repro", "--force", "--single-item", "generate@r0")
    assert (folder / "data/r0/0_generate.jsonl").read_bytes() == before


def test_remotes_and_credentials(folder):
    home = {"HOME": str(folder.parent), "AWS_EC2_METADATA_DISABLED": "true"}
    gone = folder.parent / "gone"
    for url, env, expected in (("s3://bucket/x", home, "Unable to locate credentials"), (gone, {}, "Checkout failed")):
        dvc(folder, "remote", "add", "--force", "--default", "team", str(url))
        shutil.move(folder / ".dvc/cache", folder / ".dvc/kept")
        rows = (folder / "data/tasks.jsonl").read_bytes()
        (folder / "data/tasks.jsonl").unlink()
        try:
            done = try_dvc(folder, "pull", "--force", "data/tasks.jsonl", **env)
        finally:
            (folder / "data/tasks.jsonl").write_bytes(rows)
            shutil.rmtree(folder / ".dvc/cache", ignore_errors=True)
            shutil.move(folder / ".dvc/kept", folder / ".dvc/cache")
        assert done.returncode and expected in done.stdout and "Traceback" not in done.stdout, done.stdout


def test_locks_that_dvc_left_half_written(folder, monkeypatch):
    """doctor's remedies, taken by the word; nothing runs again."""
    monkeypatch.chdir(folder)
    rwlock, lock = folder / ".dvc/tmp/rwlock", folder / "dvc.lock"
    whole, before = lock.read_text(), read_yaml(lock)
    rwlock.write_text("")
    lock.write_text(whole[: whole.index("outs:") + 6])
    assert try_dvc(folder, "repro", "prepare").returncode
    assert [str(f) for f in (*locks(), *objects())] == [
        ".dvc/tmp/rwlock is damaged; `rm .dvc/tmp/rwlock`, where no other dvc runs",
        "dvc.lock is damaged; `git checkout dvc.lock` (delete it if it was never committed), then `dvc repro`",
    ]
    rwlock.unlink()
    lock.unlink()
    assert "> stages/python" not in dvc(folder, "repro", "validate@r0", "method@r0")
    assert read_yaml(lock) == before  # in whatever order: two stages depend on no other
