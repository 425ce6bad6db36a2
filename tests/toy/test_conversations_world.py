"""The toy world's conversations: readable, of the tools they name, sound but where a label says otherwise."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from funreason.calls import Call, CallSyntaxError, parse, validate
from funreason.core.jsonio import read_jsonl
from funreason.core.records import Task
from funreason.data.rows import AcceptedRow, TaskIds, read_tasks
from funreason.toy.conversations import PLANTED, write_conversations
from funreason.toy.corpus import split_of
from funreason.toy.defects import CAUGHT_BY

ROWS = 400
ELLIPTIC = ("And ", "What about", "The same")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conversations")
    write_conversations(folder, seed=3, rows=ROWS, planted_fraction=0.5)
    return folder


@pytest.fixture(scope="module")
def turns(folder) -> list[Task]:
    found = list(read_tasks(enumerate(read_jsonl(folder / "conversations.jsonl"), 1), "conversations.jsonl", TaskIds()))
    assert len(found) == ROWS and all(isinstance(row, AcceptedRow) and row.is_conversation for row in found)
    return [task for row in found for task in row.tasks]


@pytest.fixture(scope="module")
def labels(folder) -> list[dict]:
    return list(read_jsonl(folder / "conversations_labels.jsonl"))


def calls(turns: list[Task]) -> list[Task]:
    return [turn for turn in turns if not turn.steps]


def test_equal_seeds_give_equal_bytes(folder, tmp_path):
    for seed in (3, 4):
        write_conversations(tmp_path / str(seed), seed=seed, rows=ROWS, planted_fraction=0.5)
    for name in ("conversations.jsonl", "conversations_labels.jsonl"):
        assert (tmp_path / "3" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "4" / name).read_bytes() != (folder / name).read_bytes()


def test_conversations_have_two_to_four_exchanges(turns):
    asked = Counter(turn.id.partition("@")[0] for turn in calls(turns))
    assert set(asked.values()) == {2, 3, 4}
    assert 0.4 < sum(turn.response is not None for turn in turns) / len(turns) < 0.6


def test_sound_calls_fit_their_tools(turns, labels):
    sound = {label["id"] for label in labels if label["defect"] is None}
    for turn in calls(turns):
        if turn.id in sound:
            assert validate([Call.of(call) for call in turn.answers], turn.tools) == []


def test_what_a_tool_gives_is_told(folder):
    for row in read_jsonl(folder / "conversations.jsonl"):
        for result, told in pairwise(row["messages"]):
            assert result["role"] != "tool" or json.loads(result["content"])["reference"] in told["content"]


def test_an_elliptic_question_is_the_call_before_with_one_other_value(turns, labels):
    elliptic = [turn for turn in calls(turns) if turn.query.startswith(ELLIPTIC)]
    assert 0.2 < len(elliptic) / len(calls(turns)) < 0.5
    by_id, planted = {turn.id: turn for turn in turns}, {label["id"] for label in labels if label["defect"]}
    for turn in elliptic:
        name, _, number = turn.id.partition("@")
        (now,), (before,) = turn.answers or [None], by_id[f"{name}@{int(number) - 2}"].answers
        if turn.id not in planted:
            pairs = [(now["arguments"][slot], before["arguments"][slot]) for slot in before["arguments"]]
            assert now["name"] == before["name"] and sum(new != old for new, old in pairs) == 1


def test_whole_questions_are_of_the_pools_split(turns):
    whole = [turn.query for turn in calls(turns) if not turn.query.startswith(ELLIPTIC)]
    assert {split_of(query) for query in whole} == {"pool"}


def test_some_codes_are_references_that_were_told(turns):
    assert any("that reference" in turn.query and turn.answers for turn in calls(turns))
    for turn in calls(turns):
        if "that reference" in turn.query and turn.response is None:
            told = json.loads([m for m in turn.history if m["role"] == "tool"][-1]["content"])["reference"]
            assert told in json.dumps(turn.answers)


def test_labels_are_of_the_turns_and_planted_in_last_ones(turns, labels):
    assert [label["id"] for label in labels] == [turn.id for turn in turns]
    planted = {label["id"]: label["defect"] for label in labels if label["defect"]}
    assert set(planted.values()) == set(PLANTED)
    assert all(label["check"] == CAUGHT_BY.get(label["defect"]) for label in labels)
    last = {turn.id.partition("@")[0]: turn.id for turn in turns}
    for turn in turns:
        if turn.id in planted:
            assert turn.response and last[turn.id.partition("@")[0]] == turn.id and not turn.steps
            if planted[turn.id] in ("format_quoted_name", "format_unquoted"):
                with pytest.raises(CallSyntaxError):
                    parse(turn.response["answer"])
