"""Requests that a server refuses: few cost their rows, too many stop the stage; a rerun gets past them."""

import json
import re

import pytest

from funreason.config import JudgeParams, WatchParams
from funreason.core.errors import EngineError
from funreason.core.records import Sample
from funreason.evaluate.bfcl import scored_text
from funreason.llm import Client, ModelRef, Response, counting
from funreason.refine.judge import Judge, Question

from .conftest import SAMPLING, chats, llm_params, server_params
from .http_server import _Handler, completion, echo, serve

REF = ModelRef("m", None, "server:m", "server")
REFUSAL = (400, {"error": {"message": "no such word", "code": "bad_word"}})


def ask(server, cache, requests, **changes):
    with Client(REF, server_params(server.url, **changes), SAMPLING, cache=cache) as client:
        return client.run(requests)


def refusing(*numbers: int, reply=REFUSAL):
    """Answers all chats but those with these numbers."""

    def answer(body: dict):
        asked = int(re.search(r"\d+", body["messages"][0]["content"])[0])
        return reply if asked in numbers else echo(body)

    return answer


def test_a_refused_request_is_stored_with_its_reason_and_not_asked_again(cache):
    with serve(answer=refusing(3)) as server:
        first = ask(server, cache, chats(20))
        assert ask(server, cache, chats(20)) == first
    assert len(server.asked) == 20
    assert first[3] == Response("400 bad_word no such word", "refused", 0, 0)
    assert {response.finish_reason for response in first[:3] + first[4:]} == {"stop"}


def test_too_many_refused_requests_stop_the_stage_and_are_asked_again_after_it(cache):
    with serve(answer=refusing(*range(0, 20, 4))) as server:
        with pytest.raises(
            EngineError, match=r"3 of 20 requests .*3 refused .*400 bad_word.*max_refused_fraction \(0.1"
        ):
            ask(server, cache, chats(20))
        asked = len(server.asked)
        assert 3 < asked < 20  # it stopped once it was certain
        server.answer = echo  # mended
        assert {response.finish_reason for response in ask(server, cache, chats(20))} == {"stop"}
        refused = [body for body in server.asked[asked:] if body in server.asked[:asked]]
        assert len(refused) == 3


def test_the_fraction_is_a_parameter(cache):
    with serve(answer=refusing(*range(5))) as server:
        responses = ask(server, cache, chats(20), max_refused_fraction=0.25)
        assert [response.finish_reason for response in responses] == ["refused"] * 5 + ["stop"] * 15
        with pytest.raises(EngineError, match="1 of 1 requests"):
            ask(server, cache, chats(30)[4:5], max_refused_fraction=0.25)  # known, but nothing else was answered
        with pytest.raises(EngineError, match="1 of 2 requests"):
            ask(server, cache, [chats(3)[2], chats(9)[8]], max_refused_fraction=0.0)


def test_requests_that_are_all_refused_or_too_long_stop_after_a_first_block(cache):
    for reply in (REFUSAL, (413, {})):
        with serve(answer=lambda _, reply=reply: reply) as server, pytest.raises(EngineError, match="requests were"):
            ask(server, cache, chats(500), max_refused_fraction=0.9)
        assert len(server.asked) < 30


def test_all_blocks_of_a_stage_count_together(cache):
    with (
        serve(answer=refusing(0, 1, 2)) as server,
        Client(REF, server_params(server.url), SAMPLING, cache=cache) as client,
    ):
        client.run(chats(40)[3:])
        assert [response.finish_reason for response in client.run(chats(3))] == ["refused"] * 3  # 3 of 40


def test_what_fails_alone_is_asked_after_all_others_and_not_stored(cache):
    crash = (500, {"error": "crashed"})
    with serve(answer=refusing(0, reply=crash)) as server:
        responses = ask(server, cache, chats(9), max_retries=0, max_requests=9)  # retries do not count
        assert responses[0] == Response("500 crashed", "failed", 0, 0)
        contents = [body["messages"][0]["content"] for body in server.asked]
        # The first requests go out side by side, so that any of them may arrive first.
        assert contents[-1] == "What is 0 and 0?" and contents.count(contents[-1]) == 2 and len(contents) == 10
        assert ask(server, cache, chats(9), max_retries=0) == responses  # it alone: the others are known
        assert len(server.asked) == 12


def test_a_server_that_dies_meanwhile_stops_the_stage(cache):
    asked = []

    def answer(body: dict):
        asked.append(body)
        return echo(body) if len(asked) < 6 else (502, {})

    with serve(answer=answer) as server, pytest.raises(EngineError, match="502"):
        ask(server, cache, chats(50), max_retries=0)
    assert len(asked) < 12


def test_a_request_does_not_fail_alone_where_the_server_is_gone(cache, monkeypatch):
    """Its last answers came before: at the end nothing tells whose failure it is."""
    with serve(answer=refusing(0, reply=(500, {}))) as server:
        monkeypatch.setattr(_Handler, "do_GET", lambda handler: handler._send(502 if server.asked else 200, {}))
        with pytest.raises(EngineError, match="500"):
            ask(server, cache, chats(9), max_retries=0)


def test_what_may_be_paid_counts_against_the_budget(cache):
    with serve(answer=lambda _: (200, b"{")) as server, pytest.raises(EngineError, match="the budget of this stage"):
        ask(server, cache, chats(15), max_tokens=100, max_refused_fraction=1.0, concurrency=1)
    assert 1 < len(server.asked) < 6


def test_a_judge_is_not_asked_again_what_its_server_refuses(monkeypatch, tmp_path):
    monkeypatch.setenv("FUNREASON_CACHE", str(tmp_path))
    watch = WatchParams(rows=0, probes=0, max_unreadable=1.0, min_informedness=-1.0)
    params = JudgeParams(
        temperature=0.0, max_tokens=9, seed=0, max_attempts=3, examples=0, structured=False, watch=watch
    )
    samples = [Sample(str(n), f"Query {n}", [], "cot", "[f()]") for n in range(4)]

    def answer(body: dict):
        return REFUSAL if "Query 2" in json.dumps(body) else completion("<judge>True</judge>")

    with serve(answer=answer) as server, Judge("judge", REF, server_params(server.url), params) as judge:
        replies = judge.ask([Question("response", sample) for sample in samples], "response")
    # The judge of the response sees the answer alone: all four questions are one.
    assert {len(each) for each in replies} == {1}
    with serve(answer=answer) as server, Judge("judge", REF, server_params(server.url), params) as judge:
        replies = judge.ask([Question("query_tool", sample) for sample in samples], "query_tool")
    assert [each[-1].value for each in replies] == [True, True, None, True]
    assert replies[2][-1].problem == "refused by the server: 400 bad_word no such word"
    assert [len(each) for each in replies] == [1] * 4 and len(server.asked) == 4


def test_metrics_name_the_reasons(cache):
    with serve(answer=refusing(3)) as server, counting(llm_params()) as usage:
        ask(server, cache, chats(20))
    assert usage.metrics()["refused"] == {"refused by the server: 400 bad_word no such word": 1}


@pytest.mark.parametrize("finish_reason", ["refused", "failed", "content_filter"])
@pytest.mark.parametrize("category", ["simple_python", "irrelevance", "live_relevance"])
def test_a_refused_answer_is_wrong_in_every_benchmark(finish_reason, category):
    text = scored_text(category, Response("[f()] or nothing", finish_reason, 0, 0))
    assert text == ("" if category == "live_relevance" else "[refused_by_the_server()]")
