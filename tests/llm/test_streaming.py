"""Client as a stream: its memory, its order, its progress line."""

import io
import subprocess
import sys

import pytest

from funreason.core.errors import EngineError
from funreason.llm import Client
from funreason.llm import client as client_module
from funreason.llm import progress as progress_module

from .conftest import SAMPLING, chats
from .http_server import serve
from .test_server_engine import REF, server_params


def test_what_is_not_held_in_memory_is_read_again_in_order(monkeypatch, cache):
    monkeypatch.setattr(client_module, "_HELD", 3)
    monkeypatch.setattr(client_module, "_BLOCK", 4)
    with serve() as server, Client(REF, server_params(server.url), SAMPLING, cache=cache) as client:
        for _ in range(2):
            texts = [response.text for response in client.stream(chats(11) + chats(2))]
            assert texts == [f"to What is {n} and {n}?" for n in (*range(11), 0, 1)]
    assert len(server.asked) == 11
    assert client.stats == {"requests": 26, "cache_hits": 15, "prompt_tokens": 130, "completion_tokens": 52}


def test_a_response_dropped_meanwhile_is_an_error_and_not_a_hole(monkeypatch, cache):
    monkeypatch.setattr(client_module, "_HELD", 0)
    with serve() as server, Client(REF, server_params(server.url), SAMPLING, cache=cache) as client:
        stream = client.stream(chats(3))
        monkeypatch.setattr(client_module, "_BLOCK", 1)
        next(stream)
        cache.do(lambda database: database.execute("DELETE FROM responses"))
        with pytest.raises(EngineError, match="run again"):
            list(stream)


SPOOLED = """
import resource
from funreason.llm.request import Job, Request
from funreason.llm.spool import Spool

def jobs(first):
    for number in range(first, first + 500):
        text = f"{number} " * 1500
        yield Job(number.to_bytes(32), Request([{"role": "user", "content": text}]), text, number)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before, spool = peak(), Spool()
for first in range(0, 12_000, 500):
    spool.add(jobs(first), ())
assert sum(1 for _ in spool.jobs()) == spool.todo == len(spool) == 12_000
print(peak() - before)
"""


def test_what_waits_for_the_engine_waits_on_the_disk():
    done = subprocess.run([sys.executable, "-c", SPOOLED], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 60  # MiB; the texts are 150 MiB, twice


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_line_has_rates_and_time_left_on_a_terminal_only(monkeypatch, cache):
    monkeypatch.setattr(progress_module, "_EVERY_S", 0)
    for stderr, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stderr)
        with serve() as server, Client(REF, server_params(server.url), SAMPLING, cache=cache) as client:
            client.run(chats(2))
            client.run(chats(30 if shown else 31), desc="cot")
        line = stderr.getvalue()
        assert ("row/s" in line and "2 cached" in line and "output tokens/s" in line and "cot" in line) == shown
        assert shown or not line
