"""BFCL's conversations through the real loop, sandbox and scorer; recorded answers stand in for the model."""

import json
from collections import Counter
from dataclasses import asdict, replace

import pytest
from llm.conftest import server_params
from llm.http_server import serve

from funreason.core.errors import FunReasonError
from funreason.evaluate import bfcl_turns
from funreason.evaluate.answers import greedy
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.evaluate.bfcl_metrics import MULTI_TURN, official_metrics
from funreason.evaluate.bfcl_turns import NO_ROOM, Conversation, SimulatedApis
from funreason.llm import Cache, Client, ModelRef
from funreason.sandbox.scorer import scorer_python

from .gold_turns import CLOSING, entries, gold_answers, perfect

pytestmark = pytest.mark.slow

BASE, MISS_FUNC, MISS_PARAM, LONG_CONTEXT = MULTI_TURN
REF = ModelRef("m", None, "server:m", "server")
THOUGHT = "<think>Perhaps [cd(folder='x')]?</think>\n\n"


@pytest.fixture(scope="module", params=["v4", "v3"])
def release(request, mode) -> SimulatedApis:
    try:
        scorer_python(ENVIRONMENTS[request.param])
    except FunReasonError:
        pytest.skip(f"no environment {ENVIRONMENTS[request.param]}: make bfcl3")
    return SimulatedApis(request.param, mode, "tool")


@pytest.fixture(scope="module")
def apis(mode) -> SimulatedApis:
    return SimulatedApis("v4", mode, "tool")


@pytest.fixture(scope="module")
def opened(apis) -> dict[str, list[Conversation]]:
    """The first conversations of each category."""
    conversations = apis.start("bfcl", MULTI_TURN, 6)
    return {
        category: [conversation for conversation in conversations if conversation.category == category]
        for category in MULTI_TURN
    }


def answered(conversation: Conversation, *answers: str) -> Conversation:
    """The conversation as if these had been its answers so far."""
    return replace(conversation, answers=answers)


def correct(apis: SimulatedApis, conversations: list[Conversation]) -> dict[str, int]:
    """How many of them are right, by category."""
    rows = bfcl_turns.score(apis.advance(conversations), apis.mode, apis.version)
    return {category: sum(row.correct for row in rows if row.category == category) for category in MULTI_TURN}


def test_gold_reaches_the_ceiling(release):
    """All of it, and exactly this: the true calls of all 800 conversations, with their arguments by name."""
    gold = {}
    for category in MULTI_TURN:
        gold |= gold_answers(category, release.version)
    conversations = [
        answered(conversation, *gold[conversation.id]) for conversation in release.start("bfcl", MULTI_TURN, None)
    ]
    rows = bfcl_turns.score(release.advance(conversations), release.mode, release.version)
    assert [(row.id, row.error) for row in rows if not row.correct] == []
    figures = official_metrics(rows, None, release.version)
    assert figures["multi_turn"]["accuracy"] == 1.0 and figures["multi_turn"]["n"] == 800
    assert not figures["multi_turn"]["partial"]


def test_wrong_answers_score_nothing(release):
    """A statement, a function that does not exist, calls of other conversations, and calls without an end."""
    wrong = []
    for category in MULTI_TURN:
        gold = gold_answers(category, release.version)
        strange = [answers[0] for answers in gold.values() if answers[0] != CLOSING][-20:]
        for number, conversation in enumerate(release.start("bfcl", [category], 20)):
            turns = gold[conversation.id].count(CLOSING)
            kinds = [
                [CLOSING] * turns,
                ["[no_such_function(a=1)]", CLOSING] * turns,
                [answer if answer == CLOSING else strange[number] for answer in gold[conversation.id]],
                ["[no_such_function(a=1)]"] * 21,
            ]
            wrong.append(answered(conversation, *kinds[number % 4]))
    ended = release.advance(wrong)
    rows = bfcl_turns.score(ended, release.mode, release.version)
    assert [row.id for row in rows if row.correct] == []
    # The checker's words, not ours, and none that change from run to run.
    kinds = Counter(row.error.partition(": ")[0] for row in rows)
    assert {"multi_turn:empty_turn_model_response", "multi_turn:force_terminated"} <= set(kinds), kinds
    assert all(row.error.startswith("multi_turn:") and " at 0x" not in row.error for row in rows)
    assert rows == bfcl_turns.score(ended, release.mode, release.version)


@pytest.mark.parametrize("category", MULTI_TURN)
def test_gold_answers_score_through_the_loop(apis, opened, category, tmp_path):
    """From the first question to the metrics, with a model behind a server that reasons before each right answer."""
    conversations, gold = opened[category], gold_answers(category)
    with (
        serve(answer=perfect(conversations, mark=THOUGHT)) as server,
        Cache(tmp_path) as cache,
        Client(REF, server_params(server.url, concurrency=8), greedy(64), cache=cache) as client,
    ):
        ended = bfcl_turns.run_conversations(client, conversations, apis, "gold")
    steps = [sum(message["role"] == "assistant" for message in body["messages"]) for body in server.asked]
    assert len(steps) == sum(len(gold[conversation.id]) for conversation in conversations)
    assert steps == sorted(steps), "conversations at the same step should be asked together"
    assert not any("<think>" in json.dumps(body) for body in server.asked)
    # The same as all answers at once: a round adds nothing but its answer.
    assert ended == apis.advance([answered(conversation, *gold[conversation.id]) for conversation in conversations])
    rows = bfcl_turns.score(ended, apis.mode, apis.version)
    assert [(row.id, row.error) for row in rows if not row.correct] == []
    figures = official_metrics(rows, 6, "v4")
    assert figures["categories"][category]["correct"] == 6 and figures["categories"][category]["partial"]
    assert json.loads(json.dumps(asdict(rows[0])))["messages"][0]["role"] == "user"


def test_prompts_are_those_of_bfcl(opened):
    for category, conversations in opened.items():
        for conversation, entry in zip(conversations, entries(category), strict=False):
            system, question = conversation.messages
            assert conversation.id == entry["id"] and question == entry["question"][0][0]
            assert system["content"].startswith("You are an expert in composing functions.")
            assert "At each turn, you should try your best" in system["content"]
            assert "Note that the provided function is in Python 3 syntax." in system["content"]


def test_a_missing_function_is_provided_in_its_turn(apis, opened):
    conversation, entry = opened[MISS_FUNC][0], entries(MISS_FUNC)[0]
    ((turn, (function,)),) = entry["missed_function"].items()
    name = f'"name": "{function}"'
    assert name not in conversation.messages[0]["content"]
    (later,) = apis.advance([answered(conversation, *[CLOSING] * int(turn))])
    assert name not in json.dumps(later.messages[:-1])
    assert f"'name': '{function}'" in later.messages[-1]["content"]
    assert later.messages[-1]["content"].endswith("more functions you can choose from. What about now?")


def test_results_come_as_bfcl_gives_them(apis, opened):
    """To local models a message for each call, to APIs one message of the user's; beside the calls, nothing differs."""
    answer = "[pwd(), cd(folder='no such folder'), no_such_function(a=1)]"
    (conversation,) = apis.advance([answered(opened[BASE][0], answer)])
    assert conversation.messages[2] == {"role": "assistant", "content": answer}
    results = conversation.messages[3:]
    assert [(message["role"], message["name"]) for message in results] == [
        ("tool", "pwd()"), ("tool", "cd(folder='no such folder')"), ("tool", "no_such_function(a=1)")
    ]  # fmt: skip
    assert json.loads(results[0]["content"]) == {"current_working_directory": "/workspace"}
    assert results[2]["content"] == "Error during execution: name 'no_such_function' is not defined"
    (other,) = replace(apis, tool_role="user").advance([answered(opened[BASE][0], answer)])
    assert other.messages[:3] == conversation.messages[:3]
    assert other.messages[3:] == [{"role": "user", "content": repr(results)}]


def test_an_answer_without_a_call_ends_the_turn(apis, opened):
    """A statement, an empty list, code in a fence that decodes to nothing; calls do not."""
    conversation, questions = opened[BASE][1], [turn[0] for turn in entries(BASE)[1]["question"]]
    (later,) = apis.advance([answered(conversation, "No.", "[]", "[pwd()]")])
    assert [m for m in later.messages if m["role"] == "user"] == questions[:3]
    assert later.messages[-1]["role"] == "tool" and not later.over


def test_twenty_one_answers_in_a_turn_end_the_conversation(apis, opened):
    conversation = opened[BASE][1]
    (later, last) = apis.advance([answered(conversation, *["[pwd()]"] * 20), answered(conversation, *["[pwd()]"] * 21)])
    assert not later.over and last.turns == [["[pwd()]"] * 21]
    (row,) = bfcl_turns.score([last], apis.mode, apis.version)
    assert row.error.startswith("multi_turn:force_terminated: Model was force-terminated during inference phase.")


def test_long_context_has_its_long_files(apis, opened):
    answer = "[cd(folder='document'), cat(file_name='final_report.pdf')]"
    short, long = apis.advance([answered(opened[name][0], answer) for name in (BASE, LONG_CONTEXT)])
    assert len(long.messages[-1]["content"]) > 10 * len(short.messages[-1]["content"])


def test_a_conversation_without_room_is_wrong(apis, opened, tmp_path):
    refusal = 400, {"error": {"message": "maximum context length", "code": "context_length_exceeded"}}
    first, second = opened[BASE][:2]
    answer = perfect([first, second])

    def grown(body):
        return refusal if body["messages"][1] == first.messages[1] and len(body["messages"]) > 2 else answer(body)

    with (
        serve(answer=grown) as server,
        Cache(tmp_path) as cache,
        Client(REF, server_params(server.url), greedy(64), cache=cache) as client,
    ):
        ended = bfcl_turns.run_conversations(client, [first, second], apis, "grown")
    assert [conversation.error for conversation in ended] == [NO_ROOM, ""] and [*map(bfcl_turns.no_room, ended)] == [
        True,
        False,
    ]
    assert [row.correct for row in bfcl_turns.score(ended, apis.mode, apis.version)] == [False, True]
