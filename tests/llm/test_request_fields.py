"""Fields of a request that are renamed, left out or added, for servers that know others."""

from datetime import date

import pytest

from funreason.config import check_params, read_yaml
from funreason.core.errors import ParamsError
from funreason.llm import Client, ModelRef

from .conftest import SAMPLING, chats, server_params
from .http_server import serve

REF = ModelRef("m", None, "server:m", "server")
OPENAI = {  # as docs/llm.md has it
    "rename_fields": {"max_tokens": "max_completion_tokens"},
    "omit_fields": ["temperature", "top_p", "seed"],
    "extra_body": {"reasoning_effort": "low"},
}


def ask(server, cache, **changes):
    with Client(REF, server_params(server.url, **changes), SAMPLING, cache=cache) as client:
        return client.run(chats(1))


def test_fields_are_renamed_left_out_and_added(cache):
    with serve() as server:
        ask(server, cache, **OPENAI)
    (body,) = server.asked
    messages = chats(1)[0].messages
    assert body == {"model": "m", "messages": messages, "max_completion_tokens": 24, "reasoning_effort": "low"}


def test_what_changes_the_answer_is_part_of_its_identity(cache):
    with serve() as server:
        ask(server, cache)
        ask(server, cache, rename_fields=OPENAI["rename_fields"])  # the same, said in other words
        assert len(server.asked) == 1
        ask(server, cache, extra_body={"reasoning_effort": "low"})
        ask(server, cache, extra_body={"reasoning_effort": "high"})
        ask(server, cache, omit_fields=["seed"])
        ask(server, cache, omit_fields=["temperature", "seed"])
        assert len(server.asked) == 5
        ask(server, cache, omit_fields=["seed", "temperature"])
        assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rename_fields": {"max_tokenz": "x"}}, "max_tokenz"),
        ({"omit_fields": ["messages"]}, "messages"),
        ({"rename_fields": {"seed": "top_p"}}, "top_p would be sent twice"),
        ({"extra_body": {"temperature": 1}}, "temperature would be sent twice"),
        ({"extra_body": {"max_completion_tokens": 5}, "rename_fields": OPENAI["rename_fields"]}, "would be sent twice"),
        ({"extra_body": {"model": "other"}}, "model would be sent twice"),
        ({"extra_body": {"stream": True}}, "stream cannot be set"),
        ({"extra_body": {"x": date(2026, 1, 1)}}, "extra_body cannot be written as JSON"),
        ({"extra_body": {"api_key": "sk-very-secret"}}, "extra_body holds a password or key"),
        ({"max_refused_fraction": 1.5}, "max_refused_fraction"),
    ],
)
def test_fields_that_cannot_be_sent_are_refused(changes, problem):
    values = read_yaml("profiles/toy.yaml")
    values["llm"]["server"] |= changes
    with pytest.raises(ParamsError, match=problem) as caught:
        check_params(values, "params.yaml")
    assert "\n" not in str(caught.value) and "very-secret" not in str(caught.value)


def test_a_field_may_be_left_out_and_sent_with_another_value():
    values = read_yaml("profiles/toy.yaml")
    values["llm"]["server"] |= {"omit_fields": ["temperature"], "extra_body": {"temperature": 1}}
    assert check_params(values, "params.yaml").llm.server.extra_body == {"temperature": 1}
