"""Spellings of types, such as `list of int`, `string[]`, `array<string>` or `number or null`, as Python annotations."""

import ast
import re
import warnings

from funreason.calls.modifiers import MAX_LENGTH

_WORDS = (
    "string|str|integer|int|long|short|float|number|double|decimal|bool|boolean|dict|object|list|array|tuple|set|date|"
    "text|url"
)
_PLURAL = re.compile(rf"\b({_WORDS})s\b", re.IGNORECASE)
_ARRAYS = "list|array|set|frozenset|tuple|sequence|vector"
_DICTS = "dict|dictionary|map|mapping|record|object"
_OF = re.compile(rf"(?:an?\s+)?({_ARRAYS})s?\s+of\s+(?:an?\s+|\d+\s+)?(.+)", re.IGNORECASE | re.DOTALL)
_DICT_OF = re.compile(rf"(?:an?\s+)?(?:{_DICTS})\s+(?:of|from|with|containing|mapping)\s.+", re.IGNORECASE | re.DOTALL)
_WORDS_ARRAY = re.compile(r"(\w+)\s+(?:list|array)", re.IGNORECASE)
_CALLED = re.compile(rf"({_ARRAYS}|dict|literal|optional|union)\s*\((.+)\)", re.IGNORECASE | re.DOTALL)
_ENUM = re.compile(
    r"(?:an?\s+)?(?:string\s+)?(?:enum|literal|one\s+of|any\s+of)"
    r"\s*(?:\[([^\[\]]+)\]|\(([^()]+)\)|<([^<>]+)>|\{([^{}]+)\}|(?:\s|:)\s*([^\[({<].*))",
    re.IGNORECASE | re.DOTALL,
)
_OR_NULL = re.compile(r"(.+?)\s*(?:\bor|\||/)\s*(?:null|none|undefined)", re.IGNORECASE | re.DOTALL)
_UNION = re.compile(r"\s*\|\s*|\s*/\s*|\s+or\s+", re.IGNORECASE)
_NOTE = re.compile(r"(?:\s*[,;(].*|\s+-\s.*)$", re.DOTALL)  # a remark: `str (ISO 8601)`, `str, ISO date`
_REMARK = re.compile(
    rf"({_WORDS})\s*(?:(?:in|of|between|from|for|representing|that|which|with|like|as|containing|matching|at|e\.g\.)\s|[<>≥≤:]).*",
    re.IGNORECASE | re.DOTALL,
)
_CLASS = re.compile(r"<(?:(?:class|type)\s+'([\w.]+)'|(\w+))>")
_GROUP = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>|\{[^{}]*\}|'[^']*'|\"[^\"]*\"")


def parsed(text: str) -> ast.expr:
    """The syntax tree of a type, spelled as an annotation.

    Raises:
        SyntaxError, ValueError: The text is not a type.
    """
    text = text.strip("` .").replace("::", ".").replace("date-time", "datetime").lstrip("&")
    if match := _CLASS.fullmatch(text):
        text = match[1] or match[2]
    if not (_CALLED.fullmatch(text) or _ENUM.fullmatch(text) or _is_tuple(text)):
        try:
            return _tree(text)
        except SyntaxError:
            pass
    if len(text) > MAX_LENGTH:
        raise ValueError("longer than a type is")
    for spelled in (_annotation(text), _annotation(_NOTE.sub("", text)), _REMARK.sub(r"\1", text)):
        try:
            return _tree(spelled)
        except SyntaxError:
            continue
    raise ValueError("not a type")


def _tree(text: str) -> ast.expr:
    """The syntax tree; Python's warnings about odd code are about texts that nobody runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text, mode="eval").body


def _is_tuple(text: str) -> bool:
    """`(int, int)`, in which Python would see the same as in `int, int`."""
    return text.startswith("(") and _GROUP.fullmatch(text) is not None and "," in text


def _annotation(text: str) -> str:
    """A type as Python writes it."""
    text = _PLURAL.sub(r"\1", re.sub(r"\bdictionaries\b", "dict", text.strip(), flags=re.IGNORECASE))
    if (match := _OR_NULL.fullmatch(text)) and not _GROUP.search(match[1]):
        return f"{_annotation(match[1])} | None"
    if match := _OF.fullmatch(text):
        return f"{match[1]}[{_annotation(match[2])}]"
    if match := _ENUM.fullmatch(text):
        return _literal(next(filter(None, match.groups())))
    if len(parts := _split(text)) > 1:
        return " | ".join(f"({_annotation(part)})" for part in parts)
    if match := _CALLED.fullmatch(text):
        return f"{match[1]}[{_annotation(match[2])}]"
    if _is_tuple(text):
        return f"tuple[{_annotation(text[1:-1])}]"
    if _DICT_OF.fullmatch(text):
        return "dict"
    if match := _WORDS_ARRAY.fullmatch(text):
        return f"list[{match[1]}]" if re.fullmatch(_WORDS, match[1], re.IGNORECASE) else "list"
    if text.endswith("[]"):
        return f"list[{_annotation(text[:-2])}]"
    return _last_word(text.replace("<", "[").replace(">", "]"))


def _split(text: str) -> list[str]:
    """The members of a union: what stands between `|`, `/` and `or`, outside brackets and quotes."""
    flat = text
    while match := _GROUP.search(flat):
        flat = f"{flat[: match.start()]}{'_' * len(match[0])}{flat[match.end() :]}"
    parts, start = [], 0
    for match in _UNION.finditer(flat):
        parts.append(text[start : match.start()])
        start = match.end()
    return [*parts, text[start:]]


def _literal(values: str) -> str:
    """The allowed values of an enum as a Literal: literals as they are, words as texts."""
    try:
        read = ast.literal_eval(f"[{values}]")
        read = list(read[0]) if len(read) == 1 and isinstance(read[0], list | tuple | set) else read
    except (ValueError, SyntaxError):
        read = [value.strip().strip("'\"") for value in re.split(r"\s*[,|/]\s*|\s+or\s+", values)]
    return f"Literal[{', '.join(map(repr, read))}]"


def _last_word(text: str) -> str:
    """`positive integer`, `ISO 8601 date`, `json object`: the last word is the type."""
    words = text.split()
    known = len(words) > 1 and re.fullmatch(f"{_WORDS}|datetime|timestamp|uuid|uri|email", words[-1], re.IGNORECASE)
    return words[-1] if known and all(word.replace("-", "").isalnum() for word in words) else text
