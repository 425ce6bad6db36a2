"""The stage over BFCL's conversations: a real engine, a run that is killed, and the same bytes again."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from llm.http_server import serve

from funreason.core.jsonio import unwrapped
from funreason.evaluate.bfcl_metrics import MULTI_TURN
from funreason.evaluate.bfcl_turns import SimulatedApis

from .gold_turns import gold_answers, perfect
from .suite import QUESTION, write_folder
from .workspace import ROOT, rows, set_params, stage

pytestmark = pytest.mark.model

LONG = {"evaluate.bfcl.categories": ["multi_turn"], "evaluate.bfcl.limit": 1, "evaluate.bfcl.max_tokens": 32}
OUTS = ("data/base/bfcl.jsonl", "metrics/base/bfcl.json")


@pytest.fixture
def workspace(tmp_path) -> Path:
    """What the stage reads, with the toy's own student, which may read longer here than it was trained to."""
    write_folder(tmp_path / "data/toy/known", 1)
    write_folder(tmp_path / "data/toy/new", 1)
    shutil.copytree(ROOT / "toy/models/toy-base", tmp_path / "models/student")
    config = tmp_path / "models/student/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": 16384}))
    base = {"kind": "local", "path": "models/student", "revision": None, "identity": "sha256:0"}
    (tmp_path / "models/base.json").write_text(json.dumps(base))
    return tmp_path


def outs(workspace: Path) -> list[bytes]:
    return [(workspace / name).read_bytes() for name in OUTS]


def stored(workspace: Path) -> list[tuple]:
    """All responses with the moment they came."""
    with closing(sqlite3.connect(workspace / "cache/responses.sqlite")) as database:
        return database.execute("SELECT key, text, created FROM responses ORDER BY key").fetchall()


def test_the_toy_model_on_vllm(workspace):
    """It was never taught conversations: what counts is that the stage runs, and that a second run asks nothing."""
    set_params(workspace, LONG | {"llm.engine": "vllm", "llm.max_model_len": 16384, "llm.kv_cache_gb": 0.5})
    done = stage(workspace, "evaluate_bfcl.py", "base")
    assert done.returncode == 0, done.stderr
    first, answers = outs(workspace), stored(workspace)
    figures = unwrapped(json.loads(first[1]))["bfcl"]
    assert {name: part["n"] for name, part in figures["categories"].items()} == dict.fromkeys(MULTI_TURN, 1)
    assert figures["multi_turn"]["partial"] and figures["multi_turn"]["n"] == 4 and figures["leaderboard"] is None
    conversations = [row for row in rows(workspace / OUTS[0]) if row["suite"] == "bfcl"]
    assert (
        len(conversations) == 4
        and any(row["turns"] for row in conversations)
        and all(row["error"] for row in conversations)
    )
    assert {m["role"] for m in conversations[0]["messages"]} <= {"user", "assistant", "tool"}
    done = stage(workspace, "evaluate_bfcl.py", "base")
    assert done.returncode == 0, done.stderr
    assert outs(workspace) == first and stored(workspace) == answers


def test_a_killed_run_continues(workspace, mode):
    conversations = SimulatedApis("v4", mode, "tool").start("bfcl", [MULTI_TURN[0]], 3)
    gold, concurrency = gold_answers(MULTI_TURN[0]), 2
    with serve(answer=perfect(conversations)) as server:
        set_params(workspace, {
            "llm.engine": "server", "llm.server.base_url": server.url, "llm.server.concurrency": concurrency,
            "evaluate.bfcl.categories": [MULTI_TURN[0]], "evaluate.bfcl.limit": 3,
        })  # fmt: skip
        _kill_when(workspace, lambda: len(server.asked) > 12)
        done = stage(workspace, "evaluate_bfcl.py", "base")
        assert done.returncode == 0, done.stderr
        asked = [json.dumps(body) for body in server.asked]
        in_turns = {body for body in asked if QUESTION not in body}
        assert len(in_turns) == sum(len(gold[conversation.id]) for conversation in conversations)
        assert len(asked) - len(set(asked)) <= concurrency, "only what was under way should be asked twice"
        count, first = len(server.asked), outs(workspace)
        assert unwrapped(json.loads(first[1]))["bfcl"]["categories"][MULTI_TURN[0]]["correct"] == 3
        assert stage(workspace, "evaluate_bfcl.py", "base").returncode == 0
        assert len(server.asked) == count and outs(workspace) == first


def _kill_when(workspace: Path, condition) -> None:
    command = [sys.executable, str(ROOT / "stages/evaluate_bfcl.py"), "base"]
    environment = os.environ | {"FUNREASON_CACHE": str(workspace / "cache")}
    run = subprocess.Popen(command, cwd=workspace, env=environment)
    while not condition():
        assert run.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
