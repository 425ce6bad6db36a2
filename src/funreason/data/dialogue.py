"""A row as a `Dialogue`, the one form that all formats are read into, and the reading of rows that hold messages."""

from dataclasses import dataclass, field
from typing import Any

from funreason.data.fields import BadRow, SkippedRow, required
from funreason.data.jsontext import either, unwrapped
from funreason.data.messages import REASONING
from funreason.data.systemtext import tool_name, tools_of_text

Row = dict[str, Any]
MESSAGES = ("messages", "conversations", "conversation")
TOOLS = ("tools", "functions", "tools_json", "tool_defs", "available_tools")
_AFTER = ("completion", "chosen_response", "chosen")  # beside a prompt


@dataclass
class Dialogue:
    """A row in the one form that all formats are read into.

    Attributes:
        tools: The tools as published, decoded.
        messages: The messages as published, decoded; the first may be of the system.
        only_last: Whether only the last turn is to be learned (see `turns`).
        used: The fields of the row that were read.
    """

    tools: list[Any]
    messages: list[Any]
    only_last: bool = False
    used: set[str] = field(default_factory=set)


def tools_field(row: Row) -> tuple[list[Any], str | None]:
    """The tools of a row and the field that holds them; none and None where there is no such field."""
    name = next((name for name in TOOLS if row.get(name) is not None), None)
    value = items_of(either(row[name], name)) if name else None
    if value is not None and not isinstance(value, list):
        raise BadRow(f"{name} not a list", f"it is a {type(value).__name__}")
    return [either(tool, "tool") if isinstance(tool, str) else tool for tool in value or ()], name


def items_of(value: Any) -> Any:
    """A list that Hugging Face holds as one object of lists, as a list; a single object as a list of it."""
    if not isinstance(value, dict):
        return value
    lists = list(value.values())
    if lists and all(isinstance(one, list) and len(one) == len(lists[0]) for one in lists):
        return [dict(zip(value, one, strict=True)) for one in zip(*lists, strict=True)]
    return [value] if "name" in value or "function" in value else value


def _messages_field(row: Row) -> tuple[list[Any], set[str]]:
    if row.get("label") is False and row.get("completion") is not None:  # TRL's unpaired preferences
        raise SkippedRow("not to be learned", "its label is false")
    name = next((name for name in (*MESSAGES, "prompt", "chosen") if row.get(name) is not None), MESSAGES[0])
    value = items_of(unwrapped(required(row, name), name))
    if not isinstance(value, list):
        raise BadRow(f"{name} not a list", f"it is a {type(value).__name__}")
    after = next((one for one in _AFTER if row.get(one) is not None and one != name), None)
    used = {name} | ({after} if after else set())
    more = unwrapped(row[after], after) if after and not isinstance(row[after], str) else row[after] if after else []
    if isinstance(more, str):
        more = [{"role": "assistant", "content": more}]
    more = more if isinstance(more, list) else [more]
    whole = more[: len(value)] == value and len(more) > len(value)  # `chosen` may repeat the prompt
    return (more if whole else [*value, *more]), used


def read_messages(row: Row) -> Dialogue:
    """A conversation as a list of messages; tools in a field, or in the text of the system."""
    messages, used = _messages_field(row)
    messages = _in_order(messages)
    tools, name = tools_field(row)
    if row.get("system"):  # a text, or Anthropic's blocks
        messages = [{"role": "system", "content": row["system"]}, *messages]
    reasoning = next((key for key in REASONING if isinstance(row.get(key), str)), None)
    turns = [at for at, message in enumerate(messages) if role_of(message) in ("assistant", "gpt")]
    if reasoning and len(turns) == 1:
        messages[turns[0]] = {**messages[turns[0]], reasoning: row[reasoning]}
        used.add(reasoning)
    in_text: list[Any] = []
    named = {tool_name(tool) for tool in tools}
    for at, message in enumerate(messages):
        if role_of(message) == "system" and isinstance(text := content_of(message), str):
            more, rest = tools_of_text(text)
            if {tool_name(tool) for tool in more} <= named or not tools:  # else it is JSON of something else
                in_text += more
                messages[at] = {"role": "system", "content": rest}
    return Dialogue(tools or in_text, messages, used=used | {"system", *([name] if name else [])})


def _in_order(messages: list[Any]) -> list[Any]:
    """The messages; results in the order of their calls, which ids may tell: a row's calls have none."""
    out: list[Any] = []
    asked: list[Any] = []
    for message in messages:
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        if isinstance(calls, list):
            asked = [call.get("id") if isinstance(call, dict) else None for call in calls]
        given = message.get("tool_call_id") if isinstance(message, dict) else None
        at = len(out)
        while given in asked and at and _comes_before(given, out[at - 1], asked):
            at -= 1
        out.insert(at, message)
    return out


def _comes_before(given: Any, other: Any, asked: list[Any]) -> bool:
    """Whether the result of call `given` belongs before another message: the result of a later call."""
    after = other.get("tool_call_id") if isinstance(other, dict) else None
    return None not in (given, after) and after in asked and asked.index(given) < asked.index(after)


def role_of(message: Any) -> Any:
    """The role of a message as published, in small letters; None where it has none."""
    role = (message.get("role") or message.get("from")) if isinstance(message, dict) else None
    return role.lower() if isinstance(role, str) else role


def content_of(message: dict[str, Any]) -> Any:
    """The content of a message as published."""
    return message["content"] if message.get("content") is not None else message.get("value")
