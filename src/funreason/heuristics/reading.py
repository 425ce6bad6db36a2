"""An answer → its calls, a badly written one included: quoted parameter names, unquoted strings, stray blanks."""

import re

from funreason.calls import Call, CallSyntaxError, parse

MAX_REPAIR = 8_000  # characters of a badly written answer
_CALL = re.compile(r"\[?\s*[A-Za-z_][\w.]*\s*\(")
_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
STRINGS = re.compile(_STRING, re.DOTALL)
_PIECES = re.compile(rf"{_STRING}|\w[\w.]*|\s+|.", re.DOTALL)
_LITERAL = re.compile(rf"(?:{_STRING}|[-+]?(?:0|[1-9]\d*)(?:\.\d*)?(?:e[-+]?\d+)?|true|false|none|null)\Z", re.I | re.S)
_BARE = re.compile(r"(?<=[\[,{:(])\s*([^\W\d][^\[\]{}(),:]*?)\s*(?=[\],}):])")


def parsed(answer: str) -> list[Call] | None:
    try:
        return parse(answer)
    except CallSyntaxError:
        return None


def read_calls(answer: str) -> list[Call]:
    """The calls of an answer, a badly written one included; none where it cannot be read."""
    calls, text = parsed(answer), answer[: MAX_REPAIR + 1].strip("` \t\r\n")
    if calls is None and len(answer) <= MAX_REPAIR and _CALL.match(text):
        calls = parsed(_repaired(text))
    return calls or []


def _repaired(text: str) -> str:
    """`text` with its parameter names unquoted and its bare words quoted."""
    pieces, out, at = _PIECES.findall(text), [], 0
    while at < len(pieces):
        if pieces[at] == "=" and out:
            end = _end(pieces, at + 1)
            if len(out[-1]) > 2 and out[-1][0] in "'\"":
                out[-1] = out[-1][1:-1]
            out += ["=", _quoted("".join(pieces[at + 1 : end]).strip())]
            at = end
        else:
            out += [] if pieces[at].isspace() else [pieces[at]]
            at += 1
    return "".join(out)


def _end(pieces: list[str], at: int) -> int:
    """Where the value that begins at `at` ends: before `, name=` or before the bracket that closes the call."""
    depth = 0
    while at < len(pieces):
        piece, after = pieces[at], [piece for piece in pieces[at + 1 : at + 6] if not piece.isspace()]
        if depth == 0 and piece == "," and after[1:2] == ["="]:
            return at
        if depth == 0 and piece == ")" and (not after or after[0] in ",]"):
            return at
        depth += (piece in "([{") - (piece in ")]}")
        at += 1
    return at


def _quoted(value: str) -> str:
    """The text of a value, as a literal."""
    if value[:1] in tuple("[{("):
        bare = not STRINGS.search(value)
        return _BARE.sub(lambda word: word[1] if _LITERAL.match(word[1]) else repr(word[1]), value) if bare else value
    return value if _LITERAL.match(value) else repr(value)
