"""A server as `funreason serve` starts it, asked through the `openai` package: calls as in the offline evaluation."""

import json
import shlex
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from openai import BadRequestError, OpenAI
from project import ROOT

from funreason.calls import CallSyntaxError, parse
from funreason.config import load_params
from funreason.evaluate import toy_suites
from funreason.evaluate.answers import greedy, without_reasoning
from funreason.llm import Cache, Client, Request, load_ref
from funreason.serve.checkpoint import Checkpoint
from funreason.serve.launch import examples, running, serve_command
from funreason.serve.template import served_template
from funreason.toy.world import write_world

pytestmark = [pytest.mark.model, pytest.mark.slow]
MAX_TOKENS = 200


@pytest.fixture(scope="module")
def llm():
    return load_params(ROOT / "profiles/toy.yaml").llm.model_copy(update={"max_num_seqs": 16})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The toy teacher as the train stage saves a model."""
    from transformers import AutoTokenizer

    folder, teacher = tmp_path_factory.mktemp("served") / "model", ROOT / "toy/models/toy-teacher"
    tokenizer = AutoTokenizer.from_pretrained(teacher)
    tokenizer.chat_template = served_template(tokenizer)
    tokenizer.save_pretrained(folder)
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        (folder / name).write_bytes((teacher / name).read_bytes())
    return Checkpoint("toy", str(folder), None)


@pytest.fixture(scope="module")
def queries(tmp_path_factory):
    """The held-out toy queries: (messages, tools as OpenAI's, the chat of the offline evaluation)."""
    world = tmp_path_factory.mktemp("world")
    write_world(world, **load_params(ROOT / "profiles/toy.yaml").toy.model_dump(exclude={"conversation_rows"}))
    out = []
    for prompt in toy_suites.prompts(toy_suites.suite_folders(world)):
        system, *messages = prompt.messages
        functions = json.JSONDecoder().raw_decode(system["content"], system["content"].index("[\n    {"))[0]
        out.append((messages, [{"type": "function", "function": one} for one in functions], prompt.messages))
    return out


@pytest.fixture(scope="module")
def client(model, llm, tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "log"
    with (
        open(log, "wb") as file,
        running(serve_command(model, llm, "127.0.0.1", port, []), f"http://127.0.0.1:{port}", log=file),
    ):
        yield OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", timeout=600)


def whole(client, messages: list, tools: list | None, **more) -> tuple[str, str, list]:
    """Reasoning, text and calls of an answer that comes at once."""
    message = _create(client, messages, tools, **more).choices[0].message
    calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]
    return getattr(message, "reasoning", None) or "", message.content or "", calls


def streamed(client, messages: list, tools: list | None) -> tuple[str, str, list]:
    """The same of an answer that comes in parts."""
    reasoning, content, calls = "", "", {}
    for chunk in _create(client, messages, tools, stream=True):
        for choice in chunk.choices:
            reasoning += getattr(choice.delta, "reasoning", None) or ""
            content += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                name, arguments = calls.get(call.index, ("", ""))
                function = call.function
                calls[call.index] = (name + (function.name or ""), arguments + (function.arguments or ""))
    return reasoning.strip(), content.strip(), [(name, json.loads(text)) for name, text in calls.values()]


def _create(client, messages: list, tools: list | None, **more):
    tools = {"tools": tools} if tools else {}
    return client.chat.completions.create(model="toy", messages=messages, max_tokens=MAX_TOKENS, **tools, **more)


def test_298_queries_have_the_calls_of_the_offline_evaluation(client, model, llm, queries, tmp_path):
    assert len(queries) == 298
    with ThreadPoolExecutor(16) as pool:
        at_once = list(pool.map(lambda query: whole(client, query[0], query[1]), queries))
        in_parts = list(pool.map(lambda query: streamed(client, query[0], query[1]), queries))
    with (
        Cache(tmp_path / "responses") as cache,
        Client(load_ref(model.path), llm, greedy(MAX_TOKENS), cache=cache) as offline,
    ):
        responses = offline.run([Request(chat) for _, _, chat in queries])
    assert at_once == in_parts
    for (reasoning, content, calls), response in zip(at_once, responses, strict=True):
        text = without_reasoning(response.text)
        try:
            expected = [(call.name, json.loads(json.dumps(call.arguments))) for call in parse(text)]
        except CallSyntaxError:
            expected = []
        assert calls == expected
        unclosed = response.text.startswith("<think>") and "</think>" not in response.text
        assert content == ("" if calls or unclosed else text.strip())
        assert bool(reasoning) == ("<think>" in response.text)
    assert sum(bool(calls) for _, _, calls in at_once) > 200


def test_two_steps_names_and_bad_requests(client, queries):
    messages, tools, _ = queries[0]
    renamed = [{**tool, "function": tool["function"] | {"name": _hyphens(tool)}} for tool in tools]
    _, _, calls = whole(client, messages, renamed)
    assert calls == [(name.replace("_", "-"), arguments) for name, arguments in whole(client, messages, tools)[2]]
    assert calls and all("-" in name for name, _ in calls)
    reply = _create(client, messages, tools).choices[0].message
    assert reply.tool_calls and reply.tool_calls[0].id
    results = [{"role": "tool", "tool_call_id": call.id, "content": "R-1"} for call in reply.tool_calls]
    chat = [*messages, reply.model_dump(exclude_none=True), *results]
    assert whole(client, chat, tools) == streamed(client, chat, tools)
    with pytest.raises(BadRequestError, match="two different tools are called 'f'"):
        _create(client, messages, [_tool("f"), _tool("f", {"a": {"type": "string"}})])
    for forced in ("required", {"type": "function", "function": {"name": tools[0]["function"]["name"]}}):
        for stream in (False, True):
            with pytest.raises(BadRequestError, match="tool_choice .* is not supported.*use 'auto'"):
                _create(client, messages, tools, tool_choice=forced, stream=stream)
    assert whole(client, messages, tools, tool_choice="none")[2] == []
    chat[len(messages)]["tool_calls"][0]["function"]["arguments"] = '{"a": null}'
    assert whole(client, chat, tools) == streamed(client, chat, tools)
    chat[len(messages)]["tool_calls"][0]["function"]["arguments"] = '{"a": 1e999}'
    with pytest.raises(BadRequestError, match="not a JSON value"):
        _create(client, chat, tools)


def _hyphens(tool: dict) -> str:
    return tool["function"]["name"].replace("_", "-")


def _tool(name: str, properties: dict | None = None) -> dict:
    parameters = {"type": "object", "properties": properties or {}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def test_the_chat_command_answers_as_the_server(client, model, queries, tmp_path, monkeypatch, capsys):
    from funreason.cli import main

    (tmp_path / "params.yaml").write_bytes((ROOT / "profiles/toy.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    messages, tools, _ = next(query for query in queries if whole(client, query[0], query[1])[2])
    (tmp_path / "tools.json").write_text(json.dumps({"tools": tools}))
    words = ["chat", model.path, messages[-1]["content"], "--tools", "tools.json", "--max-tokens", str(MAX_TOKENS)]
    monkeypatch.setattr("sys.argv", ["funreason", *words, "--json"])
    with pytest.raises(SystemExit) as status:
        main.main()
    out = capsys.readouterr().out
    assert status.value.code == 0
    answer = json.loads(out[out.index("{\n") :])
    reasoning, content, calls = whole(client, messages, tools)
    assert [(call["name"], call["arguments"]) for call in answer["tool_calls"]] == calls
    assert (answer["reasoning"], answer["content"] or "") == (reasoning, content)


def test_the_examples_that_the_command_prints(client):
    shown = examples("toy", str(client.base_url).removesuffix("/v1/"))
    curl, python = shown[shown.index("curl ") :].split("\n\n", 1)
    runs = {f"curl -sS{curl[4:]}": shutil.which("curl"), f"{sys.executable} -c {shlex.quote(python)}": True}
    for command in (command for command, there in runs.items() if there):
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        if command.startswith("curl"):
            assert json.loads(done.stdout)["choices"][0]["message"]["role"] == "assistant"


def test_the_example(client, queries, capsys):
    """With the tool as the toy models know it: they have not learned JSON Schema's words."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("serve_client", ROOT / "examples/serve_client.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    known = {tool["function"]["name"]: tool["function"] for _, tools, _ in queries for tool in tools}
    tool = module.server._tool_manager.get_tool("search_headlines")
    tool.parameters = known["search_headlines"]["parameters"] | {"type": "object"}  # MCP asks for this word
    read = module.openai_tools
    module.openai_tools = lambda tools: json.loads(
        json.dumps(read(tools)).replace('"type": "object"', '"type": "dict"')
    )
    module.main(str(client.base_url), "toy")
    out = capsys.readouterr().out
    assert 'call: search_headlines({"topic": "Poetry"' in out and 'result: ["Poetry of the day"]' in out, out
    assert out.count("reasoning: ") == 2
