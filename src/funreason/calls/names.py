"""Names that the call language cannot write, and the identifiers that stand for them.

`get-weather`, `Search Managers`, `products/list` and the parameter `start-date` are good names in JSON, but
`[get-weather(start-date='2024')]` is a subtraction. Models see `[get_weather(start_date='2024')]`; the map of the row
gives the user's names back. The keys of dict values are quoted texts, and need no map.

The identifiers are decided by the tools alone, so that a server that has only the tools of a request finds the
identifiers that the model was trained on. Within the tools of a row an identifier stands for one name, wherever it is
used. So a call is translated back without a look at its tool, and so is a word in a reasoning.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Self, TypeVar

from funreason.calls.parser import CallSyntaxError, parse
from funreason.calls.text import Call, is_name
from funreason.core.errors import DataError

AnyCall = TypeVar("AnyCall", Call, dict[str, Any])
Rename = Callable[[str], str]

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_BEFORE_NAME = r"(?<![^\s\[(,`])"  # the beginning, white space or what opens a list, a call or an argument
# A word of a text ends here: `get-weather` is not a part of `get-weather-v2` or of `pets/get-weather`.
_WORD_BEGINS, _WORD_ENDS = r"(?<!\w)(?<!\w[-./:])", r"(?!\w)(?![-./:]\w)"
_PLAIN = re.compile(r"[^\W\d_]*|[\d.,:/-]*|.*\s.*", re.DOTALL)  # may be meant as a word, a number or a phrase


class NameMap:
    """The identifiers of a row: those that stand for a name, and the name each stands for.

    False where every name can be written as it is; all methods then return what they are given.

    Attributes:
        originals: Identifier → the user's name.
        in_texts: Whether names in texts (a reasoning, a statement) are replaced too.
    """

    def __init__(self, originals: Mapping[str, str], in_texts: bool = True):
        self.originals, self.in_texts = dict(originals), in_texts
        self._identifiers = {original: identifier for identifier, original in originals.items()}

    @classmethod
    def of(cls, tools: Iterable[dict[str, Any]], texts: Iterable[str] = ()) -> Self:
        """The map of a row.

        Args:
            tools: Its tools, each {"name", "parameters"} in xLAM's or BFCL's form. They alone decide the identifiers.
            texts: Texts in which names are to be replaced. They decide `in_texts`: only if `undo_text` gives back every
                one of them, character for character.

        Raises:
            DataError: A tool has no name, two have the same, or a parameter's name is not a text.
        """
        tools = list(tools)
        functions = [_function_name(tool) for tool in tools]
        if len(set(functions)) < len(functions):
            repeated, _ = Counter(functions).most_common(1)[0]
            raise DataError(f"two tools have the name {repeated!r:.80}: rename or delete one")
        parameters = {name: None for tool in tools for name in _properties(tool)}
        odd = {name: "f" for name in functions if not is_callable(name)}
        odd |= {name: "p" for name in parameters if not is_name(name) and name not in odd}
        if not odd:
            return cls({})
        taken = {*functions, *parameters}
        originals: dict[str, str] = {}
        for name in sorted(odd):
            identifier = _free(_readable(name, odd[name]), taken)
            taken.add(identifier)
            originals[identifier] = name
        names = cls(originals)
        names.in_texts = all(names.undo_text(names.text(text)) == text for text in texts)
        return names

    @classmethod
    def of_chat(cls, tools: Iterable[dict[str, Any]], answers: Iterable[str]) -> Self:
        """The map of a chat; of what the assistant wrote, the texts that are not calls decide `in_texts`.

        Args:
            tools: As in `of`.
            answers: What the assistant wrote, under the user's names.

        Raises:
            DataError: As `of`.
        """
        tools = list(tools)
        names = cls.of(tools)
        return cls.of(tools, sorted({text for text in answers if not names.reads(text)})) if names else names

    def __bool__(self) -> bool:
        return bool(self.originals)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NameMap) and self.to_row() == other.to_row()

    def __repr__(self) -> str:
        return f"NameMap({self.originals!r}, in_texts={self.in_texts})"

    def to_row(self) -> dict[str, Any]:
        """The map as a row keeps it; an empty one is {}."""
        return {"originals": self.originals, "in_texts": self.in_texts} if self else {}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The map of `to_row`.

        Raises:
            DataError: The row is something else.
        """
        originals, in_texts = row.get("originals", {}), row.get("in_texts", True)
        if not isinstance(originals, dict) or not isinstance(in_texts, bool):
            raise DataError(f"{row!r:.200} is not a map of names: rerun the stage that wrote the row")
        return cls(originals, in_texts)

    def lines(self) -> list[str]:
        """The map for people, one line per name."""
        return [f"{identifier} stands for {name!r}" for identifier, name in self.originals.items()]

    def tools(self, tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The tools with identifiers; descriptions stay as they are."""
        return [_renamed_tool(tool, self._function, self._parameter) for tool in tools] if self else tools

    def undo_tools(self, tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The tools with the user's names."""
        return [_renamed_tool(tool, self._original, self._original) for tool in tools] if self else tools

    def calls(self, calls: list[AnyCall]) -> list[AnyCall]:
        """The calls, each a `Call` or a row, with identifiers."""
        return [_renamed_call(call, self._function, self._parameter) for call in calls] if self else calls

    def undo_calls(self, calls: list[AnyCall]) -> list[AnyCall]:
        """The calls, each a `Call` or a row, with the user's names."""
        return [_renamed_call(call, self._original, self._original) for call in calls] if self else calls

    def parse(self, text: str) -> list[Call]:
        """The calls in a text that spells them with the user's names, `[Search Managers(id=1)]`, or with identifiers.

        Returns:
            The calls with identifiers.

        Raises:
            CallSyntaxError: As `calls.parse`.
        """
        try:
            return parse(self.call_text(text))
        except CallSyntaxError:
            if not self:
                raise
        return parse(text)  # a name such as `[f` is also how a list of calls to its identifier `f` begins

    def reads(self, text: str) -> bool:
        """Whether `parse` reads a text."""
        try:
            self.parse(text)
        except CallSyntaxError:
            return False
        return True

    def answer(self, text: str) -> str:
        """What the assistant wrote with identifiers: calls by `call_text`, other texts by `text`."""
        return self.call_text(text) if self.reads(text) else self.text(text)

    def call_text(self, text: str) -> str:
        """A text of calls with each name before `(` or `=`, outside string literals, as its identifier."""
        if not self:
            return text
        functions = [name for name in self._identifiers if not is_callable(name)]
        parameters = [name for name in self._identifiers if not is_name(name)]
        pattern = _spelled_names(tuple(functions), tuple(parameters))
        return pattern.sub(lambda match: match[0] if match["name"] is None else self._identifiers[match[0]], text)

    def text(self, text: str) -> str:
        """A text with each name that is a word of its own as its identifier, where `in_texts`.

        Left as they are: names that may be plain words, numbers or phrases, such as `Search Managers`.
        """
        words = {name: identifier for identifier, name in self._words().items() if not _is_plain(name)}
        return _replaced(text, words) if self.in_texts else text

    def undo_text(self, text: str) -> str:
        """A text with the user's names in the place of identifiers, where `in_texts`."""
        return _replaced(text, self._words()) if self.in_texts else text

    def _words(self) -> dict[str, str]:
        """The identifiers that can be told from a plain word: `top` cannot, if it stands for `$top`."""
        return {identifier: name for identifier, name in self.originals.items() if not _is_plain(identifier)}

    def _function(self, name: str) -> str:
        return name if is_callable(name) else self._identifiers.get(name, name)

    def _parameter(self, name: str) -> str:
        return name if is_name(name) else self._identifiers.get(name, name)

    def _original(self, name: str) -> str:
        return self.originals.get(name, name)


def is_callable(name: str) -> bool:
    """Whether the call language can write the name of a function: identifiers joined by dots."""
    return all(map(is_name, name.split(".")))


def _function_name(tool: Any) -> str:
    name = tool.get("name") if isinstance(tool, dict) else None
    if not isinstance(name, str) or not name:
        raise DataError(f"tool {tool!r:.80} has no name: give it one (text)")
    return name


def _properties(tool: dict[str, Any]) -> dict[str, Any]:
    """What a tool declares of each parameter, by name."""
    properties = tool["parameters"].get("properties") if _is_schema(tool) else tool.get("parameters")
    return properties if isinstance(properties, dict) else {}


def _is_schema(tool: dict[str, Any]) -> bool:
    """Whether the parameters are a JSON Schema or in BFCL's form, perhaps without properties: `{"type": "object"}`."""
    parameters = tool.get("parameters")
    return isinstance(parameters, dict) and isinstance(parameters.get("type"), str)


def _readable(name: str, prefix: str) -> str:
    """The identifier that is nearest to a name; `prefix` where the name has no letter to begin with."""
    text = unicodedata.normalize("NFKC", name)
    words = "".join(char if f"a{char}".isidentifier() else " " for char in text).split(" ")
    identifier = "_".join(word for word in words if word)
    if not identifier.isidentifier():
        identifier = f"{prefix}_{identifier}" if identifier else prefix
    return identifier if is_name(identifier) else f"{identifier}_"  # True, False and None are no names


def _free(identifier: str, taken: set[str]) -> str:
    """The identifier, numbered where it is taken."""
    number = 1
    numbered = identifier
    while numbered in taken:
        number += 1
        numbered = f"{identifier}_{number}"
    return numbered


def _renamed_tool(tool: dict[str, Any], function: Rename, parameter: Rename) -> dict[str, Any]:
    """The tool under another name and with other names of parameters, also where it says which are required."""
    renamed = tool | {"name": function(tool["name"])}
    holders = [renamed]
    if properties := {parameter(key): spec for key, spec in _properties(tool).items()}:
        renamed["parameters"] = tool["parameters"] | {"properties": properties} if _is_schema(tool) else properties
        holders += [renamed["parameters"]] if _is_schema(tool) else []
    for holder in holders:
        if isinstance(required := holder.get("required"), list):
            holder["required"] = [parameter(key) if isinstance(key, str) else key for key in required]
    return renamed


def _renamed_call(call: AnyCall, function: Rename, parameter: Rename) -> AnyCall:
    if isinstance(call, Call):
        return Call(function(call.name), {parameter(key): value for key, value in call.arguments.items()})
    arguments = {parameter(key): value for key, value in call["arguments"].items()}
    return call | {"name": function(call["name"]), "arguments": arguments}


def _is_plain(word: str) -> bool:
    return bool(_PLAIN.fullmatch(word))


def _replaced(text: str, words: Mapping[str, str]) -> str:
    """The text with each of `words` that is a word of its own replaced, the longest first."""
    if not words:
        return text
    return _pattern_of_words(tuple(words)).sub(lambda match: words[match[0]], text)


@lru_cache(maxsize=1024)
def _pattern_of_words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"{_WORD_BEGINS}(?:{_either(words)}){_WORD_ENDS}")


@lru_cache(maxsize=1024)
def _spelled_names(functions: tuple[str, ...], parameters: tuple[str, ...]) -> re.Pattern[str]:
    """A string literal, in which there are no names; or a name where a call or a keyword argument begins."""
    name = rf"(?:{_either(functions)})(?=\s*\()|(?:{_either(parameters)})(?=\s*=)"
    literal = rf"(?:{_STRING})(?!\s*[(=])"  # nobody calls a literal: "q"() is a name with quotes
    return re.compile(rf"{literal}|{_BEFORE_NAME}(?P<name>{name})", re.DOTALL)


def _either(names: tuple[str, ...]) -> str:
    """A pattern of one of the names, the longest that fits; of no names one that never matches."""
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True))) if names else "(?!)"
