"""Source rows with names that calls cannot write become tasks under identifiers, and lead back to the source."""

import gzip
import json
from pathlib import Path

import pytest

from funreason.calls import parse, render
from funreason.calls.names import NameMap
from funreason.calls.text import is_name
from funreason.core.records import Task
from funreason.data.fields import BadRow
from funreason.data.naming import with_identifiers
from funreason.data.prepare import sort_rows
from funreason.data.rows import TaskIds, read_tasks

from .reading import accepted, refused

REAL = Path(__file__).parents[3] / "shared/data/real"
TOOLS = [
    {"name": "get-weather", "description": "d", "parameters": {"start-date": {"type": "str"}, "top": {"type": "int"}}},
    {"name": "Search Managers", "description": "d", "parameters": {"$top": {"type": "dict"}}},
]
CALLS = [
    {"name": "get-weather", "arguments": {"start-date": "get-weather(start-date=1)", "top": 2}},
    {"name": "Search Managers", "arguments": {"$top": {"$top": [1]}}},
]
WRITTEN = "[get-weather(start-date='get-weather(start-date=1)', top=2), Search Managers($top={'$top': [1]})]"
ANSWER = "[get_weather(start_date='get-weather(start-date=1)', top=2), Search_Managers(top_2={'$top': [1]})]"


def row(cot: str, answer: str = WRITTEN) -> dict:
    response = {"cot": cot, "answer": answer}
    return {"id": "1", "query": "get-weather?", "tools": TOOLS, "answers": CALLS, "response": response}


def task_of(source: dict) -> Task:
    return accepted(source).tasks[0]


def test_a_row_becomes_a_task_under_identifiers() -> None:
    task = task_of(row("I call get-weather with start-date, then Search Managers."))
    names = NameMap.from_row(task.names)
    assert [tool["name"] for tool in task.tools] == ["get_weather", "Search_Managers"]
    assert render(task.answers) == ANSWER
    assert task.query == "get-weather?"
    assert task.response == {"cot": "I call get_weather with start_date, then Search Managers.", "answer": ANSWER}
    assert names.undo_tools(task.tools) == TOOLS and names.undo_calls(task.answers) == CALLS
    assert Task.from_row(json.loads(json.dumps(task.to_row()))) == task


WRAPPED = [{"type": "function", "function": tool} for tool in TOOLS]
FIELD = [{"function": {"name": call["name"], "arguments": json.dumps(call["arguments"])}} for call in CALLS]
TAGGED = "\n".join(f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in CALLS)
ASKED = {"from": "human", "value": "get-weather?"}
FORMATS = {
    "openai": {
        "messages": [{"role": "user", "content": "get-weather?"}, {"role": "assistant", "tool_calls": FIELD}],
        "tools": WRAPPED,
    },
    "sharegpt": {
        "conversations": [ASKED, {"from": "function_call", "value": json.dumps(CALLS)}],
        "tools": json.dumps(TOOLS),
    },
    "toolace": {
        "system": f"Functions:\n{json.dumps(TOOLS)}",
        "conversations": [ASKED, {"from": "gpt", "value": WRITTEN}],
    },
    "hermes": {
        "conversations": [
            {"from": "system", "value": f"<tools>{json.dumps(WRAPPED)}</tools>"},
            ASKED,
            {"from": "gpt", "value": TAGGED},
        ]
    },
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_identifiers(name: str) -> None:
    one = accepted(FORMATS[name])
    (task,) = one.tasks
    assert (one.format, render(task.answers)) == (name, ANSWER)
    assert [tool["name"] for tool in NameMap.from_row(task.names).undo_tools(task.tools)] == [
        "get-weather",
        "Search Managers",
    ]


def test_a_reasoning_that_cannot_be_given_back_stays() -> None:
    source = row("get-weather, in code get_weather", "get-weather says no.")
    task = task_of(source)
    assert task.response == source["response"]
    assert not task.names["in_texts"]


def test_names_that_can_be_written_leave_no_trace() -> None:
    source = row("c", "[f(a=1)]") | {"tools": [{"name": "f", "parameters": {}}], "answers": []}
    assert "names" not in task_of(source).to_row()


def test_what_the_assistant_wrote_earlier_has_identifiers_and_other_texts_do_not() -> None:
    said = "I need get-weather."
    texts = [{"role": role, "content": said} for role in ("system", "user", "tool", "assistant")]
    steps = [{"role": "assistant", "content": "[get-weather()]", "reasoning": said}]
    (task,) = with_identifiers([Task("1", "?", TOOLS, [], history=texts, steps=steps)], TOOLS)
    assert [message["content"] for message in task.history] == [said, said, said, "I need get_weather."]
    assert task.steps == [{"role": "assistant", "content": "[get_weather()]", "reasoning": "I need get_weather."}]


def test_tasks_under_identifiers_are_counted() -> None:
    lines = [json.dumps(row("c") | change).encode() for change in ({}, {"id": "2", "tools": [], "answers": []})]
    metrics = sort_rows(list(enumerate(lines, 1)), "rows.jsonl", TaskIds(), [].append, [].append).metrics()
    assert (metrics["tasks"], metrics["renamed"]) == (1, 1)


def test_a_reference_to_a_name_that_is_replaced_is_refused() -> None:
    properties = {"start-date": {"type": "string"}, "end": {"$ref": "#/properties/start-date"}}
    source = row("c") | {"tools": [{"name": "get", "parameters": {"type": "object", "properties": properties}}]}
    assert "bad tool: tool 'get': `$ref` is '#/properties/start-date'" in refused(source).reason


def test_tools_of_one_name_are_refused() -> None:
    with pytest.raises(BadRow, match="bad tool: two tools have the name 'get-weather'"):
        with_identifiers([task_of(row("c"))], [TOOLS[0], TOOLS[0]])


@pytest.mark.skipif(not REAL.is_dir(), reason="shared/data/real is not here")
@pytest.mark.parametrize(("file", "mapped"), [("xlam_like", 16), ("with_cot", 103)])
def test_all_real_rows_with_odd_names_lead_back(file: str, mapped: int) -> None:
    lines = gzip.decompress((REAL / f"{file}.jsonl.gz").read_bytes()).splitlines()
    sources = [json.loads(line) for line in lines]
    rows = read_tasks(enumerate(lines, 1), file, TaskIds())
    tasks = [(task, source) for row, source in zip(rows, sources, strict=True) for task in getattr(row, "tasks", [])]
    odd = [(task, source) for task, source in tasks if task.names]
    assert len(odd) == mapped
    for task, source in odd:
        names = NameMap.from_row(task.names)
        assert names.undo_tools(task.tools) == json.loads(source["tools"])
        assert names.undo_calls(task.answers) == json.loads(source["answers"])
        if all(
            is_name(key) for call in task.answers for key in call["arguments"]
        ):  # one call is unreadable at its source
            assert [call.to_row() for call in parse(render(task.answers))] == task.answers
        if task.response:
            assert names.undo_text(task.response["cot"]) == source["response"]["cot"]
