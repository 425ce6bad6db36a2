"""The server of a trained model: vLLM with FunReason's parsers and renderer, until it is interrupted."""

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from funreason.config import LlmParams
from funreason.core.errors import EngineError
from funreason.core.runtime import end_with_parent
from funreason.serve.checkpoint import Checkpoint

PLUGIN = "funreason.serve.plugin"
PARSER = "funreason"
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "WARNING"}
_NOT_FLAGS = ("model", "revision", "tokenizer_revision", "use_tqdm_on_load", "distributed_executor_backend",
              "pipeline_parallel_size")  # fmt: skip
_EXAMPLE_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def serve_command(model: Checkpoint, llm: LlmParams, host: str, port: int, more: list[str]) -> list[str]:
    """The command of the server.

    Args:
        model: The model.
        llm: The block `llm` of params.yaml: context length, dtype and memory.
        host: The address that the server listens at.
        port: Its port.
        more: Further arguments of `vllm serve`, which win.
    """
    from funreason.llm.engines.vllm import engine_arguments
    from funreason.llm.refs import ModelRef

    engine = engine_arguments(ModelRef(model.path, None, model.path), llm)
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model.path]
    command += ["--served-model-name", model.name, "--host", host, "--port", str(port)]
    command += ["--enable-auto-tool-choice", "--tool-call-parser", PARSER, "--reasoning-parser", PARSER]
    command += ["--tool-parser-plugin", PLUGIN, "--reasoning-parser-plugin", PLUGIN]
    # Greedy, as evaluated, where a request names no temperature.
    command += ["--override-generation-config", json.dumps({"temperature": 0.0})]
    for name, value in engine.items():
        if value is not None and name not in _NOT_FLAGS:
            command += _flag(name, value)
    return [*command, *more]


def _flag(name: str, value: Any) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", str(value)]


@contextmanager
def running(command: list[str], url: str, start_s: float = 600, log: Any = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server, from when it answers until the end of the block.

    Args:
        command: As from `serve_command`.
        url: Its address, without a path.
        start_s: Seconds until it must answer.
        log: A file for what it prints; None for the terminal.

    Raises:
        EngineError: It ends, or does not answer in time.
    """
    process = subprocess.Popen(
        command, env=_ENVIRONMENT | os.environ, stdout=log, stderr=log, preexec_fn=end_with_parent
    )
    try:
        _wait(process, f"{url}/health", start_s)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen[bytes], address: str, start_s: float) -> None:
    deadline = time.monotonic() + start_s
    while process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise EngineError(f"the server does not answer at {address} after {start_s:.0f} s") from None
            time.sleep(0.2)
    raise EngineError(f"the server ended with status {process.returncode} before it answered; see its messages above")


def examples(name: str, url: str) -> str:
    """How to ask the server, as a command and in Python.

    Args:
        name: The name of the model.
        url: The address of the server, without a path.
    """
    body = {"model": name, "messages": [{"role": "user", "content": "Weather in Ghent?"}], "tools": [_EXAMPLE_TOOL]}
    return (
        f"{name} answers at {url}/v1 (Ctrl-C ends it)\n\n"
        f"curl {url}/v1/chat/completions -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}\n\n"
        "from openai import OpenAI\n"
        f"client = OpenAI(base_url={f'{url}/v1'!r}, api_key='none')\n"
        f"reply = client.chat.completions.create(model={name!r}, messages={body['messages']!r},\n"
        f"    tools={body['tools']!r})\n"
        "print(reply.choices[0].message.tool_calls)\n"
    )
