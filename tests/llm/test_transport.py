"""Deadlines, waits, budgets and interrupts: what a server can do to the time and the money of a stage."""

import json
import logging
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from funreason.core.errors import EngineError
from funreason.llm import Client, ModelRef
from funreason.llm.engines import attempts
from funreason.llm.engines.attempts import wait_s

from .conftest import SAMPLING, chats, server_params
from .hostile_replies import SECRET, dripping, dripping_header, endless, raw
from .http_server import completion, serve

REF = ModelRef("m", None, "server:m", "server")


def ask(server, cache, count=1, **changes):
    with Client(REF, server_params(server.url, **changes), SAMPLING, cache=cache) as client:
        return client.run(chats(count))


@pytest.mark.parametrize("reply", [dripping, dripping_header, 9.0])
def test_timeout_s_bounds_the_whole_request(cache, reply):
    start = time.monotonic()
    with (
        serve(reply) as server,
        pytest.raises(EngineError, match="no whole reply within 0.3 s.*raise llm.server.timeout_s"),
    ):
        try:
            ask(server, cache, timeout_s=0.3, max_retries=0)
        finally:
            seconds = time.monotonic() - start
    assert seconds < 1.5


def test_a_dripping_list_of_models_does_not_hold_the_stage_up(cache, monkeypatch):
    from .http_server import _Handler

    monkeypatch.setattr(_Handler, "do_GET", dripping)
    with serve() as server, pytest.raises(EngineError, match="no whole reply"):
        ask(server, cache, timeout_s=0.3)


def test_an_endless_body_does_not_fill_the_memory(cache):
    with serve(endless) as server, pytest.raises(EngineError, match="more than N MiB"):
        ask(server, cache)
    assert len(server.asked) == 1  # it may be billed: not asked again


def test_nothing_that_a_server_sends_is_logged(cache, caplog, monkeypatch):
    monkeypatch.setenv("TOY_KEY", SECRET)
    reply = json.dumps(completion("x"))
    head = f"HTTP/1.1 200 {SECRET}\r\nX-Echo: {SECRET}\r\n"
    with caplog.at_level(logging.DEBUG), serve(raw(reply, head=head)) as server:
        assert ask(server, cache, api_key_env="TOY_KEY")[0].text == "x"
    assert SECRET not in caplog.text


@pytest.mark.parametrize("proxy", ["socks5://me:very-secret@127.0.0.1:9", "nonsense://me:very-secret@x"])
def test_a_proxy_that_cannot_be_used(cache, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    params = server_params("http://server.invalid/v1")
    with pytest.raises(EngineError) as caught, Client(REF, params, SAMPLING, cache=cache) as client:
        client.run(chats(1))
    assert "very-secret" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-\nline", "sk-\u00e9", "  "])
def test_a_key_that_no_header_can_hold(cache, monkeypatch, key):
    monkeypatch.setenv("TOY_KEY", key)
    with serve() as server, pytest.raises(EngineError, match="llm.server.api_key_env: 'TOY_KEY'") as caught:
        ask(server, cache, api_key_env="TOY_KEY")
    assert key not in str(caught.value) and not server.asked


@pytest.mark.parametrize(
    ("wish", "low", "high"),
    [
        ("3", 3, 3), ("0", 0, 0), ("2.5", 2.5, 2.5), (" 7 ", 7, 7), ("120", 120, 120),
        ("121", 120, 120), ("1e9", 120, 120), ("inf", 120, 120), ("9" * 400, 120, 120),
        (None, 0.375, 0.5), ("", 0.375, 0.5), ("-1", 0.375, 0.5), ("nan", 0.375, 0.5), ("soon", 0.375, 0.5),
        ("Fri, 99 Foo 99999 99:99:99 GMT", 0.375, 0.5),
    ],
)  # fmt: skip
def test_the_wait_follows_the_server_up_to_a_limit(wish, low, high):
    assert low <= wait_s(0, wish) <= high


@pytest.mark.parametrize(("seconds", "low", "high"), [(60, 50, 60), (10**6, 120, 120), (-(10**6), 0.375, 0.5)])
def test_the_wait_follows_a_date(seconds, low, high):
    date = datetime.now(UTC) + timedelta(seconds=seconds)
    assert low <= wait_s(0, format_datetime(date, usegmt=True)) <= high


def test_the_wait_without_a_wish_doubles_up_to_eight_seconds():
    for attempt, most in enumerate((0.5, 1, 2, 4, 8, 8, 8)):
        assert 0.75 * most <= wait_s(attempt, None) <= most


def test_a_server_that_asks_for_years_is_asked_again_after_the_limit(cache, monkeypatch):
    monkeypatch.setattr(attempts, "LONGEST_WAIT_S", 0.1)

    def overloaded(handler):
        handler.wfile.write(b"HTTP/1.1 429 Slow\r\nRetry-After: 1000000000\r\nContent-Length: 0\r\n\r\n")

    with serve(overloaded) as server:
        assert ask(server, cache)[0].finish_reason == "stop"


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -(10**6), "completion_tokens": -(10**6)},
        {"prompt_tokens": 0, "completion_tokens": 0},
    ],
)
def test_no_usage_switches_the_budget_off(cache, usage):
    text = "x" * 60
    with (
        serve(answer=lambda _: completion(text) | {"usage": usage}) as server,
        pytest.raises(EngineError, match="llm.server.max_tokens"),
    ):
        ask(server, cache, count=200, max_tokens=400, concurrency=1)
    assert len(server.asked) < 400 / 20  # 60 characters are 20 tokens at least


def test_a_usage_that_cannot_be_true_does_not_spend_the_budget(cache):
    with serve(
        answer=lambda _: completion("x") | {"usage": {"prompt_tokens": 10**15, "completion_tokens": 1}}
    ) as server:
        assert len(ask(server, cache, count=9, max_tokens=10**6)) == 9


def test_answers_that_are_there_at_an_interrupt_are_stored(cache, monkeypatch):
    """Ctrl-C comes while the engine waits; by then a second answer has come."""
    from funreason.llm.engines import server as module

    plain, calls = module.wait, []

    def interrupted(running, **words):
        calls.append(len(running))
        if len(calls) == 2:
            time.sleep(0.3)  # until the others are there
            raise KeyboardInterrupt
        return plain(running, **words)

    monkeypatch.setattr(module, "wait", interrupted)
    with serve() as server, pytest.raises(KeyboardInterrupt):
        ask(server, cache, count=9, concurrency=3)
    stored = cache.do(lambda database: database.execute("SELECT count(*) FROM responses").fetchone()[0])
    assert stored == len(server.asked) < 9


def test_a_closed_client_leaves_no_thread(cache):
    with serve() as server:
        ask(server, cache, count=3)
    assert "llm-server" not in {thread.name for thread in threading.enumerate()}  # a progress bar has its own thread


STAGE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has its background jobs ignore
sys.path.insert(0, sys.argv[1])
from llm.conftest import SAMPLING, chats, server_params
from funreason.core.runtime import outcome
from funreason.llm import Cache, Client, ModelRef

def main():
    params, ref = server_params(sys.argv[2], concurrency=8), ModelRef("m", None, "server:m", "server")
    with Cache(sys.argv[3]) as cache, Client(ref, params, SAMPLING, cache=cache) as client:
        client.run(chats(200))

sys.exit(outcome(main, []))
"""


def test_ctrl_c_ends_a_stage_at_once_in_one_line(tmp_path):
    """Requests that would take minutes are in flight."""
    over, answers = threading.Event(), [completion("x")] * 6

    def answer(_):
        return answers.pop() if answers else lambda handler: over.wait(60)

    with serve(answer=answer) as server:
        command = [sys.executable, "-c", STAGE, str(Path(__file__).parents[1]), server.url, str(tmp_path)]
        child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while len(server.asked) < 14:
            time.sleep(0.02)
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, shown = child.communicate(timeout=30)
        seconds = time.monotonic() - start
        over.set()
    assert (child.returncode, shown) == (130, "error: interrupted; run again to go on\n")
    assert seconds < 5
    with sqlite3.connect(tmp_path / "responses.sqlite") as database:
        assert database.execute("SELECT count(*) FROM responses").fetchone() == (6,)
