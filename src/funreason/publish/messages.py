"""Training rows as OpenAI's messages: tools and calls are JSON, under the user's own names.

The other forms keep the call language in their texts, and with it the identifiers that stand for names it cannot write.
"""

import json
from typing import Any

from funreason.calls import CallSyntaxError, parse, split_completion
from funreason.calls.names import NameMap
from funreason.calls.typenames import JSON_TYPES, read_type
from funreason.prompts import split_calling_prompt
from funreason.publish.formats import REASONING

# Keys of a schema that hold a schema, several by name, or several in a list.
_SCHEMAS = ("items", "additionalProperties")
_OF_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions")
_BRANCHES = ("anyOf", "oneOf", "allOf")

Message = dict[str, Any]


def openai_messages(row: dict[str, Any]) -> dict[str, Any]:
    """A checked training row as OpenAI's messages.

    Every message has all four keys, and `tools` and the arguments of calls are JSON texts: of objects with different
    keys, a table of Arrow would give each the keys of all.

    Returns:
        {"id", "tools", "messages"}. The calling prompt is left out, as chat templates write one of their own.
    """
    names = NameMap.from_row(row.get("names", {}))
    messages = list(row["prompt"])
    functions: list[dict[str, Any]] = []
    if messages[0]["role"] == "system":
        functions, system = split_calling_prompt(messages[0]["content"])
        messages[:1] = [{"role": "system", "content": system}] if system else []
    reasoning, result = split_completion(row["completion"][0]["content"])
    messages.append({"role": "assistant", "content": result, REASONING: reasoning})
    tools = [{"type": "function", "function": _function(tool)} for tool in names.undo_tools(functions)]
    return {
        "id": row["id"],
        "tools": json.dumps(tools, ensure_ascii=False),
        "messages": [_message(message, names) for message in messages],
    }


def _message(message: Message, names: NameMap) -> Message:
    """One message. What the assistant wrote in words has the user's names, too; other texts never had identifiers."""
    content, reasoning, calls = message["content"], message.get(REASONING) or "", []
    if message["role"] == "assistant":
        calls, reasoning = _calls(content, names), names.undo_text(reasoning)
        content = "" if calls else names.undo_text(content)
    return {"role": message["role"], "content": content, REASONING: reasoning, "tool_calls": calls}


def _calls(content: str, names: NameMap) -> list[dict[str, Any]]:
    """The calls of a turn of the assistant in OpenAI's form; none of a statement."""
    try:
        calls = names.undo_calls(parse(content))
    except CallSyntaxError:
        return []
    functions = [{"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)} for call in calls]
    return [{"type": "function", "function": function} for function in functions]


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    """A function in BFCL's form with JSON Schema's type names."""
    return tool | {"parameters": _json_types(tool["parameters"])}


def _json_types(spec: Any) -> Any:
    """A schema with JSON Schema's type names at all depths; a type that admits everything (`any`) is left out."""
    if not isinstance(spec, dict):
        return spec
    out = {}
    for key, value in spec.items():
        if key in _OF_SCHEMAS and isinstance(value, dict):
            value = {name: _json_types(inner) for name, inner in value.items()}
        elif key in _BRANCHES and isinstance(value, list):
            value = [_json_types(inner) for inner in value]
        out[key] = _json_types(value) if key in _SCHEMAS else value
    names = spec.get("type")
    if isinstance(names, list):
        out["type"] = [JSON_TYPES.get(name.lower(), name) if isinstance(name, str) else name for name in names]
    elif isinstance(names, str):
        del out["type"]
        out = _json_type(names) | out
    return out


def _json_type(name: str) -> dict[str, Any]:
    """The schema of a type's name, or of its text (`List[int]`)."""
    if json_type := JSON_TYPES.get(name.lower()):
        return {"type": json_type}
    schema = read_type(name).schema
    return {} if schema == {"type": "any"} else _json_types(schema)
