"""What a type text says beside the type: `str, optional`, `int (default: 3)`, `required int`, `string?`."""

import ast
import re
from typing import Any, NamedTuple

MAX_LENGTH = 1000  # no type is as long, and the patterns here are not made for it

# A modifier begins at one of these words, or at `=`, outside brackets and quotes.
_BEFORE = r"\s*[,;.:–-]?\s*[(\[{]?\s*"
_OPTIONAL = re.compile(
    _BEFORE + r"(?:(?<!non-)(?<!non)(?<!not )\boptional\b(?!\s*\[)|\bnot[ -]?required\b(?!\[)|\bnon-?required\b)",
    re.IGNORECASE,
)
_REQUIRED = re.compile(
    _BEFORE + r"(?:(?<!non-)(?<!non)(?<!not )(?<!not-)\b(?:required|mandatory)\b(?!\s*\[)|\bno[nt][ -]?optional\b)",
    re.IGNORECASE,
)
_NULLABLE = re.compile(_BEFORE + r"(?<!non-)(?<!non)(?<!not )\bnullable\b", re.IGNORECASE)
_DEFAULT = re.compile(
    _BEFORE
    + r"(?:\b(?:with\s+)?(?:an?\s+|by\s+)?default(?:s|ing)?(?:\s+value)?(?:\s+(?:to|is|of))?\b\s*(?::?=|:)?|:?=)\s*",
    re.IGNORECASE,
)  # fmt: skip
_ALL = (_OPTIONAL, _REQUIRED, _NULLABLE, _DEFAULT)
_FIRST = re.compile(
    r"[(\[]?(optional|nullable|required|mandatory|non-optional)\b[)\]]?[\s,:-]+(?=[^\s\[])", re.IGNORECASE
)
_FLAG = re.compile(r"\b(optional|required|nullable)\s*[:=]\s*(true|yes|false|no)\b", re.IGNORECASE)
_FLAGS = {("optional", False): "required", ("required", False): "optional", ("nullable", False): ""}
_VALUE_FIRST = re.compile(r"([^\s,;(]+)\s+by\s+default\b(?=\s*[)\].]?\s*$)", re.IGNORECASE)
_NESTED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>|\{[^{}]*\}|'[^']*'|\"[^\"]*\"")


class Modifiers(NamedTuple):
    """A type text, taken apart.

    Attributes:
        bare: The type alone.
        required: Whether the text says that the parameter is required (True) or optional (False); None where neither.
        default: The text of the default; None where there is none.
        null: Whether the text says that None is admitted.
    """

    bare: str
    required: bool | None = None
    default: str | None = None
    null: bool = False


def split_modifiers(text: str) -> Modifiers:
    """Take a type text apart into the type and what is said beside it."""
    if len(text) > MAX_LENGTH:
        return Modifiers(text)
    text = _FLAG.sub(_flag_word, text)
    text = _VALUE_FIRST.sub(r"default \1", text)
    first = _FIRST.match(text)
    word = first[1].lower() if first else ""
    text = text[first.end() :] if first else text
    flat = _flattened(text)
    optional, required, nullable, default = (pattern.search(flat) for pattern in _ALL)
    starts = [match.start() for match in (optional, required, nullable, default) if match]
    bare = text[: min(starts)].strip() if starts else text.strip()
    if asked := bare.endswith("?"):  # `string?`
        bare = bare[:-1].strip()
    is_optional = bool(optional or default or nullable or asked or word in ("optional", "nullable"))
    said = False if is_optional else True if required or word in ("required", "mandatory", "non-optional") else None
    value = _value_text(text[default.end() :], flat[default.end() :]) if default else None
    return Modifiers(bare, said, value or None, bool(nullable or asked or word == "nullable"))


def _flag_word(match: re.Match[str]) -> str:
    """`required: false` as the word that means it."""
    name, value = match[1].lower(), match[2].lower() in ("true", "yes")
    return _FLAGS.get((name, value), name)


def _flattened(text: str) -> str:
    """The text with what stands in brackets and quotes blanked out, unless a bracket holds a modifier."""
    while True:
        match = next((m for m in _NESTED.finditer(text) if not _modifies(m, text)), None)
        if match is None:
            return text
        text = f"{text[: match.start()]}{'_' * len(match[0])}{text[match.end() :]}"


def _modifies(match: re.Match[str], text: str) -> bool:
    """Whether a bracket says something beside the type: `(optional)`, or ` [default: 3]` apart from the type."""
    group, apart = match[0], text[: match.start()][-1:].isspace()
    inner = group[1:-1].strip()
    return (group[0] in "({" or (group[0] == "[" and apart)) and any(pattern.match(inner) for pattern in _ALL)


def _value_text(text: str, flat: str) -> str:
    """The text of a default without what follows it: `3, required`, `3)`."""
    ends = [match.start() for pattern in _ALL[:3] if (match := pattern.search(flat)) and match.start() > 0]
    text = text[: min(ends)] if ends else text
    text = text.strip().rstrip(".").strip()
    for opening, closing in ("()", "[]", "{}"):
        if text.endswith(closing) and text.count(closing) > text.count(opening):
            text = text[:-1].strip()
    return text


_KINDS: dict[str, tuple[type, ...]] = {
    "integer": (int,), "float": (int, float), "boolean": (bool,), "array": (list,), "tuple": (list,), "dict": (dict,),
}  # fmt: skip


def default_value(text: str, schema: dict[str, Any]) -> Any:
    """The default that a text states, as a value of the type.

    Args:
        text: Such as `3`, `'a'`, `true` or `en-US`.
        schema: The BFCL type.

    Returns:
        The value; the text itself where it is none of the type, as in `int, default: this year`.
    """
    value = _literal(text)
    if value is None:
        return None
    kind = schema.get("type")
    if kind == "string":
        return value if isinstance(value, str) else text
    kinds = _KINDS.get(str(kind))
    if kinds is None:
        return value
    first = re.split(r"[\s,;]", text)[0]
    for one in (value, _literal(first)):
        if isinstance(one, kinds) and (kind == "boolean" or not isinstance(one, bool)):
            return one
    return text


def _literal(text: str) -> Any:
    """A Python or JSON literal, or else the text."""
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    return value if isinstance(value, str | int | float | bool | list | dict) else text
