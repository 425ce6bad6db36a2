"""What one turn of the assistant says, out of the many ways to write it: reasoning, calls, and the text beside them."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

from funreason.calls import Call, CallSyntaxError
from funreason.data.fields import BadRow
from funreason.data.jsontext import REPEATED, RepeatedKey, loads, loose, raw_decode, unwrapped

Calls = list[dict[str, Any]]
Parse = Callable[[str], list[Call]]

_THINK = re.compile(
    r"<(think|thinking|scratch_?pad|reasoning|thought)>|</(think|thinking|scratch_?pad|reasoning|thought)>"
)
# A call between tags (Hermes, When2Call, glaive), which some texts leave open at their end.
_TAGGED = re.compile(
    r"<(tool_?calls?|function_?calls?)>(.*?)(?:</\1>|<\|endoftext\|>|(?=<\1>)|\Z)|\[TOOL_CALLS\](.*)|<\|python_tag\|>(.*)",
    re.DOTALL | re.IGNORECASE,
)
# Calls as other models and prompts write them; taken for statements, they would teach that no call fits.
_FOREIGN = re.compile(
    r"<function=[\w.-]+>|<invoke name=|<start_function_call>|<\|tool_calls?_|<｜tool▁call|<arg_key>|to=functions\."
    r"|^\s*\**Action:\**[^\n]+\n\s*\**Action Input:",
    re.MULTILINE,
)
_RESPONSE = re.compile(r"</?response>")
_FENCE = re.compile(r"\A```\w*\s*(.*?)\s*```\Z", re.DOTALL)
_OUTER = re.compile(r"\A(?:\s|\\n)+|(?:\s|\\n)+\Z")  # some texts hold \n as two characters
# glaive writes the arguments as JSON between single quotes.
_QUOTED = re.compile(r"""("(?:arguments|parameters)"\s*:\s*)'(.*)'(\s*\}\s*)\Z""", re.DOTALL)
_BETWEEN = re.compile(r"[\s,;]*")
_END_TOKEN = re.compile(r"(?:\s*<\|(?:endoftext|im_end|eot_id|eom_id)\|>)+\s*\Z")
_NAMES = ("name", "function", "tool_name", "tool", "function_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "kwargs")


@dataclass(frozen=True)
class Said:
    """What a text of the assistant says.

    Attributes:
        text: The text outside of reasoning and calls.
        calls: The calls; `none` says that an empty list stood in their place.
        reasoning: The reasoning, None where there is none.
        written: The calls as the text writes them, where that is the call language itself.
        problem: Why the turn cannot be learned from, None where it can.
        lost: Whether later turns cannot do without what could not be read.
    """

    text: str = ""
    calls: Calls = field(default_factory=list)
    none: bool = False
    reasoning: str | None = None
    written: str | None = None
    problem: str | None = None
    lost: bool = False


class CallReader:
    """Reads texts of the assistant in a row with certain tools.

    Args:
        parse: Reads calls in the call language.
        tools: The names of the tools, as the row writes them.
    """

    def __init__(self, parse: Parse, tools: Collection[str]):
        self._parse, self._tools = parse, tools

    def text(self, content: str) -> Said:
        """What a text says. Raises BadRow where a key of its JSON stands twice."""
        reasoning, text, problem, lost = split_reasoning(_END_TOKEN.sub("", content))
        if lost:
            return Said(reasoning=reasoning, problem=problem, lost=True)
        said = self._tagged(text) if _TAGGED.search(text) else self._plain(_RESPONSE.sub("", text).strip())
        if said.problem and reasoning:  # a completion as a model wrote it: the checks judge it
            return Said(text, reasoning=reasoning, written=text, lost=True)
        return replace(said, reasoning=reasoning, problem=said.problem or problem)

    def calls(self, value: Any) -> Calls:
        """The calls of a field that holds nothing else. Raises BadRow."""
        value = unwrapped(value, "calls")
        items = value if isinstance(value, list) else [] if value is None else [value]
        return [call_row(item) for item in items]

    def _tagged(self, text: str) -> Said:
        calls: Calls = []
        try:
            for match in _TAGGED.finditer(text):
                calls += self._body(next(filter(None, match.groups()[1:]), ""))
        except ValueError as error:
            return Said(problem=f"unreadable call: {error}", lost=True)
        beside = _RESPONSE.sub("", _TAGGED.sub("", text)).strip()
        return Said(beside, calls, none=not calls and not beside)

    def _body(self, body: str) -> Calls:
        """The calls between two tags: one, a list, one per line, or in the call language. Raises ValueError."""
        body = _unfenced(_OUTER.sub("", body))
        if not body:
            return []
        try:
            values = _values(body)
        except ValueError as error:
            try:
                return [call.to_row() for call in self._parse(body)]
            except CallSyntaxError:
                raise error from None
        try:
            return [call_row(item) for value in values for item in (value if isinstance(value, list) else [value])]
        except BadRow as bad:
            if bad.kind == REPEATED:
                raise
            raise ValueError(str(bad)) from None

    def _plain(self, text: str) -> Said:
        """A text without tags: calls as JSON or in the call language, else a statement."""
        body = _unfenced(text)
        if body in ("[]", "[ ]"):
            return Said(none=True)
        if body.startswith(("[", "{")) and (calls := self._json(body)):
            return Said(calls=calls)
        if body.endswith((")", "]", "`")) and "(" in body:
            try:
                return Said(calls=[call.to_row() for call in self._parse(body)], written=text)
            except CallSyntaxError as error:
                if self._meant(body):
                    return Said(problem=f"unreadable call: {error}", lost=True)
        elif body.startswith("[") and "(" in body and self._meant(body):
            return Said(problem=f"unreadable call: it is cut off: {body!r:.80}", lost=True)
        if foreign := _FOREIGN.search(body):
            form = body[foreign.start() : foreign.start() + 80]
            return Said(problem=f"unreadable call: {form!r} is a form that is not read; write calls as JSON", lost=True)
        if body.startswith(('[{"name"', '{"name"')) and '"arguments"' in body and not _is_json(body):
            return Said(problem=f"unreadable call: neither JSON nor a Python literal: {body!r:.80}", lost=True)
        return Said(text)

    def _json(self, body: str) -> Calls:
        """The calls of JSON; none where it is something else, or not JSON."""
        try:
            values = _values(body)
        except ValueError:
            return []
        items = [item for value in values for item in (value if isinstance(value, list) else [value])]
        if not all(isinstance(item, dict) and self._is_call(item) for item in items):
            return []
        return [call_row(item) for item in items]

    def _is_call(self, item: dict[str, Any]) -> bool:
        inner = item["function"] if isinstance(item.get("function"), dict) else item
        if not isinstance(inner.get("name"), str) or "description" in inner:  # the result of a search for tools
            return False
        given = [inner[key] for key in _ARGUMENTS if inner.get(key) is not None]
        if inner["name"] in self._tools and (not given or isinstance(given[0], str)):
            return True
        return any(isinstance(value, dict) for value in given) or isinstance(inner.get("arguments"), str)

    def _meant(self, body: str) -> bool:
        """Whether a text that is not in the call language looks like a list of calls, or begins like one of a tool."""
        if body.startswith("[") and body.endswith(")]"):
            return True
        name = body.lstrip("[` \n").partition("(")[0].strip()
        return name in self._tools


def call_row(value: Any) -> dict[str, Any]:
    """A call in xLAM's form, `{"name", "arguments"}`, from any published spelling.

    Args:
        value: An object with a name, perhaps inside `function`, or JSON text of it. Arguments that are missing, null,
            an empty text or `null` are none; they may be JSON text, also several times over.

    Raises:
        BadRow: It is not a call.
    """
    if (
        isinstance(value, dict)
        and value.get("name")
        and type(value["name"]) is str
        and type(value.get("arguments")) is dict
    ):
        return {"name": value["name"], "arguments": value["arguments"]}  # the most common spelling, without detours
    item = unwrapped(value, "call")
    if isinstance(item, dict) and isinstance(item.get("function"), dict | str) and "name" not in item:
        inner = item["function"]
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            inner = unwrapped(inner, "call")
        item = inner if isinstance(inner, dict) else item
    name = next((item[key] for key in _NAMES if item.get(key)), None) if isinstance(item, dict) else None
    if not isinstance(name, str):
        raise BadRow("bad answer", f"{value!r:.80}, expected an object with name and arguments")
    given = next((item[key] for key in _ARGUMENTS if item.get(key) is not None), None)
    arguments = unwrapped(given, f"the arguments of {name!r:.80}")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise BadRow("bad answer", f"arguments of {name!r:.80} are {arguments!r:.80}, expected an object")
    return {"name": name, "arguments": arguments}


def split_reasoning(text: str) -> tuple[str | None, str, str | None, bool]:
    """Split a text of the assistant at the tags of its reasoning.

    Args:
        text: The text. What stands before a lone closing tag is reasoning, since the prompt may have opened it.

    Returns:
        The reasoning or None, the rest of the text, why the turn cannot be learned from or None, and whether the rest
        could not be read either.
    """
    marks = list(_THINK.finditer(text)) if "<" in text else []
    if not marks:
        return None, text.strip(), None, False
    opened, closed = [m for m in marks if m[1]], [m for m in marks if m[2]]
    if not closed:
        return None, "", f"unreadable reasoning: <{opened[0][1]}> is never closed", True
    rest = text[closed[-1].end() :].strip()
    if len(closed) > 1 or len(opened) > 1 or (opened and opened[0].start() > closed[0].start()):
        return None, rest, f"unreadable reasoning: {len(opened)} opening and {len(closed)} closing tags", not rest
    before = text[: opened[0].start()].strip() if opened else ""
    reasoning = text[opened[0].end() if opened else 0 : closed[0].start()].strip()
    return reasoning or None, f"{before}\n\n{rest}".strip() if before else rest, None, False


def _unfenced(text: str) -> str:
    fenced = _FENCE.match(text)
    return fenced[1] if fenced else text


def _is_json(body: str) -> bool:
    try:
        return bool(_values(body))
    except ValueError:
        return False


def _values(body: str) -> list[Any]:
    """The values of a text that holds nothing but JSON: one, or several side by side. Raises ValueError, BadRow."""
    if quoted := _QUOTED.search(body):  # first: a Python literal would read the escapes of the JSON text
        inner = quoted[2].strip() or "{}"
        for text in (inner, inner.replace("\\'", "'")):
            try:
                return [loads(f"{body[: quoted.start()]}{quoted[1]}{text}{quoted[3]}")]
            except RepeatedKey as error:
                raise BadRow(REPEATED, str(error)) from None
            except (ValueError, RecursionError):
                pass
    try:
        return [loose(body)]
    except ValueError as error:
        single = error
    values, at = [], 0
    while at < len(body):
        try:
            value, at = raw_decode(body, at)
        except RepeatedKey as error:
            raise BadRow(REPEATED, str(error)) from None
        except (ValueError, RecursionError):
            lines = [line for line in body.splitlines() if line.strip()]
            if len(lines) < 2:
                raise single from None
            return [loose(line) for line in lines]
        values.append(value)
        at = _BETWEEN.match(body, at).end()  # type: ignore[union-attr]
    return values
