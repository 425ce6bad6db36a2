"""BFCL's memory: what a model stores in one conversation is there in the next, and questions are asked over it."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from llm.http_server import completion, serve

from funreason.config import load_params
from funreason.core.errors import FunReasonError
from funreason.evaluate import bfcl_memory, bfcl_turns
from funreason.evaluate.answers import greedy
from funreason.evaluate.bfcl_metrics import MEMORY, expand, official_metrics
from funreason.llm import Client, ModelRef

from .gold import official_data
from .test_turns_attacks import as_key
from .workspace import ROOT

pytestmark = pytest.mark.slow
INSTRUCTION = "If you do not know the answer"  # in the system prompt of questions alone


@pytest.fixture(scope="module")
def memories(mode) -> bfcl_memory.Memories:
    return bfcl_memory.Memories(mode, "tool")


@pytest.fixture(scope="module")
def conversations(memories) -> list[bfcl_memory.MemoryConversation]:
    with pytest.MonkeyPatch.context() as patch:  # the listing needs no vector store
        patch.setattr(bfcl_memory, "VECTOR_ENVIRONMENT", bfcl_memory.ENVIRONMENTS["v4"])
        return memories.start("bfcl", MEMORY, None)


def gold() -> dict[str, list[str]]:
    lines = (official_data() / "possible_answer/BFCL_v4_memory.json").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["ground_truth"] for row in map(json.loads, lines)}


def ended(conversation, text: str):
    return bfcl_memory.replace(conversation, turns=[[text]])


def test_gold_is_right_and_other_answers_are_not(conversations, mode):
    """111 conversations fill the three memories; a last message with an expected answer is right."""
    questions = [each for each in conversations if not each.id.count("_prereq_")]
    assert (len(questions), len(conversations)) == (465, 576)
    answers = gold()
    right = [ended(each, f"It is {answers[each.id.replace(each.category, 'memory')][0]}.") for each in questions]
    figures = official_metrics(bfcl_turns.score(right, mode, "v4"), None, "v4")
    assert {name: part["correct"] for name, part in figures["categories"].items()} == dict.fromkeys(MEMORY, 155)
    assert not any(part["partial"] for part in figures["categories"].values()) and figures["leaderboard"] is None
    assert figures["memory"]["accuracy"] == 1 and figures["covered_weight"] == 0.2
    wrong = bfcl_turns.score([ended(each, "I do not know") for each in questions], mode, "v4")
    assert not any(row.correct for row in wrong) and "answer_not_found" in wrong[0].error


def answer(body: dict) -> dict:
    """Stores the first words of a conversation, and answers a question with what its prompt shows."""
    system, *chat = (message["content"] for message in body["messages"])
    if INSTRUCTION in system:
        return completion(f"The memory holds: {system[-3000:]}")
    said = re.sub(r"[^A-Za-z0-9 ]", "", chat[0])[:400]
    stored = any("memory_append" in text for text in chat)
    return completion("Noted." if stored else f"[memory_append(text='{said}')]")


RUN = """
import json, sys
from dataclasses import asdict
from funreason.config import load_params
from funreason.evaluate import bfcl_memory, bfcl_turns
from funreason.evaluate.answers import greedy
from funreason.llm import Client, ModelRef
url, mode, out = sys.argv[1:]
memories = bfcl_memory.Memories(mode, "tool")
filling, *_, question = memories.start("bfcl", ["memory_rec_sum"], 1)
chain = [filling, bfcl_memory.replace(question, after=(filling.id,))]
llm = load_params("params.yaml").llm
settings = llm.server.model_copy(update={"base_url": url})
served = llm.model_copy(update={"engine": "server", "server": settings})
with Client(ModelRef("m", None, "server:m", kind="server"), served, greedy(64)) as client:
    rows = bfcl_turns.score(bfcl_memory.run(client, chain, memories, "test"), mode, "v4")
open(out, "w").write(json.dumps([asdict(row) for row in rows]))
"""


def test_a_run_that_was_killed_writes_the_same_bytes(mode, tmp_path):
    """Killed while the memory is filled, and again later; beside a run that nobody disturbed."""

    def start(name: str, url: str) -> subprocess.Popen:
        command = [sys.executable, "-c", RUN, url, mode, str(tmp_path / name)]
        cache = {"FUNREASON_CACHE": str(tmp_path / f"cache-{name}")}
        return subprocess.Popen(command, cwd=ROOT, env=os.environ | cache)

    with serve(answer=answer) as server:
        assert start("whole", server.url).wait() == 0
        alone = len(server.asked)
        for count in (2, alone - 2):
            killed = start("killed", server.url)
            while len(server.asked) < alone + count:
                assert killed.poll() is None, "it ended before it could be killed"
                time.sleep(0.01)
            killed.kill()
            killed.wait()
        assert start("killed", server.url).wait() == 0
        assert 2 * alone <= len(server.asked) <= 2 * alone + 2  # only what was under way is asked twice
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "killed").read_bytes()
    assert json.loads((tmp_path / "whole").read_text())[0]["correct"]


def test_a_memory_is_kept_for_the_question(conversations, memories, mode, tmp_path, monkeypatch):
    """The server stores the first words of a conversation, and answers the question with what its prompt shows."""

    monkeypatch.setenv("FUNREASON_CACHE", str(tmp_path))
    filling, question = (
        next(each for each in conversations if each.id == f"memory_rec_sum{name}_0-customer-0")
        for name in ("_prereq", "")
    )
    chain = [filling, bfcl_memory.replace(question, after=(filling.id,))]
    llm = load_params(ROOT / "params.yaml").llm
    with serve(answer=answer) as server:
        settings = llm.server.model_copy(update={"base_url": server.url})
        served = llm.model_copy(update={"engine": "server", "server": settings})
        with Client(ModelRef("m", None, "server:m", kind="server"), served, greedy(64)) as client:
            first, second = (bfcl_memory.run(client, chain, memories, "test") for _ in range(2))
        asked = len(server.asked)
    assert first == second and asked == client.stats["requests"] / 2  # the second run finds all answers in the cache
    (row,) = bfcl_turns.score(first, mode, "v4")
    assert row.id == "memory_rec_sum_0-customer-0" and row.correct and "Michael" in row.turns[0][0]
    assert "There is no content in the memory" in server.asked[0]["messages"][0]["content"]


def test_an_answer_that_kills_the_memory_fails_alone(conversations, memories):
    opened = memories.advance(conversations[:2])
    read = "__import__('pathlib').Path('/etc/hostname').read_text()"
    killers = {as_key(read): "not_literal", as_key("__import__('os')._exit(3)"): "not_literal", "[" * 3000: ""}
    for text, error in killers.items():
        answered = bfcl_memory.replace(opened[0], answers=(text,))
        killed, other = memories.advance([answered, opened[1]])
        assert error in killed.error and not killed.left
        assert not other.error and other.messages == opened[1].messages


def test_the_vector_store(mode):
    """Texts that mean the same are near, and what one conversation stored is there in the next."""
    if not any((root / bfcl_memory.VECTOR_ENVIRONMENT).exists() for root in (Path.cwd(), ROOT)):
        pytest.skip("no .venv-bfcl-vector: `make bfcl-vector`")
    memories = bfcl_memory.Memories(mode, "tool")
    filling, *_ = memories.start("bfcl", [bfcl_memory.VECTOR], 1)
    stored = ["A dog barks.", "Stocks fell.", "He is called Michael."]
    calls = [*(f"archival_memory_add(text={text!r})" for text in stored), "core_memory_add(text='Tea')"]
    asked = "[archival_memory_retrieve(query='the hound', top_k=1)]"
    line, *_ = (official_data() / "memory_prereq_conversation/memory_customer.json").read_text().splitlines()
    noted = ["Noted."] * len(json.loads(line)["question"])
    (ended,) = memories.advance([bfcl_memory.replace(filling, answers=(f"[{', '.join(calls)}]", asked, *noted))])
    nearest = [message["content"] for message in ended.messages if message["role"] == "tool"][-1]
    assert json.loads(nearest)["result"][0]["text"] == stored[0]
    assert list(ended.left["archival_memory"]["store"].values()) == stored


def test_without_the_vector_store_nothing_is_asked(mode, tmp_path, monkeypatch):
    monkeypatch.setattr(bfcl_memory, "VECTOR_ENVIRONMENT", ".venv-nowhere")
    with pytest.raises(FunReasonError, match=".venv-nowhere is not in"):
        bfcl_memory.Memories(mode, "tool").start("bfcl", ["memory_vector"], 1)


def test_groups():
    assert expand(["memory"]) == MEMORY and not set(MEMORY) & set(expand(["single_turn", "multi_turn"]))
