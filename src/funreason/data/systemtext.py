"""Tools that a data set writes into a text: the system message of Hermes, ToolACE and glaive, ToolRL's instruction."""

import re
from typing import Any

from funreason.data.fields import BadRow
from funreason.data.jsontext import loose, values_in

_BLOCK = re.compile(r"<(tools|AVAILABLE_TOOLS)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
# ToolRL: "1. Name: get_weather\nDescription: …\nParameters: {…}"
_NUMBERED = re.compile(
    r"^\s*\d+\.\s+\**Name:\s*(.*?)\**\s*\n\s*\**Description:\**\s*(.*?)\n\s*\**Parameters:\**\s*(?=\{)",
    re.DOTALL | re.MULTILINE,
)
_ROLE = re.compile(r"\A\s*SYSTEM:\s*")
# How a data set's own prompt speaks of the form of calls, which the calling prompt says anew.
_FORM = re.compile(
    r"\b(functions?|tools?|tool[-_ ]?calls?|json|schema|xml|tags?|param(eter)?s?|arguments?|other text|use them)\b"
    r"|[<\[{}]",
    re.IGNORECASE,
)
_PARAMETERS = ("parameters", "arguments", "input_schema", "inputSchema")
_WORD = re.compile(r"\w")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n")


def tools_of_text(text: str) -> tuple[list[Any], str]:
    """The tools in a text, and what the text says besides.

    Args:
        text: The system text of a row.

    Returns:
        The tools, as published, and the sentences of the text that do not speak of tools or of the form of calls; the
        whole text where it holds no tools.

    Raises:
        BadRow: A block of tools is neither JSON nor a Python literal.
    """
    text = _ROLE.sub("", text)
    blocks = [match for match in _BLOCK.finditer(text) if match[2].strip()]
    tools = [tool for block in blocks for tool in _block_tools(block[2])] or _numbered(text)
    rest = _BLOCK.sub("\n\n", text)
    if not tools:
        tools, rest = _objects(rest)
    if not tools and not blocks:
        return [], text
    sentences = [sentence.strip() for sentence in _SENTENCE.split(rest)]
    return tools, " ".join(sentence for sentence in sentences if _WORD.search(sentence) and not _FORM.search(sentence))


def _block_tools(body: str) -> list[Any]:
    """The tools between tags: a list, or one per line."""
    try:
        value = loose(body.strip())
        return value if isinstance(value, list) else [value]
    except ValueError as error:
        tools = [value for value, _, _ in values_in(body)]
        if not tools:
            raise BadRow("tools not JSON", str(error)) from None
    return [tool for value in tools for tool in (value if isinstance(value, list) else [value])]


def _numbered(text: str) -> list[Any]:
    tools = []
    for match in _NUMBERED.finditer(text):
        parameters = next((value for value, _, _ in values_in(text[match.end() :])), None)
        tools.append({"name": match[1].strip(), "description": match[2].strip(), "parameters": parameters})
    return tools


def _objects(text: str) -> tuple[list[Any], str]:
    """Tools that stand in the text without tags, objects or lists of objects, and the text without them."""
    if '"name"' not in text:
        return [], text
    tools, rest, at = [], [], 0
    for value, start, end in values_in(text):
        items = [item for item in (value if isinstance(value, list) else [value]) if _is_tool(item)]
        if items:
            tools += items
            rest.append(text[at:start])
            at = end
    return tools, "\n\n".join([*rest, text[at:]])


def tool_name(item: Any) -> str | None:
    """The name of a tool as published; None where it has none."""
    inner = item.get("function", item) if isinstance(item, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) else None


def _is_tool(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    inner = item["function"] if isinstance(item.get("function"), dict) else item
    return isinstance(inner.get("name"), str) and any(name in inner for name in _PARAMETERS)
