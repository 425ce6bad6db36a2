"""The form of an answer to a question about calls: calls, a refusal that can be read, or something that is neither.

Text is searched and parsed, never run.
"""

import re
import zlib

from funreason.calls.parser import CallSyntaxError, parse

CALLS, EMPTY, STATEMENT, UNREADABLE = "calls", "empty", "statement", "unreadable"
REFUSALS = (EMPTY, STATEMENT)  # `[]`, and a text that says why there is no call
MAX_CHARS = 20_000  # of a statement
MAX_CALL = 2_000  # characters of a call inside a statement
MAX_CALLS = 50  # looked at in one statement

_FENCED = re.compile(r"^[ \t]*(?:```|~~~)([^\n`]*)\n(.*?)(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_TAG = re.compile(
    r"<\|?/?(?:tool_?calls?|function_?calls?|functions?|tools?|invoke|python_tag|think)\b|\[TOOL_CALLS\]|functools\[",
    re.IGNORECASE,
)
_NAME_KEY = re.compile(r"[\"'](?:name|function|tool|action|recipient_name)[\"']\s*:")
_ARGUMENTS_KEY = re.compile(r"[\"'](?:arguments|parameters|args|input|action_input|kwargs)[\"']\s*:")
_ACTION = re.compile(r"^[^\w\n]*Action[ \t]*:.*\n[^\w\n]*Action Input\s*:", re.MULTILINE)
_CALL = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*\(")
_LIST = re.compile(r"\[\s*[A-Za-z_][\w.]*\s*\(\s*(?:\)|[^\W\d]\w*\s*=)")
_VALUE = re.compile(
    r"\{|\[\s*[{\"']|\[\s*[\w.]+\s*\(|\[[^\](]*\([^\]={]*[={]|\[\s*[\w.]+(?:\s*,\s*[\w.]+)*\s*\]\Z"
)  # a list or object
_LINE = re.compile(r"^[ \t`\[]*[A-Za-z_][\w.]*\(\s*(?:[^\W\d]\w*\s*[=:]|[\"'{\[\d]|\Z)([^\n]*)$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")


def form_of_text(text: str) -> str:
    """The form of a whole answer without its reasoning: calls, empty, statement or unreadable."""
    try:
        return CALLS if parse(text) else EMPTY
    except CallSyntaxError:
        return STATEMENT if is_statement(text) else UNREADABLE


def is_statement(text: str) -> bool:
    """Whether a text is prose that makes no call: words, no broken call or call of another form, no repetition."""
    if len(text) > MAX_CHARS or _CONTROL.search(text) or _repeats(text) or _attempts(text):
        return False
    prose = _FENCED.sub("", text)
    if not _WORD.search(prose):  # a text in a fence without a language is one, too; code is none
        blocks = _FENCED.findall(text)
        prose = "\n".join(code for language, code in blocks if language.strip() in ("", "text", "markdown"))
    shown = [character for character in prose if not character.isspace()]
    return bool(_WORD.search(prose)) and 2 * sum(map(str.isalpha, shown)) >= len(shown)


def _attempts(text: str) -> bool:
    """Whether a text holds a call: one that is written out, or the beginning of one in this or another form."""
    bare = re.sub(r"^[ \t]*(?:```|~~~).*$", "", text, flags=re.MULTILINE).strip()
    if _VALUE.match(bare) or any(form.search(text) for form in (_TAG, _ACTION, _LIST)):
        return True
    if _NAME_KEY.search(text) and _ARGUMENTS_KEY.search(text):
        return True
    # A line that is a call and nothing else, closed or not. "f(a=1) needs a date" is a sentence.
    lines = _LINE.findall(text)
    alone = any(")" not in line or not _WORD.search(line.rpartition(")")[2]) for line in lines)
    return alone or any(map(_is_call, _calls(text)))


def _calls(text: str) -> list[str]:
    """The parts of a text that may be calls: from a name to the bracket that closes it."""
    parts = []
    for match in list(_CALL.finditer(text))[:MAX_CALLS]:
        depth = 0
        for end in range(match.end() - 1, min(len(text), match.start() + MAX_CALL)):
            depth += (text[end] == "(") - (text[end] == ")")
            if not depth:
                parts.append(text[match.start() : end + 1])
                break
    return parts


def _is_call(text: str) -> bool:
    """Whether a text is a call with literal arguments; `f(city)` and `f(city=…)` describe one."""
    try:
        return any(call.arguments for call in parse(text))
    except CallSyntaxError:
        return False


def _repeats(text: str) -> bool:
    """Whether a text says the same again and again."""
    data = text.encode(errors="replace")
    letters = [character for character in text if character.isalpha()]
    return (len(data) > 200 and 8 * len(zlib.compress(data)) < len(data)) or (
        len(letters) > 3 and len(set(letters)) < 3
    )
