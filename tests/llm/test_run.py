"""`Client.run` over a scripted server: order, memory, its progress line."""

import io
import subprocess
import sys

import pytest

from funreason.llm import Client
from funreason.llm import progress as progress_module

from .conftest import chats
from .http_server import serve
from .test_server_engine import REF, SAMPLING, server_params


def test_equal_requests_are_asked_once_and_a_second_run_asks_nothing(cache):
    with serve() as server, Client(REF, server_params(server.url), SAMPLING, cache=cache) as client:
        for _ in range(2):
            texts = [response.text for response in client.run(chats(11) + chats(2))]
            assert texts == [f"to What is {n} and {n}?" for n in (*range(11), 0, 1)]
    assert len(server.asked) == 11
    assert client.stats == {"requests": 26, "cache_hits": 15, "prompt_tokens": 130, "completion_tokens": 52}


def test_responses_dropped_from_the_cache_meanwhile_leave_no_hole(cache):
    with serve() as server, Client(REF, server_params(server.url), SAMPLING, cache=cache) as client:
        stream = client.engine.stream

        def dropping(*arguments):
            for item in stream(*arguments):
                cache.do(lambda database: database.execute("DELETE FROM responses"))
                yield item

        client.engine.stream = dropping
        assert [response.text for response in client.run(chats(3))] == [f"to What is {n} and {n}?" for n in range(3)]


BLOCKS = """
import resource, sys
from funreason.llm import Cache, Client, ModelRef, Request, Response
from funreason.llm.engines.server import ServerEngine

class Echo:
    identity, dtype, started = "echo", None, False
    prompt = ServerEngine.prompt
    def would_give(self, response, sampling):
        return True
    def stream(self, jobs, sampling):
        for job in jobs:
            yield job, Response("text", "stop", 1, 1)

def block(first):
    for number in range(first, first + 1000):
        yield Request([{"role": "user", "content": f"{number} " * 1500}])

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

with Cache(sys.argv[1]) as cache:
    sampling = {"temperature": 0, "max_tokens": 1}
    client = Client(ModelRef("echo", None, "echo"), None, sampling, cache=cache, engine=Echo())
    before = peak()
    responses = [response for first in range(0, 12_000, 1000) for response in client.run(block(first))]
    assert len(responses) == client.stats["requests"] == 12_000
print(peak() - before)
"""


@pytest.mark.slow
def test_only_the_requests_of_one_block_are_in_memory(tmp_path):
    """The stages ask in blocks, so that any number of rows needs the memory of one block."""
    done = subprocess.run([sys.executable, "-c", BLOCKS, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 60  # MiB; the texts are 100 MiB, twice


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
