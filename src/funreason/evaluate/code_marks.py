"""Take off an answer what is not code but stands in its lines: prompts, labels, line numbers, tags, odd spaces.

Each variant of an answer is tried only where the ones before hold no solution, so that code which can be read as it is
stays as it is.
"""

import ast
import html
import re
from collections.abc import Iterator

_CODE = r"(?:async +def |def |class |import |from |@)"
_LABEL = re.compile(
    rf"^([ \t]*)(?:[A-Za-z][\w ()]{{0,40}}:|[Pp]ython3?|py|#+|[-*+]|\d+[.)])[ \t]+(?={_CODE})", re.MULTILINE
)
_TOKENS = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?(?:INST|PYTHON|CODE|ANSWER|BEGIN|DONE|END)\]")
_TAGS = re.compile(r"</?(?:code|pre|answer|solution|python|output|result|final|response|program)\b[^<>\n]*>|<br ?/?>")
_SHELL = re.compile(r"^[ \t]*(?:>>>|\.\.\.:?|In \[\d*\]:)(?: |$)", re.MULTILINE)
_STARTS_SHELL = re.compile(rf"^[ \t]*(?:>>>|\.\.\.|In \[\d*\]:) {_CODE}", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]*>(?!>)[ \t]?", re.MULTILINE)
_NUMBER = re.compile(r"^[ \t]*\d+(?:[ \t]*[|:.)])?(?:[ \t]|$)", re.MULTILINE)
_NUMBERED = re.compile(rf"^[ \t]*\d+(?:[ \t]*[|:.)])?[ \t]+{_CODE}.*\n[ \t]*\d+", re.MULTILINE)
_ADDED = re.compile(rf"^\+[ \t]*{_CODE}", re.MULTILINE)
_REMOVED = re.compile(r"^(?:-|@@|\+\+\+|diff |index ).*\n?", re.MULTILINE)
_TICKS = re.compile(r"^[ \t]*(`+)([^`\n]+)\1[ \t]*$", re.MULTILINE)
_BOLD = re.compile(r"^([ \t]*)\*\*[^*\n]+\*\*:?[ \t]+", re.MULTILINE)
_SPACES = str.maketrans(
    dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " ") | dict.fromkeys("\ufeff\u200b\u200c\u200d\u2060", "")
    | dict.fromkeys("\u201c\u201d", '"') | dict.fromkeys("\u2018\u2019", "'")
)  # fmt: skip
_LEADING = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)
MAX_STRINGS = 20


def variants(text: str) -> Iterator[tuple[str, str]]:
    """The readings of a whole answer, in the order in which they are tried.

    Args:
        text: the answer.

    Yields:
        (name, text): as it is; `unmarked`, without what stands in front of code; `respaced`, with common spaces, tabs
        and quotes, too; `quoted`, each text in it that is written as a string, as in JSON or in a call.
    """
    seen = {text}
    yield "", text
    bare = unmarked(text)
    for name, variant in (("unmarked", bare), ("respaced", respaced(bare, 4)), ("respaced", respaced(bare, 8))):
        if variant not in seen:
            seen.add(variant)
            yield name, variant
    for variant in strings(text):
        yield "quoted", variant


def unmarked(text: str) -> str:
    """The text without tags, special tokens, labels and the marks of shells, quotes, diffs and listings."""
    text = _TAGS.sub("\n", _TOKENS.sub("\n", text))
    if _STARTS_SHELL.search(text):
        text = _SHELL.sub("", text)
    if re.search(rf"^[ \t]*>[ \t]?(?:```|~~~|{_CODE})", text, re.MULTILINE):
        text = _QUOTE.sub("", text)
    if _ADDED.search(text):
        text = re.sub(r"^[+ ]", "", _REMOVED.sub("", text), flags=re.MULTILINE)
    if _NUMBERED.search(text):
        text = _NUMBER.sub("", text)
    return _LABEL.sub(r"\1", _BOLD.sub(r"\1", _TICKS.sub(r"\2", text)))


def respaced(text: str, tab: int) -> str:
    """The text without HTML's escapes, with spaces for other white space, and for tabs at the beginning of a line."""
    if re.search(r"&(?:lt|gt|amp|quot|#\d+|nbsp);", text):
        text = html.unescape(text)
    return _LEADING.sub(lambda match: match[0].expandtabs(tab), text.translate(_SPACES))


def strings(text: str) -> list[str]:
    """The strings of several lines in a text that is one expression or program: a JSON object, a call, `exec('…')`."""
    source = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(("```", "~~~"))).strip()
    try:
        nodes = ast.walk(ast.parse(source))
        found = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str) and "\n" in n.value]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        found = []
    if not found and "\n" not in source and "\\n" in source:
        found = [source.replace("\\n", "\n").replace('\\"', '"')]
    return [value for value in found[:MAX_STRINGS] if "def " in value]
