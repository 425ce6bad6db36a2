"""Client over a real vLLM engine: order, cache, determinism, and what a kill leaves."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import save_tiny_model

from funreason.core.errors import EngineError, ModelError, ParamsError
from funreason.llm import Cache, Client, ModelRef, Request, Response, load_ref
from funreason.llm.chat import ChatRenderer
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.request import Sampling

from .conftest import SAMPLING, chats, llm_params

TOY = Path(__file__).parents[2] / "toy/models/toy-base"


def test_answers_in_order_asking_equal_requests_once(ref, engine, cache):
    first, second, third = chats(3)
    with Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        responses = client.run([third, first, second, first])
        again = client.run([first, second, third])
    assert responses == [again[2], again[0], again[1], again[0]]
    assert len({response.text for response in again}) == 3
    assert all(0 < response.completion_tokens <= 24 for response in again)
    assert {response.finish_reason for response in responses} <= {"stop", "length"}
    tokens = sum(response.completion_tokens for response in responses + again)
    assert client.stats | {"prompt_tokens": 0} == {
        "requests": 7, "cache_hits": 4, "prompt_tokens": 0, "completion_tokens": tokens
    }  # fmt: skip


def test_a_second_run_starts_no_engine(ref, engine, cache):
    with Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        first = client.run(chats(6))
    with Client(ref, llm_params(), SAMPLING, cache=cache) as client:
        assert client.run(chats(6)) == first
        assert client.stats["cache_hits"] == 6
        assert not client.engine.started


def test_reruns_are_token_identical_whatever_ran_before(ref, engine, tmp_path):
    # A prefix long enough for vLLM to keep, so that a rerun meets another state unless the engine sees to it.
    shared = {"role": "system", "content": "You compose functions. " * 20}
    requests = [Request([shared, *request.messages]) for request in chats(12)]

    def run(folder: str) -> list[Response]:
        with Cache(tmp_path / folder) as cache:
            return Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine).run(requests)

    first = run("a")
    with Cache(tmp_path / "other") as cache:
        Client(ref, llm_params(), SAMPLING | {"seed": 8}, cache=cache, engine=engine).run(chats(5))
    assert run("b") == first


def test_a_regex_holds_a_model_that_knows_nothing_to_the_form(ref, engine, cache):
    """Structured output on a random model; without the regex none of its texts has that form."""
    form = r"<judge>(True|False)</judge>"
    with Client(ref, llm_params(), SAMPLING | {"max_tokens": 48, "regex": form}, cache=cache, engine=engine) as client:
        held = client.run(chats(6))
    with Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        free = client.run(chats(6))
        assert client.stats["cache_hits"] == 0
    assert all(re.fullmatch(form, response.text) and response.finish_reason == "stop" for response in held)
    assert not any(re.fullmatch(form, response.text) for response in free)


def test_the_engine_runs_in_this_process(ref, engine, cache):
    # In a process of its own it starts five times slower on a CPU, and its batches depend on timing.
    Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine).run(chats(1))
    assert type(engine._engine.engine_core).__name__ == "InprocClient"


def test_samples_and_prefixes_are_asked_apart(ref, engine, cache):
    messages = chats(1)[0].messages
    requests = [Request(messages), Request(messages, index=1), Request(messages, prefix="<think>")]
    with Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        plain, sample, prefixed = client.run(requests)
    assert len({plain.text, sample.text, prefixed.text}) == 3
    assert prefixed.prompt_tokens > plain.prompt_tokens == sample.prompt_tokens


def test_a_prompt_without_room_is_too_long_and_starts_no_engine(ref, cache):
    long = Request([{"role": "user", "content": "x, y; " * 500}])
    with Client(ref, llm_params(), SAMPLING, cache=cache) as client:
        (response,) = client.run([long])
        assert (response.text, response.finish_reason, response.completion_tokens) == ("", "too_long", 0)
        assert response.prompt_tokens > 512
        assert not client.engine.started


def test_the_context_bounds_the_answer(ref, engine, cache):
    room_for_few = Request([{"role": "user", "content": "x" * 480}])
    with Client(ref, llm_params(), SAMPLING | {"max_tokens": 400}, cache=cache, engine=engine) as client:
        (response,) = client.run([room_for_few])
    assert response.prompt_tokens + response.completion_tokens <= 512
    assert response.completion_tokens > 0


@pytest.mark.parametrize(
    "finish_reason, prompt_tokens, completion_tokens, fits",
    [
        ("stop", 100, 10, True),
        ("length", 100, 24, True),
        ("length", 100, 20, False),  # cut by a smaller max_model_len than ours
        ("length", 500, 12, True),  # cut where we would cut
        ("stop", 500, 20, False),  # longer than we have room for
        ("stop", 600, 1, False),
    ],
)
def test_stored_responses_fit_the_context(engine, finish_reason, prompt_tokens, completion_tokens, fits):
    response = Response("x", finish_reason, prompt_tokens, completion_tokens)
    assert engine.would_give(response, Sampling.of(SAMPLING)) is fits


def test_another_model_shares_nothing(ref, engine, cache, tmp_path):
    with Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        job = client._job(chats(1)[0])
    other = load_ref(save_tiny_model(tmp_path / "other", seed=1))
    with Client(other, llm_params(), SAMPLING, cache=cache) as client:
        assert client._job(chats(1)[0]).key != job.key


def test_an_interrupted_stream_leaves_nothing_behind(ref, engine, cache, tmp_path):
    with Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        whole = client.run(chats(6))
        jobs = [client._job(request) for request in chats(6)]
    stream = engine.stream(jobs, Sampling.of(SAMPLING))
    next(stream)
    stream.close()
    with Cache(tmp_path / "fresh") as fresh:
        assert Client(ref, llm_params(), SAMPLING, cache=fresh, engine=engine).run(chats(6)) == whole


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from llm.conftest import SAMPLING, chats, llm_params
from funreason.llm import Cache, Client, load_ref
client = Client(load_ref(sys.argv[2]), llm_params(), SAMPLING, cache=Cache(sys.argv[3]))
stream = client.engine.stream
def counted(*arguments):
    for item in stream(*arguments):
        yield item
        print("stored", flush=True)  # the client wants the next one, so it must have stored this one
client.engine.stream = counted
client.run(chats(60))
"""


def test_a_kill_loses_nothing_that_was_finished(ref, engine, tmp_path):
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, tests, ref.name_or_path, str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with child:
        assert [next(child.stdout) for _ in range(30)] == ["stored\n"] * 30
        child.kill()
    assert child.returncode == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "responses.sqlite") as reader:
        kept = reader.execute("SELECT count(*) FROM responses").fetchone()[0]
    assert 30 <= kept < 60
    with Cache(tmp_path) as cache, Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine) as client:
        keys = [client._job(request).key for request in chats(60)]
        stored = cache.get(keys)
        resumed = dict(zip(keys, client.run(chats(60)), strict=True))
    assert client.stats["cache_hits"] == kept == len(stored)
    assert resumed | stored == resumed
    with Cache(tmp_path / "whole") as cache:
        whole = Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine).run(chats(60))
    whole = dict(zip(keys, whole, strict=True))
    assert whole | stored == whole  # another process writes the same tokens


def test_a_model_that_does_not_exist(cache):
    nowhere = ModelRef("no/such-model", "c0ffee", "hub:no/such-model@c0ffee", "hub")
    with pytest.raises(ModelError, match="'no/such-model' cannot be loaded"):
        Client(nowhere, llm_params(), SAMPLING, cache=cache).run(chats(1))


def test_a_folder_without_a_tokenizer_names_the_files_that_it_needs(tmp_path):
    shutil.copy(TOY / "config.json", tmp_path)
    with pytest.raises(ModelError, match=r"copy tokenizer\.json and tokenizer_config\.json into it"):
        _ = ChatRenderer(ModelRef(str(tmp_path), None, "")).tokenizer


def test_a_model_that_does_not_fit(ref, cache):
    params = llm_params(max_model_len=100_000)
    with pytest.raises(EngineError, match="max_model_len .*check models") as caught:
        Client(ref, params, SAMPLING, cache=cache).run(chats(1))
    assert "\n" not in str(caught.value)


def test_a_servers_model_needs_the_server_engine():
    with pytest.raises(ModelError, match="llm.engine: server"):
        VllmEngine(ModelRef("gpt", None, "server:gpt", "server"), llm_params())


@pytest.mark.parametrize("bad", [{"temperature": -1}, {"max_tokens": 0}, {"top_p": 0}, {"top_q": 1}])
def test_bad_sampling_is_refused(ref, cache, bad):
    with pytest.raises(ParamsError, match=next(iter(bad))):
        Client(ref, llm_params(), SAMPLING | bad, cache=cache)
