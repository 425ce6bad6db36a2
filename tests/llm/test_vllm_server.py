"""The server engine against vLLM's own OpenAI-compatible server, which has to say what vLLM in process says."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from funreason.llm import Cache, Client, Request

from .conftest import SAMPLING, chats, llm_params, server_params

GREEDY = SAMPLING | {"temperature": 0.0}


@pytest.fixture(scope="module")
def url(tiny_model, tmp_path_factory):
    """A running vLLM server for the tiny model, under its folder's name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny_model)]
    command += ["--port", str(port), "--host", "127.0.0.1", "--dtype", "float32", "--max-model-len", "512"]
    command += ["--enforce-eager", "--max-num-seqs", "4", "--no-enable-chunked-prefill"]
    command += ["--max-num-batched-tokens", "4096", "--generation-config", "vllm"]
    settings = {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_WAIT_POLICY": "PASSIVE", "VLLM_LOGGING_LEVEL": "ERROR"}
    log = tmp_path_factory.mktemp("server") / "log"
    with open(log, "wb") as file:
        process = subprocess.Popen(command, env=os.environ | settings, stdout=file, stderr=file)
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(180)


def _wait(address, process, log):
    deadline = time.monotonic() + 600  # 20 s on an idle machine, ten times that on a starved one
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return urllib.request.urlopen(address, timeout=5)
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


def test_it_answers_as_vllm_in_process_does(url, ref, engine, cache, tmp_path):
    prefixed = Request(chats(1)[0].messages, prefix="<think>The")
    long = Request([{"role": "user", "content": "x, y; " * 500}])
    near = Request([{"role": "user", "content": "x" * 480}])
    requests = [*chats(8), prefixed, near, long]
    with Client(ref, server_params(url, timeout_s=120), GREEDY, cache=cache) as client:
        served = client.run(requests)
    with Cache(tmp_path / "other") as other:
        inside = Client(ref, llm_params(), GREEDY, cache=other, engine=engine).run(requests)
    assert [response.text for response in served] == [response.text for response in inside]
    assert [response.finish_reason for response in served] == [it.finish_reason for it in inside]
    assert served[-1].finish_reason == "too_long"


def test_a_seed_makes_a_servers_sampling_repeatable(url, ref, tmp_path):
    runs = []
    for folder in ("a", "b"):
        with (
            Cache(tmp_path / folder) as cache,
            Client(ref, server_params(url), SAMPLING, cache=cache) as client,
        ):
            runs.append(client.run(chats(4)))
    assert runs[0] == runs[1]
