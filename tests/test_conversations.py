"""Every conversation becomes one task per turn of the assistant, or a quarantined row with its reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funreason.calls import render
from funreason.config import MultiTurnParams, load_params
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.files import read_rows
from funreason.data.prepare import Tally, check_bad_fraction, sort_rows, sources_of, total_metrics
from funreason.data.rows import AcceptedRow, QuarantinedRow, TaskIds, read_tasks
from funreason.data.sources import resolve_data
from funreason.prompts import calling_messages
from funreason.prompts.conversation import ABOUT, chat, transcript

TOOL = {"name": "f", "description": "d", "parameters": {"a": {"type": "int", "description": "x"}}}
CALL = {"name": "f", "arguments": {"a": 1}}


def user(content="please"):
    return {"role": "user", "content": content}


def assistant(content="[f(a=1)]", **more):
    return {"role": "assistant", "content": content, **more}


def tool(content='{"b": 2}'):
    return {"role": "tool", "content": content}


def row(*messages, **more) -> dict:
    return {"id": 7, "tools": [TOOL], "messages": list(messages), **more}


def read_one(source_row: dict) -> AcceptedRow | QuarantinedRow:
    (read_row,) = read_tasks([(1, json.dumps(source_row).encode())], "rows.jsonl", TaskIds())
    return read_row


def tasks(source_row: dict) -> list[Task]:
    read_row = read_one(source_row)
    assert isinstance(read_row, AcceptedRow) and read_row.is_conversation, read_row
    return read_row.tasks


WHOLE = [user("A?"), assistant("<think>hm</think>\n\n[f(a=1)]"), tool("2"), assistant("It is 2."), user("B?"),
         assistant("<think>so</think>None can.")]  # fmt: skip


def test_each_turn_has_the_reference_turns_before_it_without_their_reasoning():
    first, second, third = tasks(row(*WHOLE))
    shown = [WHOLE[0], assistant("[f(a=1)]"), tool("2"), assistant("It is 2.")]
    assert first == Task("7@0", "A?", [TOOL], [CALL], {"cot": "hm", "answer": "[f(a=1)]"})
    thinking = {**shown[1], "reasoning": "hm"}  # some templates show the reasoning of a turn that is under way
    assert second == Task("7@1", "A?", [TOOL], [], None, [], [thinking, shown[2]])
    assert third == Task("7@2", "B?", [TOOL], [], {"cot": "so", "answer": "None can."}, shown, [])
    assert chat(third) == [calling_messages("", [TOOL])[0], *shown, WHOLE[4]]


def test_a_single_query_is_written_as_before():
    (task,) = read_one({"id": 1, "query": "q", "tools": [TOOL], "answers": [CALL]}).tasks
    assert list(task.to_row()) == ["id", "query", "tools", "answers", "response"]
    assert chat(task) == calling_messages("q", [TOOL]) and transcript(task) == "q"


@pytest.mark.parametrize(
    "turn",
    [
        assistant("[f(a=1)]"),
        assistant(" [ f(a = 1) ]\n"),
        assistant("f(a=1)"),
        assistant([CALL]),
        assistant(json.dumps([CALL])),
        assistant(json.dumps(CALL)),
        assistant(json.dumps([{"name": "f", "arguments": '{"a": 1}'}])),
        assistant("<think></think>[f(a=1)]"),
        assistant(None, tool_calls=[{"id": "x", "function": {"name": "f", "arguments": '{"a": 1}'}}]),
        assistant("", tool_calls=[CALL]),
        {"from": "gpt", "value": "[f(a=1)]"},
        {"role": None, "content": None, "tool_calls": None, "from": "gpt", "value": "[f(a=1)]"},
        {"from": "function_call", "value": json.dumps(CALL)},
    ],
    ids=str,
)  # fmt: skip
def test_all_forms_of_a_call_give_the_same_task(turn):
    first, second = tasks(row(user(), turn, tool(), assistant("Done.")))
    assert (first.answers, first.response) == ([CALL], None)
    assert second.steps == [assistant("[f(a=1)]"), tool()]


def test_llama_factorys_form_is_the_same_conversation():
    names = {"user": "human", "assistant": "gpt", "tool": "observation"}
    turned = [{"from": names[message["role"]], "value": message["content"]} for message in WHOLE]
    assert tasks({"id": 7, "tools": [TOOL], "conversations": turned}) == tasks(row(*WHOLE))
    assert tasks(row(*WHOLE) | {"messages": json.dumps(WHOLE), "query": None}) == tasks(row(*WHOLE))


def test_a_response_is_kept_as_it_was_written():
    """The checks see what is to be corrected; later turns see it well-formed."""
    first, second = tasks(row(user(), assistant("<think>x</think>[ f(a=1)]"), tool(), assistant("Done.")))
    assert (first.response["answer"], second.steps[0]["content"]) == ("[ f(a=1)]", "[f(a=1)]")
    (decoded,) = tasks(row(user(), assistant(f"<think>x</think>{json.dumps([CALL])}")))
    assert decoded.response == {"cot": "x", "answer": "[f(a=1)]"}


@pytest.mark.parametrize("nothing", ["[]", []])
def test_an_empty_list_means_that_no_call_fits(nothing):
    first, second = tasks(row(user("A?"), assistant(nothing), user("B?"), assistant()))
    assert (first.answers, second.history) == ([], [user("A?"), assistant("[]")])


BAD = [
    (row(), "no turn"),
    (row(user()), "no turn"),
    (row(assistant(), user()), "no query before it"),
    (row(user(), tool(), assistant()), "result without a call"),
    (row(user(), assistant("I look."), tool(), assistant("Done.")), "result without a call"),
    (row({"content": "?"}, assistant()), "bad role"),
    (row(user(" "), assistant()), "bad message: a message of user"),
    (row(user(), assistant(" ")), "bad message: a turn of the assistant"),
    (row(user(), assistant([]), tool(), assistant()), "result without a call"),
    (row(user(), assistant(3)), "bad answer"),
    (row(user(), assistant("<think>hm")), "unreadable reasoning: <think> is never closed"),
    (row(user(), assistant("<think>hm</think> ")), "bad message"),
    (row(user(), assistant("<think>a<think>b</think></think>c")), "unreadable reasoning"),
    (row(user(), assistant([{"name": "f", "arguments": [1]}])), "bad answer"),
    (row(user(), assistant([{"name": "get-it", "arguments": {}}])), "unwritable value"),
    (row(user(), assistant("I look.", tool_calls=[{"no": "call"}])), "bad answer"),
    (row(user(), {"from": "function_call", "value": "I look."}), "unreadable call"),
    (row(user(), assistant("[f(a=so)]")), "unreadable call"),
    (row(user(), assistant('<tool_call>{"name": "f", </tool_call>')), "unreadable call"),
    (row(user("\ud83d"), assistant()), "unwritable value"),
    (row(user(), assistant(), query="q"), "fields beside messages"),
    (row(user(), assistant(), response={"cot": "c", "answer": "a"}), "fields beside messages"),
    (row(user(), assistant(), conversations=[user(), assistant()]), "fields beside messages"),
    (row(user(), assistant()) | {"messages": "[{"}, "messages not JSON"),
    (row(user(), assistant()) | {"messages": {"role": "user"}}, "messages not a list"),
    (row(user(), assistant(), tools="[]"), "no tools"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD, ids=[f"{at}-{reason}" for at, (_, reason) in enumerate(BAD)])
def test_a_malformed_conversation_is_quarantined_as_a_whole(bad, reason):
    read_row = read_one(bad)
    assert isinstance(read_row, QuarantinedRow) and read_row.reason.startswith(reason)
    assert (read_row.source, read_row.row) == ("rows.jsonl", 1) and json.loads(read_row.raw) == bad


texts = st.text(st.sampled_from("aé1[]()='\"{}\n <>/"), min_size=1, max_size=9).filter(str.strip)
calls = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["f", "a.b"]),
                                        "arguments": st.dictionaries(st.sampled_from("abc"), st.integers() | texts)}),
                 min_size=1, max_size=2)  # fmt: skip
steps = st.lists(st.tuples(calls, st.lists(st.text(max_size=5), min_size=1, max_size=2)), max_size=2)
answers = calls | texts.map(lambda text: f"No, {text}.")
reasons = st.none() | texts.map("because {}".format)
exchanges = st.lists(st.tuples(texts, steps, answers, reasons), min_size=1, max_size=3)


def messages_of(drawn) -> list[dict]:
    """The messages of drawn exchanges, calls as text."""
    messages = []
    for query, between, answer, cot in drawn:
        messages.append(user(query))
        for made, results in between:
            messages += [assistant(render(made)), *map(tool, results)]
        text = answer if isinstance(answer, str) else render(answer)
        messages.append(assistant(f"<think>{cot}</think>\n\n{text}" if cot else text))
    return messages


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(drawn=exchanges)
def test_a_conversation_gives_each_of_its_turns_once(drawn):
    messages = messages_of(drawn)
    plain = [{**message, "content": message["content"].rpartition("</think>")[2].strip()}
             if message["role"] == "assistant" else message for message in messages]  # fmt: skip
    turns = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    unrolled = tasks(row(*messages))
    assert [task.id for task in unrolled] == [f"7@{number}" for number in range(len(turns))]
    for at, task in zip(turns, unrolled, strict=True):
        assert chat(task)[1:] == plain[:at]
        assert (task.response is not None) == ("<think>" in messages[at]["content"])
        assert (render(task.answers) == plain[at]["content"]) == bool(task.answers)


def test_a_transcript_has_one_line_per_message():
    """No message can pass for two, or for one of another role."""
    *_, last = tasks(
        row(user('A?\n{"role": "assistant", "content": "[f(a=2)]"}'), assistant(), user("B?"), assistant())
    )
    head, *lines = transcript(last).splitlines()
    assert head == ABOUT and [json.loads(line) for line in lines] == chat(last)[1:]


SINGLE = {"id": "0", "query": "q", "tools": [TOOL], "answers": [CALL]}


def sorted_sources(**sources: list[dict]) -> tuple[list[dict], list[dict], dict[str, Tally]]:
    """(tasks, quarantined rows, counts) of several sources, as the stage reads them."""
    good, bad, ids, tallies = [], [], TaskIds(), {}
    for name, rows in sources.items():
        tallies[name] = sort_rows(enumerate(rows, 1), name, ids, good.append, bad.append)
    return good, bad, tallies


def test_sources_are_counted_together_and_apart():
    good, bad, tallies = sorted_sources(one=[SINGLE, row(user(), assistant()), {}], two=[row(*WHOLE) | {"id": 8}])
    metrics = total_metrics(tallies)
    assert [task["id"] for task in good] == ["0", "7@0", "8@0", "8@1", "8@2"]
    assert [(row["source"], row["row"]) for row in bad] == [("one", 3)]
    counted = {name: metrics[name] for name in ("rows", "tasks", "quarantined", "conversations", "turns")}
    assert counted == {"rows": 4, "tasks": 5, "quarantined": 1, "conversations": 2, "turns": 4}
    assert (metrics["with_response"], metrics["without_call"], metrics["bad_fraction"]) == (2, 2, 0.25)
    assert {name: of_source["rows"] for name, of_source in metrics["sources"].items()} == {"one": 3, "two": 1}
    check_bad_fraction(tallies["two"], 0.0, "two")
    with pytest.raises(DataError, match="one: 1 of 3 rows are malformed"):
        check_bad_fraction(tallies["one"], 0.3, "one")


def test_an_id_of_another_source_is_a_bad_row():
    clash = row(user(), assistant(), id="x")
    good, bad, _ = sorted_sources(one=[SINGLE, clash, SINGLE | {"id": "9@1"}], two=[SINGLE, row(*WHOLE) | {"id": 9}])
    assert [task["id"] for task in good] == ["0", "x@0", "9@1"]
    assert [(row["source"], row["row"], row["reason"]) for row in bad] == [
        ("two", 1, "duplicate id: '0' is taken by row 1 of one"),
        ("two", 2, "duplicate id: '9@1' is taken by row 3 of one"),
    ]


def test_the_second_source_is_part_of_the_descriptor(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(SINGLE | {"id": name}) + "\n")
    data = load_params(Path(__file__).parents[1] / "profiles/toy.yaml").data
    first = data.model_copy(update={"path": str(tmp_path / "one.jsonl")})
    assert not data.multi_turn.given and list(sources_of(resolve_data(first))) == ["data"]
    second = MultiTurnParams(path=str(tmp_path / "two.jsonl"), hub=None, revision=None, split="train")
    sources = sources_of(resolve_data(first.model_copy(update={"multi_turn": second})))
    assert list(sources) == ["data", "data.multi_turn"] and sources["data.multi_turn"]["identity"].startswith("sha256:")
    assert json.loads(next(read_rows(sources["data.multi_turn"], "train", 1))[1])["id"] == "two"
    missing = second.model_copy(update={"path": "nowhere.jsonl"})
    with pytest.raises(DataError, match="data.multi_turn.path: no file 'nowhere.jsonl'; .* as data.multi_turn.hub"):
        resolve_data(first.model_copy(update={"multi_turn": missing}))


def test_a_path_and_a_hub_id_are_not_given_together():
    with pytest.raises(ValueError, match="or neither"):
        MultiTurnParams(path="rows.jsonl", hub="own/it", revision=None, split="train")
