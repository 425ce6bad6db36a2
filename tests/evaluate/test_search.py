"""BFCL's web search: a loopback server speaks the search API, what it says is recorded, and replayed for ever."""

import json
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from llm.http_server import JsonHandler, completion, running, serve

from funreason.config import load_params
from funreason.core.errors import EngineError
from funreason.evaluate import bfcl_search, bfcl_turns, web_fetch
from funreason.evaluate.answers import greedy
from funreason.evaluate.bfcl_metrics import WEB_SEARCH, expand, official_metrics
from funreason.llm import Cache, Client, ModelRef

from .gold import official_data
from .test_turns_attacks import as_key
from .workspace import ROOT

pytestmark = pytest.mark.slow
SECRET = "k-12345"


class _Web(JsonHandler):
    """SerpApi's /search, and pages."""

    def do_GET(self):
        url = urlsplit(self.path)
        self.server.asked.append((url.path, dict(parse_qsl(url.query))))
        match url.path:
            case "/search":
                self._send(*self.server.search(dict(parse_qsl(url.query))))
            case "/away":
                self.send_response(302)
                self.send_header("Location", self.server.away)
                self.end_headers()
            case "/page":
                self._send(200, b"<html><script>x()</script><p>The richest is Zhang Yiming.</p></html>")
            case _:
                self._send(404, {})


@pytest.fixture
def web(monkeypatch):
    """The server, as the search API of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    server.asked, root = [], f"http://127.0.0.1:{server.server_port}"
    result = {"title": "Tea", "link": f"{root}/page", "snippet": "About tea", "position": 1}
    server.search = lambda query: (200, {"organic_results": [result], "search_metadata": {"id": "1"}})
    monkeypatch.setenv("SERPAPI_BACKEND", root)
    monkeypatch.setenv("SERPAPI_API_KEY", SECRET)
    server.root = root
    with running(server):
        yield server


@pytest.fixture
def tape(tmp_path) -> Cache:
    return Cache(tmp_path)


def opened(tape: Cache, mode: str, category: str = "web_search_base") -> tuple[bfcl_search.Web, list]:
    apis = bfcl_search.Web(mode, "tool", tape)
    return apis, apis.start("bfcl", [category], 1)


def answered(apis: bfcl_search.Web, conversation, text: str):
    answers = (*conversation.answers, text)
    return apis.advance([bfcl_search.replace(conversation, answers=answers)])[0]


def test_gold_is_right(mode):
    lines = (official_data() / "possible_answer/BFCL_v4_web_search.json").read_text(encoding="utf-8").splitlines()
    gold = [json.loads(line)["ground_truth"][0] for line in lines]
    ended = [
        bfcl_turns.Conversation("bfcl", category, f"{category}_{number}", [], turns=[[f"It is {answer}."]])
        for category in WEB_SEARCH
        for number, answer in enumerate(gold)
    ]
    figures = official_metrics(bfcl_turns.score(ended, mode, "v4"), None, "v4")
    assert {name: part["correct"] for name, part in figures["categories"].items()} == dict.fromkeys(WEB_SEARCH, 100)
    assert figures["web_search"]["accuracy"] == 1 and figures["covered_weight"] == 0.2 and not figures["leaderboard"]
    assert expand(["web_search"]) == WEB_SEARCH


def test_a_recorded_search_is_replayed_without_key_or_network(web, tape, mode, tmp_path, monkeypatch):
    steps = [
        "[search_engine_query(keywords='richest tea', max_results=3)]",
        f"[fetch_url_content(url='{web.root}/page', mode='truncate')]",
        "It is Zhang Yiming.",
    ]

    def answer(body: dict) -> dict:
        return completion(steps[sum(message["role"] == "assistant" for message in body["messages"])])

    def run():
        apis, conversations = opened(tape, mode)
        with Client(ModelRef("m", None, "server:m", kind="server"), served, greedy(64), cache=tape) as client:
            (ended,) = bfcl_turns.run_conversations(client, conversations, apis, "test")
        return ended

    llm = load_params(ROOT / "params.yaml").llm
    with serve(answer=answer) as server:
        settings = llm.server.model_copy(update={"base_url": server.url})
        served = llm.model_copy(update={"engine": "server", "server": settings})
        first = run()
    asked = {"engine": "duckduckgo", "q": "richest tea", "kl": "wt-wt", "api_key": SECRET, "source": "python"}
    assert web.asked == [("/search", asked | {"output": "json"}), ("/page", {})]
    texts = [message["content"] for message in first.messages]
    assert f"[{{'title': 'Tea', 'href': '{web.root}/page', 'body': 'About tea'}}]" in texts
    assert '{"content": "The richest is Zhang Yiming."}' in texts
    assert bfcl_turns.score([first], mode, "v4")[0].correct
    monkeypatch.delenv("SERPAPI_API_KEY")
    monkeypatch.setenv("SERPAPI_BACKEND", "http://127.0.0.1:9")
    assert run() == first and len(web.asked) == 2
    assert SECRET not in str(tape.do(lambda database: database.execute("SELECT * FROM responses").fetchall()))


def test_without_snippet(web, tape, mode):
    apis, (question,) = opened(tape, mode, "web_search_no_snippet")
    text = answered(apis, question, "[search_engine_query(keywords='tea')]").messages[-1]["content"]
    assert "Tea" in text and "About tea" not in text


def test_what_cannot_be_answered_is_one_line(web, tape, mode, monkeypatch):
    monkeypatch.setattr(web_fetch, "_TRIES", 1)
    apis, (question,) = opened(tape, mode)
    web.search = lambda query: (401, {"error": f"Invalid API key {SECRET}"})
    with pytest.raises(EngineError, match=r"gave status 401 \(Invalid API key …\); see the account of SERPAPI_API_KEY"):
        answered(apis, question, "[search_engine_query(keywords='tea')]")
    web.search = lambda query: (200, {"error": "no results"})
    assert (
        "Failed to retrieve" in answered(apis, question, "[search_engine_query(keywords='x')]").messages[-1]["content"]
    )
    monkeypatch.delenv("SERPAPI_API_KEY")
    with pytest.raises(EngineError, match='"q": "tea"}} is not recorded, and SERPAPI_API_KEY is not set; set'):
        answered(apis, question, "[search_engine_query(keywords='tea')]")
    with pytest.raises(EngineError, match="the response cache holds no recorded search"):
        opened(Cache(tape.path.parent / "empty"), mode)


def test_a_tape_that_was_changed_is_one_line(web, tape, mode, monkeypatch):
    """It may be another's, imported; the key is not there any more."""
    apis, (question,) = opened(tape, mode)
    answered(apis, question, "[search_engine_query(keywords='tea')]")
    monkeypatch.delenv("SERPAPI_API_KEY")
    for text in ("{", "[1]", '{"organic_results": 1}', "[" * 100_000):
        tape.do(lambda database, text=text: database.execute("UPDATE responses SET text = ?, digest = NULL", (text,)))
        with pytest.raises(EngineError, match=r"the recorded reply to .*\"q\": \"tea\".* is .*, not a reply; import"):
            answered(apis, question, "[search_engine_query(keywords='tea')]")


def test_only_public_pages_are_visited(web, tape, mode, monkeypatch):
    other = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    other.asked = []
    web.away = f"http://127.0.0.1:{other.server_port}/page"
    apis, (question,) = opened(tape, mode)
    with running(other):
        for url in (web.away, f"{web.root}/away", "http://[::1]:9/", "file:///etc/passwd"):
            text = answered(apis, question, f"[fetch_url_content(url='{url}')]").messages[-1]["content"]
            assert text.startswith(("Error during execution: Invalid URL", '{"error": "An error occurred while')), text
    assert other.asked == []


def test_a_program_in_place_of_calls_is_wrong(web, tape, mode):
    apis, (question,) = opened(tape, mode)
    for text in (as_key("__import__('os')._exit(0)"), "[search_engine_query(keywords=print('tea') + 'x')]"):
        assert "not_literal" in answered(apis, question, text).error
    assert web.asked == []
