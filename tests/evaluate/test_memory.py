"""BFCL's memory: what a model stores in one conversation is there in the next, and questions are asked over it."""

import json
import re

import pytest
from llm.http_server import completion, serve

from funreason.config import load_params
from funreason.evaluate import bfcl_memory, bfcl_turns
from funreason.evaluate.answers import greedy
from funreason.evaluate.bfcl_metrics import MEMORY, expand, official_metrics
from funreason.llm import Client, ModelRef

from .gold import official_data
from .workspace import ROOT

pytestmark = pytest.mark.slow
INSTRUCTION = "If you do not know the answer"  # in the system prompt of questions alone


@pytest.fixture(scope="module")
def memories(mode) -> bfcl_memory.Memories:
    return bfcl_memory.Memories(mode, "tool")


@pytest.fixture(scope="module")
def conversations(memories) -> list[bfcl_memory.MemoryConversation]:
    return memories.start("bfcl", MEMORY, None)


def gold() -> dict[str, list[str]]:
    lines = (official_data() / "possible_answer/BFCL_v4_memory.json").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["ground_truth"] for row in map(json.loads, lines)}


def ended(conversation, text: str):
    return bfcl_memory.replace(conversation, turns=[[text]])


def test_gold_is_right_and_other_answers_are_not(conversations, mode):
    """74 conversations fill the two memories; a last message with an expected answer is right."""
    questions = [each for each in conversations if not each.id.count("_prereq_")]
    assert (len(questions), len(conversations)) == (310, 384)
    answers = gold()
    right = [ended(each, f"It is {answers[each.id.replace(each.category, 'memory')][0]}.") for each in questions]
    figures = official_metrics(bfcl_turns.score(right, mode, "v4"), None, "v4")
    assert {name: part["correct"] for name, part in figures["categories"].items()} == dict.fromkeys(MEMORY, 155)
    assert not any(part["partial"] for part in figures["categories"].values()) and figures["leaderboard"] is None
    wrong = bfcl_turns.score([ended(each, "I do not know") for each in questions], mode, "v4")
    assert not any(row.correct for row in wrong) and "answer_not_found" in wrong[0].error


def test_a_memory_is_kept_for_the_question(conversations, memories, mode, tmp_path, monkeypatch):
    """The server stores the first words of a conversation, and answers the question with what its prompt shows."""

    def answer(body: dict) -> dict:
        system, *chat = (message["content"] for message in body["messages"])
        if INSTRUCTION in system:
            return completion(f"The memory holds: {system[-3000:]}")
        said = re.sub(r"[^A-Za-z0-9 ]", "", chat[0])[:400]
        stored = any("memory_append" in text for text in chat)
        return completion("Noted." if stored else f"[memory_append(text='{said}')]")

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
    killers = ["[memory_append(text=__import__('os')._exit(3))]", "[" * 3000]
    for text in killers:
        answered = bfcl_memory.replace(opened[0], answers=(text,))
        killed, other = memories.advance([answered, opened[1]])
        assert killed.error or killed.messages and not killed.left
        assert not other.error and other.messages == opened[1].messages


def test_groups():
    assert expand(["memory"]) == MEMORY and not set(MEMORY) & set(expand(["single_turn", "multi_turn"]))
