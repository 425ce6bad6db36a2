"""The server engine against a scripted HTTP server: retries, failures, keys, concurrency, odd replies."""

import json
import socket
import time

import pytest

from funreason.config import PriceParams, PricesParams
from funreason.core.errors import EngineError
from funreason.llm import Client, ModelRef, Request, counting

from .conftest import SAMPLING, chats, llm_params, server_params
from .http_server import completion, serve

REF = ModelRef("m", None, "server:m", "server")


def ask(server, cache, count=1, requests=None, **changes):
    with Client(REF, server_params(server.url, **changes), SAMPLING, cache=cache) as client:
        return client.run(requests or chats(count))


def test_overload_and_server_errors_are_asked_again(cache):
    with serve(429, 500, 503) as server:
        (response,) = ask(server, cache)
    assert response.text == "to What is 0 and 0?"
    assert (response.prompt_tokens, response.completion_tokens) == (5, 2)
    assert len(server.asked) == 4
    assert all(body == server.asked[0] for body in server.asked)


def test_an_error_with_status_200_is_asked_again_like_its_status(cache):
    busy = [{"code": 503, "message": "x"}, {"type": "overloaded_error"}, "upstream timed out"]
    with serve(*({"error": error} for error in busy)) as server:
        assert ask(server, cache)[0].finish_reason == "stop"
    assert len(server.asked) == 4


def test_a_timeout_is_asked_again(cache):
    with serve(1.0) as server:
        ask(server, cache, timeout_s=0.3)
    assert len(server.asked) == 2


def test_retries_end_in_one_line(cache):
    with serve(500, 500) as server, pytest.raises(EngineError, match="model 'm'.*500") as caught:
        ask(server, cache, max_retries=1)
    assert len(server.asked) == 2
    assert "\n" not in str(caught.value)


def test_responses_before_a_failure_are_kept(cache):
    # The first fails while the second is still being written: that one is paid for, the others unasked.
    with serve(404, 0.3) as server:
        with pytest.raises(EngineError, match="404"):
            ask(server, cache, count=9)
        assert len(server.asked) == 2
        ask(server, cache, count=9)
    assert len(server.asked) == 2 + 8


def test_a_budget_of_requests_stops_and_the_next_run_goes_on(cache):
    with serve() as server:
        with pytest.raises(EngineError, match="llm.server.max_requests: 5 of 5.*run again to go on"):
            ask(server, cache, count=8, max_requests=5)
        assert len(server.asked) == 5
        assert len(ask(server, cache, count=8, max_requests=5)) == 8
        assert len(server.asked) == 8
        ask(server, cache, count=8, max_requests=1)  # what is stored costs nothing


def test_a_budget_of_tokens_is_never_exceeded(cache):
    def full(body: dict) -> dict:  # every answer as long as it may be
        reply = completion("x")
        return reply | {"usage": {"prompt_tokens": 9, "completion_tokens": body["max_tokens"], "total_tokens": 0}}

    with serve(answer=full) as server, pytest.raises(EngineError, match="llm.server.max_tokens") as caught:
        ask(server, cache, count=20, max_tokens=200, concurrency=4)
    spent = len(server.asked) * (9 + 24)
    assert spent <= 200 < spent + 24 + 30  # what one more may cost at most; 30 is more than a third of its characters
    assert f"{spent} of 200" in str(caught.value)


def test_a_budget_spans_all_clients_of_an_engine(cache):
    with serve() as server, Client(REF, server_params(server.url, max_requests=3), SAMPLING, cache=cache) as client:
        client.run(chats(2))
        again = Client(REF, None, SAMPLING | {"seed": 9}, cache=cache, engine=client.engine)
        with pytest.raises(EngineError, match="3 of 3"):
            again.run(chats(2))


def test_tokens_and_cost_are_those_of_all_answers_cached_or_not(cache):
    params = llm_params(prices=PricesParams(prompt=2, completion=10.5, models={}))
    with serve() as server:
        for _ in range(2):
            with counting(params) as usage:
                ask(server, cache, requests=chats(3) + chats(1))
            expected = {"requests": 4, "prompt_tokens": 20, "completion_tokens": 8, "cost": 0.000124}
            assert usage.metrics() == expected
    ask(server, cache, count=3)  # outside of the block
    assert usage.requests == 4


def test_each_model_of_a_panel_has_its_own_price(cache):
    dear = {"dear": PriceParams(prompt=100, completion=1000)}
    with serve() as server, counting(llm_params(prices=PricesParams(prompt=2, completion=10.5, models=dear))) as usage:
        ask(server, cache, count=3)
        for _ in range(2):  # asked, and from the cache
            ref = ModelRef("dear", None, "server:dear", "server")
            with Client(ref, server_params(server.url), SAMPLING, cache=cache) as client:
                client.run(chats(2))
    cost = 3 * (5 * 2 + 2 * 10.5) + 4 * (5 * 100 + 2 * 1000)
    assert usage.metrics() == {
        "requests": 7, "prompt_tokens": 35, "completion_tokens": 14, "cost": pytest.approx(cost / 1_000_000)
    }  # fmt: skip


def test_the_wait_between_retries_grows_and_follows_the_server(cache):
    with serve(503, 503) as server:
        start = time.monotonic()
        ask(server, cache)
    assert 0.375 + 0.75 <= time.monotonic() - start < 8  # 0.5 s and 1 s, each less a quarter at most


def test_requests_that_begin_alike_are_asked_together_and_answered_in_order(cache):
    with serve() as server:
        requests = [Request([{"role": "user", "content": text}]) for text in ("b 1", "a 1", "b 2", "a 2")]
        responses = ask(server, cache, requests=requests, concurrency=1)
    assert [body["messages"][0]["content"] for body in server.asked] == ["a 1", "a 2", "b 1", "b 2"]
    assert [response.text for response in responses] == ["to b 1", "to a 1", "to b 2", "to a 2"]


def test_no_more_in_flight_than_allowed_and_order_kept(cache):
    with serve(0.3, 0.1, 0.2, 0.1, 0.2, 0.1) as server:
        responses = ask(server, cache, count=12, concurrency=3)
    assert server.most == 3
    assert [response.text for response in responses] == [f"to What is {n} and {n}?" for n in range(12)]


def test_a_second_run_asks_nothing(cache):
    with serve() as server:
        first = ask(server, cache, count=3)
    assert ask(server, cache, count=3) == first  # the server is gone
    assert len(server.asked) == 3


def test_a_server_that_is_not_there_is_found_out_at_once(cache):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    start = time.monotonic()
    with pytest.raises(EngineError, match="does not answer .*llm.server.base_url"):
        Client(REF, server_params(url, max_retries=8), SAMPLING, cache=cache).run(chats(50))
    assert time.monotonic() - start < 5


def test_the_key_comes_from_the_environment_and_stays_out_of_messages(cache, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.setenv("TOY_KEY", "sk-secret")
    with serve() as server:
        ask(server, cache)
        assert server.keys == {"Bearer none"}
        ask(server, cache, requests=chats(2), api_key_env="TOY_KEY")
        assert server.keys == {"Bearer none", "Bearer sk-secret"}
    refusal = {"error": {"message": "wrong key sk-secret"}}
    for status in (401, 404):
        with serve((status, refusal)) as server, pytest.raises(EngineError) as caught:
            ask(server, cache, requests=chats(3), api_key_env="TOY_KEY")
        assert "sk-secret" not in str(caught.value)


def test_a_key_that_is_not_set(cache, monkeypatch):
    monkeypatch.delenv("TOY_KEY", raising=False)
    with serve() as server, pytest.raises(EngineError, match="'TOY_KEY' is not set"):
        ask(server, cache, api_key_env="TOY_KEY")
    assert not server.asked


def test_the_servers_context_error_is_too_long_and_not_stored(cache):
    reply = (400, {"error": {"message": "This model's maximum context length is 8 tokens.", "code": 400}})
    with serve(reply) as server:
        assert ask(server, cache)[0].finish_reason == "too_long"
        assert ask(server, cache)[0].finish_reason == "stop"


def test_reasoning_that_the_server_moved_is_put_back(cache):
    with serve(completion("[f()]", reasoning="why"), completion("[f()]", reasoning_content="why")) as server:
        texts = [response.text for response in ask(server, cache, count=2)]
    assert texts == ["<think>why</think>\n\n[f()]"] * 2


def test_sampling_seed_and_prefix_are_sent(cache):
    messages = chats(1)[0].messages
    with serve() as server:
        requests = [Request(messages), Request(messages, index=1), Request(messages, prefix="<think>")]
        ask(server, cache, requests=requests, concurrency=1)
    prefixed, plain, sample = server.asked  # in the order of the prompts
    assert {name: plain[name] for name in ("model", "temperature", "top_p", "max_tokens")} == {
        "model": "m", "temperature": 1.0, "top_p": 0.95, "max_tokens": 24
    }  # fmt: skip
    assert plain["seed"] != sample["seed"]
    assert prefixed["messages"] == [*messages, {"role": "assistant", "content": "<think>"}]
    assert prefixed["continue_final_message"] is True


def test_a_checkpoint_is_asked_for_by_its_own_name(cache):
    checkpoint = ModelRef("models/r0", None, "sha256:r0")
    with serve() as server:
        params = server_params(server.url, model="teacher")
        with Client(REF, params, SAMPLING, cache=cache) as teacher:
            teacher.run(chats(1))
        with Client(checkpoint, params, SAMPLING, cache=cache) as client:
            client.run(chats(1))
    assert [body["model"] for body in server.asked] == ["teacher", "models/r0"]


def test_bytes_that_are_not_utf8_are_replaced(cache):
    body = json.dumps(completion("caf|")).encode().replace(b"|", b"\xe9")
    with serve((200, body)) as server:
        (response,) = ask(server, cache)
    assert response.text == "caf\ufffd" and response.completion_tokens == 2


def test_a_reply_that_is_not_json_is_one_line(cache):
    with serve((200, b'{"id"')) as server, pytest.raises(EngineError, match="sent no JSON .*see its log"):
        ask(server, cache)


@pytest.mark.parametrize("reply", [{}, {"choices": []}])
def test_a_reply_that_is_not_a_completion(cache, reply):
    with serve(reply) as server, pytest.raises(EngineError, match="no chat completion"):
        ask(server, cache)
