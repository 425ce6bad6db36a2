"""The engine that outlives a stage: real processes that are shared, killed and replaced."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from tiny import save_tiny_model

from funreason.core.errors import EngineError
from funreason.llm import Cache, Client, load_ref
from funreason.llm.engines import sockets

from .conftest import SAMPLING, chats, llm_params

LONG = 120  # seconds; two on an idle machine


@pytest.fixture(scope="module", autouse=True)
def home():
    """A folder for the sockets of this module; whatever happens, nothing stays running."""
    with tempfile.TemporaryDirectory(prefix="f") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", folder)
        patch.setenv("TMPDIR", folder)
        yield Path(folder)
        for process in processes(folder):
            process.kill()
            process.wait()


def processes(folder) -> list[psutil.Process]:
    return [it for it in psutil.process_iter() if _serves(it, str(folder))]


def _serves(process: psutil.Process, folder: str) -> bool:
    try:
        line = process.cmdline()
        return "funreason.llm.engines.shared_server" in line and folder in line[-1] and process.status() != "zombie"
    except psutil.Error:
        return False


def run(ref, folder, count=12, **changes) -> list:
    params = llm_params(**{"keep_alive_s": 600} | changes)
    with Cache(folder) as cache, Client(ref, params, SAMPLING, cache=cache) as client:
        return client.run(chats(count))


def within(seconds: float, condition) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_stages_share_one_process_with_the_responses_of_an_engine_in_this_process(ref, engine, home, tmp_path):
    first = run(ref, tmp_path / "a")
    (process,) = processes(home)
    assert run(ref, tmp_path / "b", count=5) == first[:5]
    assert processes(home) == [process]
    with Cache(tmp_path / "here") as cache:
        assert Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine).run(chats(12)) == first


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from llm.conftest import SAMPLING, chats, llm_params
from funreason.llm import Cache, Client, load_ref
client = Client(load_ref(sys.argv[2]), llm_params(keep_alive_s=600), SAMPLING, cache=Cache(sys.argv[3]))
stream = client.engine.stream
def counted(*arguments):
    for item in stream(*arguments):
        yield item
        print("stored", flush=True)
client.engine.stream = counted
client.run(chats(int(sys.argv[4])))
"""


def test_a_killed_stage_leaves_the_engine_to_the_next(ref, home, tmp_path):
    run(ref, tmp_path / "before", count=1)
    (process,) = processes(home)
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, tests, ref.name_or_path, str(tmp_path / "kept"), "60"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with child:
        assert [next(child.stdout) for _ in range(10)] == ["stored\n"] * 10
        child.kill()
    assert child.returncode == -signal.SIGKILL
    with Cache(tmp_path / "kept") as cache, Client(ref, llm_params(keep_alive_s=600), SAMPLING, cache=cache) as client:
        resumed = client.run(chats(60))
        assert 10 <= client.stats["cache_hits"] < 60
    assert resumed == run(ref, tmp_path / "whole", count=60)
    assert processes(home) == [process]


def test_another_model_takes_the_place_and_a_kill_is_survived(ref, home, tmp_path):
    run(ref, tmp_path / "before", count=1)
    (before,) = processes(home)
    other = load_ref(save_tiny_model(tmp_path / "other", seed=1))
    answers = run(other, tmp_path / "a")
    (process,) = processes(home)
    assert process != before
    process.kill()  # its socket stays behind, and nobody listens
    process.wait()
    assert list(sockets.folder().glob("*.sock"))
    assert run(other, tmp_path / "b") == answers
    assert len(processes(home)) == 1
    sockets.end_all(print)  # as training does
    assert not processes(home)


def test_an_engine_that_cannot_start_says_why_and_an_unused_one_ends(ref, home, tmp_path):
    with pytest.raises(EngineError, match="max_model_len .*check models"):
        run(ref, tmp_path, max_model_len=100_000, keep_alive_s=1)
    assert within(LONG, lambda: not processes(home))
    assert not list(sockets.folder().glob("*.sock"))


def test_a_folder_that_others_can_enter_is_refused(home):
    (folder := sockets.folder()).chmod(0o755)
    with pytest.raises(EngineError, match="mode 700"):
        sockets.folder()
    folder.chmod(0o700)


def test_training_waits_until_a_busy_engine_is_gone(ref, home, tmp_path, monkeypatch):
    monkeypatch.setattr(sockets, "_HELLO_S", 1)
    run(ref, tmp_path / "before", count=1)
    (process,) = processes(home)
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, tests, ref.name_or_path, str(tmp_path / "kept"), "9000"]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "stored\n"

        def say(line):
            lines.append(line)
            other.kill()  # from now on nobody uses the engine

        sockets.end_all(say)
    assert not processes(home)
    assert len(lines) == 1 and f"another run uses, or that is just ending: process {process.pid} with " in lines[0]


def test_training_waits_for_an_engine_without_a_socket(ref, home, tmp_path):
    """As one that has given up its name and still frees its memory."""
    run(ref, tmp_path, count=1)
    (process,) = processes(home)
    next(sockets.folder().glob("*.sock")).unlink()
    lines = []
    sockets.end_all(lambda line: (lines.append(line), process.kill()))
    assert len(lines) == 1 and not processes(home)


ALIVE = """
import sys
from pathlib import Path
from funreason.llm.engines import sockets
sockets.show_alive(Path(sys.argv[1]), "models/judge")
print("alive", flush=True)
sys.stdin.read()
"""


def test_engines_of_other_clones_are_named_unless_they_have_other_gpus(home, monkeypatch):
    own = sockets.folder()
    other = own.parent / "0123456789ab"
    other.mkdir(mode=0o700)

    def alive(folder: Path, devices: str) -> subprocess.Popen:
        command = [sys.executable, "-c", ALIVE, str(folder / "a.sock")]
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": devices}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout.readline() == "alive\n"
        return process

    def named() -> list[str]:
        lines = []
        sockets.name_others(lines.append)
        return lines

    with alive(own, "0"), alive(other, "1") as process:
        (line,) = named()
        assert f"of another clone lives, process {process.pid} with models/judge" in line
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")
        assert len(named()) == 1
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
        assert named() == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert named() == []  # the sign of a process that has ended


CLONE = """
import os, sys
from funreason.llm.engines import sockets
print(sockets.folder())
"""


def folder_in(clone: Path, **environment: str) -> Path:
    """The folder of the sockets of a stage that runs in a clone."""
    clone.mkdir(exist_ok=True)
    settings = {key: value for key, value in os.environ.items() if key not in ("DVC_ROOT", "FUNREASON_ENGINES")}
    command = [sys.executable, "-c", CLONE]
    return Path(subprocess.check_output(command, cwd=clone, env=settings | environment, text=True).strip())


def test_a_clone_neither_asks_nor_ends_the_engine_of_another(ref, home, tmp_path, monkeypatch):
    """The same code, model and parameters, in two folders."""
    first, second = tmp_path / "first", tmp_path / "second"
    of_first, of_second = folder_in(first), folder_in(second)
    assert of_first != of_second
    assert folder_in(second, DVC_ROOT=str(first)) == of_first  # a temporary workspace of DVC's experiments
    shared = {"FUNREASON_ENGINES": str(home / "shared")}
    assert folder_in(first, **shared) == folder_in(second, **shared) == home / "shared"
    monkeypatch.delenv("DVC_ROOT", raising=False)
    for clone in (first, second):
        monkeypatch.chdir(clone)
        run(ref, tmp_path / f"answers of {clone.name}", count=3)
    assert len(processes(home)) == 2
    sockets.stop_idle()
    assert within(LONG, lambda: len(processes(home)) == 1)
    assert processes(of_first)


def test_a_folder_too_long_for_a_socket_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("FUNREASON_ENGINES", str(tmp_path / ("x" * 100)))
    with pytest.raises(EngineError, match="the folder of a socket at most 81; set FUNREASON_ENGINES to a shorter path"):
        sockets.folder()
