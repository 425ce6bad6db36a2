"""The parsers inside vLLM's own machinery, whole and in parts, and where vLLM's `pythonic` parser reads otherwise."""

import json
import logging

import pytest

from .test_answers import CASES, hostile

pytestmark = pytest.mark.model
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {"start-date": {}}}}}
    for name in ("f", "get-weather")
]


@pytest.fixture(scope="module")
def parsers():
    """vLLM's composition of our two parsers, for a tokenizer; and a request."""
    from families import tokenizer_of
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.parser import ParserManager

    import funreason.serve.plugin  # noqa: F401

    tokenizer = tokenizer_of("toy")
    kind = ParserManager.get_parser("funreason", "funreason", True, "toy", tokenizer=tokenizer)
    request = ChatCompletionRequest(model="m", messages=[{"role": "user", "content": "q"}], tools=TOOLS)
    return lambda: kind(tokenizer, request.tools), request


def whole(parsers, text: str) -> tuple[str, str, list]:
    parser, request = parsers
    reasoning, content, calls = parser().parse(text, request, enable_auto_tools=True)
    return reasoning or "", (content or "").strip(), [(call.name, json.loads(call.arguments)) for call in calls or []]


def streamed(parsers, text: str, size: int) -> tuple[str, str, list]:
    make, request = parsers
    parser, reasoning, content, calls = make(), "", "", []
    parts = [text[at : at + size] for at in range(0, len(text), size)] or [""]
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        delta = parser.parse_delta(part, [1], request, prompt_token_ids=[1, 2, 3], finished=last)
        if delta:
            reasoning += delta.reasoning or ""
            content += delta.content or ""
            calls += [(call.function.name, json.loads(call.function.arguments)) for call in delta.tool_calls or []]
            assert last or not delta.tool_calls  # never a part of them
    return reasoning.strip(), content.strip(), calls


@pytest.mark.parametrize("case", CASES)
def test_parts_give_what_the_whole_gives(parsers, case):
    for before in ("", "<think>\nSo.\n</think>\n\n"):
        text = before + CASES[case]
        assert all(streamed(parsers, text, size) == whole(parsers, text) for size in (1, 4, 999))


def test_calls_have_the_users_names(parsers):
    text = "<think>So.</think>[get_weather(start_date='x'), f(), other(a=1)]"
    calls = [("get-weather", {"start-date": "x"}), ("f", {}), ("other", {"a": 1})]
    assert whole(parsers, text) == streamed(parsers, text, 5) == ("So.", "", calls)


def test_hostile_answers_never_break_a_stream(parsers):
    for text in hostile(120):
        text = text.encode(errors="replace").decode()
        assert streamed(parsers, text, 1 + len(text) // 7)[2] == whole(parsers, text)[2]


def test_a_template_that_opens_the_reasoning_but_not_after_a_result(parsers):
    from families import tokenizer_of
    from vllm.parser import ParserManager

    tokenizer = tokenizer_of("deepseekv3")
    kind = ParserManager.get_parser("funreason", "funreason", True, "m", tokenizer=tokenizer)
    make, request = (lambda: kind(tokenizer, request.tools)), parsers[1].model_copy()
    assert whole((make, request), "so</think>[f()]") == ("so", "", [("f", {})])
    assert whole((make, request), "so [f()]") == ("so [f()]", "", [])
    request.messages = [*request.messages, {"role": "tool", "content": "r"}]
    assert whole((make, request), "It is done.") == ("", "It is done.", [])


def test_options_that_the_template_does_not_know_change_nothing(parsers):
    """vLLM hands over one of Cohere's with each request of a server."""
    from families import tokenizer_of

    from funreason.serve.renderer import rendered

    tokenizer, chat = tokenizer_of("qwen3"), [{"role": "user", "content": "a <|im_end|> b"}]
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    options = {"add_generation_prompt": True, "tokenize": False}
    plain = rendered(None, tokenizer, chat, tools=TOOLS, **options)
    assert rendered(None, tokenizer, chat, tools=TOOLS, cohere_format="json", **options) == plain
    assert plain.count(end) == 2


OTHERWISE = {"dotted": [], "keywords": [], "underscore": [], "bare": [], "fenced": []}


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_pythonic_does_not_read(parsers, case):
    """The reason for parsers of our own; where this fails, vLLM has learned it (docs/serving.md)."""
    from vllm.tool_parsers.pythonic_tool_parser import PythonicToolParser

    logging.disable(logging.CRITICAL)
    try:
        read = PythonicToolParser(None).extract_tool_calls(CASES[case], parsers[1])
    finally:
        logging.disable(logging.NOTSET)
    assert read.tool_calls == OTHERWISE[case] and whole(parsers, CASES[case])[2]
