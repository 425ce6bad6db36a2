"""Rows whose tools have names that calls cannot write: identifiers in training, the user's names in published data."""

import json
from pathlib import Path

import pytest
from datasets import load_dataset
from tiny import tiny_tokenizer

from funreason.assemble.training_set import training_row
from funreason.calls import render
from funreason.calls.names import NameMap
from funreason.core.errors import DataError
from funreason.core.jsonio import read_details, read_jsonl, write_json, write_jsonl
from funreason.core.records import Sample
from funreason.data.rows import AcceptedRow, TaskIds, read_tasks
from funreason.heuristics import heuristic_result
from funreason.prompts import calling_prompt, split_calling_prompt
from funreason.publish.build import publish
from funreason.publish.messages import openai_messages

from .conftest import chain, rows, stage, write_project
from .published import ROWS, write_round

FORECAST = {
    "name": "get-weather",
    "description": "The forecast.",
    "parameters": {
        "start-date": {"description": "YYYY-MM-DD", "type": "str"},
        "tags": {"description": "Ümlaut", "type": "List[float]", "default": []},
    },
}
LISTING = {
    "name": "products/list",
    "description": "",
    "parameters": {"type": "object", "properties": {"page": {"type": "integer"}}, "required": ["page"]},
}
NAMES = NameMap.of([FORECAST, LISTING])
CALL = {"name": "get-weather", "arguments": {"start-date": "2024-01-01", "tags": [{"start-date": 1}]}}
ANSWER = render(NAMES.calls([CALL]))


def sample(answer: str = ANSWER, cot: str = "So get_weather with start_date.", **context) -> Sample:
    tools = NAMES.tools([FORECAST, LISTING])
    return Sample("7", "Use get-weather, not get_weather!", tools, cot, answer, names=NAMES.to_row(), **context)


def called(message: dict) -> list[dict]:
    functions = [call["function"] for call in message["tool_calls"]]
    return [{"name": each["name"], "arguments": json.loads(each["arguments"])} for each in functions]


def test_a_training_row_keeps_identifiers_and_their_names() -> None:
    row = training_row("r1", sample())
    assert row["names"]["originals"] == {
        "get_weather": "get-weather",
        "start_date": "start-date",
        "products_list": "products/list",
    }
    assert '"name": "get_weather"' in row["prompt"][0]["content"]
    assert row["completion"][0]["content"].endswith(ANSWER)
    assert Sample.from_row(sample().to_row()) == sample()
    assert "names" not in training_row("r1", Sample("1", "?", [], "", "[]"))


def test_messages_have_the_users_names_in_tools_calls_and_reasoning() -> None:
    steps = [{"role": "assistant", "content": "[products_list(page=1)]", "reasoning_content": "First products_list."}]
    context = {
        "history": [
            {"role": "user", "content": "get_weather?"},
            {"role": "assistant", "content": "I have get_weather."},
        ],
        "steps": [*steps, {"role": "tool", "content": "start_date"}],
    }
    written = openai_messages(training_row("r1", sample(**context)))
    tools = [tool["function"] for tool in json.loads(written["tools"])]
    assert [tool["name"] for tool in tools] == ["get-weather", "products/list"]
    assert tools[0]["parameters"] == {
        "type": "object",
        "properties": {
            "start-date": {"type": "string", "description": "YYYY-MM-DD"},
            "tags": {"type": "array", "items": {"type": "number"}, "description": "Ümlaut", "default": []},
        },
        "required": ["start-date"],
    }
    first, answered, query, step, result, last = written["messages"]
    assert (first["content"], answered["content"]) == ("get_weather?", "I have get-weather.")
    assert query["content"] == "Use get-weather, not get_weather!"
    assert called(step) == [{"name": "products/list", "arguments": {"page": 1}}]
    assert (step["content"], step["reasoning_content"]) == ("", "First products/list.")
    assert (result["role"], result["content"]) == ("tool", "start_date")
    assert called(last) == [CALL]
    assert (last["content"], last["reasoning_content"]) == ("", "So get-weather with start-date.")


def test_a_system_message_stays_and_the_calling_prompt_does_not() -> None:
    functions = [{"name": "f", "description": '"{tools}" \n', "parameters": {"type": "dict", "properties": {}}}]
    assert split_calling_prompt(calling_prompt(functions)) == (functions, "")
    row = {"id": "r1/1", "completion": [{"role": "assistant", "content": "[f()]"}]}
    prompt = [
        {"role": "system", "content": calling_prompt(functions) + "\nBe kind.\n"},
        {"role": "user", "content": "?"},
    ]
    roles = [(message["role"], message["content"]) for message in openai_messages(row | {"prompt": prompt})["messages"]]
    assert roles == [("system", "Be kind."), ("user", "?"), ("assistant", "")]
    for text in ("You are kind.", calling_prompt([]).replace("[]", "[")):
        with pytest.raises(DataError, match="is not a calling prompt"):
            split_calling_prompt(text)


def test_the_types_of_published_tools_are_those_of_json_schema() -> None:
    properties = {
        "any": {"type": "any", "description": "d"},
        "text": {"type": "List[int]"},
        "deep": {"type": "dict", "properties": {"x": {"type": "float"}}, "additionalProperties": {"type": "tuple"}},
        "either": {"anyOf": [{"type": "String"}, {"type": ["dict", "null"]}]},
        "type": {"type": "list", "items": {"type": "bool"}},
    }
    tool = {"name": "f", "description": "", "parameters": {"type": "dict", "properties": properties, "required": []}}
    row = training_row("r1", Sample("1", "?", [tool], "", "[f()]"))
    (published,) = json.loads(openai_messages(row)["tools"])
    assert published["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "any": {"description": "d"},
            "text": {"type": "array", "items": {"type": "integer"}},
            "deep": {
                "type": "object",
                "properties": {"x": {"type": "number"}},
                "additionalProperties": {"type": "array"},
            },
            "either": {"anyOf": [{"type": "string"}, {"type": ["object", "null"]}]},
            "type": {"type": "array", "items": {"type": "boolean"}},
        },
        "required": [],
    }


def test_published_texts_of_calls_lead_back_by_their_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_round(tmp_path, [ROWS[0], training_row("r1", sample()), ROWS[2]])
    publish("r1", None, "teacher")
    folder = tmp_path / "data/r1/dataset"
    for config in ("trl", "sharegpt"):
        loaded = load_dataset(str(folder), config, cache_dir=str(tmp_path / "cache"))["train"]
        assert [NameMap.from_row(json.loads(text)) for text in loaded["names"]] == [NameMap({}), NAMES, NameMap({})]
    loaded = load_dataset(str(folder), "messages", cache_dir=str(tmp_path / "cache"))["train"]
    assert [called(messages[-1]) for messages in loaded["messages"]][1] == [CALL]
    assert (
        called(loaded["messages"][0][-1]) and loaded["messages"][2][-1]["content"] == "None of the functions can sing."
    )
    assert read_details(tmp_path / "metrics/r1/dataset.json")["rows_with_names"] == 1
    assert "1 rows have a tool or a parameter with a name" in (folder / "README.md").read_text()


def test_without_odd_names_the_published_rows_are_the_training_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_round(tmp_path)
    publish("r1", None, "teacher")
    assert Path("data/r1/dataset/trl/train.jsonl").read_bytes() == Path("data/r1/train.jsonl").read_bytes()
    assert all(
        set(row) == {"id", "conversations", "system", "tools"} for row in rows("data/r1/dataset/sharegpt/train.jsonl")
    )
    assert "cannot spell" not in Path("data/r1/dataset/README.md").read_text()


def test_the_history_of_a_row_names_both(ledgered, command) -> None:
    (row,) = read_jsonl("data/r0/pools/qualified.jsonl")
    write_jsonl("data/r0/pools/qualified.jsonl", [row | {"names": NameMap({"get_weather": "get-weather"}).to_row()}])
    assert "names       get_weather stands for 'get-weather'" in command("ledger", "show", "12#1")[1].splitlines()


@pytest.mark.parametrize(("name", "value"), [("8DJIZ3", None), ("Rate List", True)])
def test_a_reasoning_with_the_users_names_fits_its_call(name: str, value: bool | None) -> None:
    tools = [{"name": name, "description": "", "parameters": {"currency": {"type": "str"}}}]
    names = NameMap.of(tools)
    answer = render(names.calls([{"name": name, "arguments": {"currency": "EUR"}}]))
    row = Sample("1", "?", names.tools(tools), f"I call {name} for EUR.", answer, names=names.to_row())
    result = heuristic_result("cot", row)
    assert result.value is value, result


def run_stages(project: Path, source: dict) -> None:
    """All stages before training, without a model: the row is distilled, and the heuristics judge it."""
    write_jsonl("rows.jsonl", [source])
    write_project(project, "http://127.0.0.1:1", [], fcdr={"mode": "heuristics", "undecided": "keep"})
    local = {"kind": "local", "path": "rows.jsonl", "revision": None, "identity": "sha256:0"}
    write_json("data/source.json", local)
    tiny_tokenizer().save_pretrained("student")
    write_json("models/base.json", local | {"path": "student"})
    stage("prepare")
    write_jsonl(
        "labels.jsonl", [{"id": task["id"], "defect": None, "check": None} for task in rows("data/tasks.jsonl")]
    )
    chain()
    stage("publish", "r0")


def test_odd_names_from_the_source_to_published_data(project: Path) -> None:
    tools = [FORECAST, LISTING, {"name": "Rate List", "description": "Rates.", "parameters": {"to": {"type": "str"}}}]
    calls = [{"name": "Rate List", "arguments": {"to": "EUR"}}, {"name": "products/list", "arguments": {"page": 2}}]
    cot = "I call Rate List to EUR and products/list with page 2."
    response = {"cot": cot, "answer": "[Rate List(to='EUR'), products/list(page=2)]"}
    source = {"id": 1, "query": "List the rates to EUR, and list page 2 of the products.", "tools": json.dumps(tools)}
    run_stages(project, source | {"answers": json.dumps(calls), "response": response})
    (trained,) = rows("data/r0/train.jsonl")
    assert trained["completion"][0]["content"] == (
        "<think>I call Rate List to EUR and products_list with page 2.</think>\n\n"
        "[Rate_List(to='EUR'), products_list(page=2)]"
    )
    (published,) = rows("data/r0/dataset/messages/train.jsonl")
    assert [tool["function"]["name"] for tool in json.loads(published["tools"])] == [tool["name"] for tool in tools]
    assert called(published["messages"][-1]) == calls
    assert published["messages"][-1]["reasoning_content"] == cot
    (again,) = read_tasks([(1, json.dumps(published).encode())], "published", TaskIds())  # published data is a source
    (task,) = rows("data/tasks.jsonl")
    assert isinstance(again, AcceptedRow)
    assert (again.format, again.ignored) == ("openai", ())
    assert {name: getattr(again.tasks[0], name) for name in ("query", "answers", "response", "names")} == {
        name: task[name] for name in ("query", "answers", "response", "names")
    }


def test_a_conversation_with_odd_names_is_published_as_it_came(project: Path) -> None:
    def turn(reasoning: str, content: str = "", *calls: dict) -> dict:
        functions = [{"name": call["name"], "arguments": json.dumps(call["arguments"])} for call in calls]
        tool_calls = [{"type": "function", "function": function} for function in functions]
        return {"role": "assistant", "content": content, "reasoning_content": reasoning, "tool_calls": tool_calls}

    forecast = {"name": "get-weather", "arguments": {"start-date": "2024-01-01"}}
    listing = {"name": "products/list", "arguments": {"page": 2}}
    messages = [
        {"role": "system", "content": "Prefer get-weather."},
        {"role": "assistant", "content": "I have get-weather."},
        {"role": "user", "content": "Use get-weather for 2024-01-01, then products/list for page 2."},
        turn("So get-weather with start-date 2024-01-01.", "", forecast),
        {"role": "tool", "content": "products/list next"},
        turn("Now products/list, page 2.", "", listing),
        {"role": "tool", "content": "none"},
        turn("All is done.", "No products; products/list is empty."),
    ]
    tools = [{"type": "function", "function": tool} for tool in (FORECAST, LISTING)]
    run_stages(project, {"id": "talk", "messages": messages, "tools": tools})
    published = {row["id"]: row for row in rows("data/r0/dataset/messages/train.jsonl")}
    for length, name in ((4, "talk@1"), (6, "talk@2"), (8, "talk@3")):
        row = published[f"r0/{name}"]
        assert [tool["function"]["name"] for tool in json.loads(row["tools"])] == ["get-weather", "products/list"]
        for message, source in zip(row["messages"], messages[:length], strict=True):
            assert message == {"reasoning_content": "", "tool_calls": []} | source
