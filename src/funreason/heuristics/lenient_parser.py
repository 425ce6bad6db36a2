"""Reads the calls of a badly written answer too: quoted parameter names, unquoted texts, stray white space."""

import re
from functools import lru_cache

from funreason.calls import Call, CallSyntaxError, parse

MAX_REPAIR = 8_000  # characters of a badly written answer
_CALL = re.compile(r"\[?\s*[A-Za-z_][\w.]*\s*\(")
_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
STRINGS = re.compile(_STRING, re.DOTALL)
_PIECES = re.compile(rf"{_STRING}|\w[\w.]*|\s+|.", re.DOTALL)
_LITERAL = re.compile(rf"(?:{_STRING}|[-+]?(?:0|[1-9]\d*)(?:\.\d*)?(?:e[-+]?\d+)?|true|false|none|null)\Z", re.I | re.S)
_BARE = re.compile(r"(?<=[\[,{:(])\s*([^\W\d][^\[\]{}(),:]*?)\s*(?=[\],}):])")


@lru_cache(maxsize=16)  # the checks of a row ask in turn
def strict_calls(answer: str) -> list[Call] | None:
    """The calls of a well-formed answer, not to be changed; None where it does not parse."""
    try:
        return parse(answer)
    except CallSyntaxError:
        return None


def lenient_calls(answer: str) -> list[Call]:
    """The calls of an answer, also of a badly written one; none where they cannot be read."""
    calls, text = strict_calls(answer), answer[: MAX_REPAIR + 1].strip("` \t\r\n")
    if calls is None and len(answer) <= MAX_REPAIR and _CALL.match(text):
        calls = strict_calls(_repaired(text))
    return calls or []


def _repaired(text: str) -> str:
    """`text` with its parameter names unquoted and its bare words quoted."""
    pieces, at = _PIECES.findall(text), 0
    out: list[str] = []
    while at < len(pieces):
        if pieces[at] == "=" and out:
            end = _value_end(pieces, at + 1)
            if len(out[-1]) > 2 and out[-1][0] in "'\"":
                out[-1] = out[-1][1:-1]
            out += ["=", _literal("".join(pieces[at + 1 : end]).strip())]
            at = end
        else:
            out += [] if pieces[at].isspace() else [pieces[at]]
            at += 1
    return "".join(out)


def _value_end(pieces: list[str], at: int) -> int:
    """The end of the value that begins at `at`: before `, name=` or before the bracket that closes the call."""
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


def _literal(value: str) -> str:
    """A value as a literal: its bare words are quoted."""
    if value[:1] in tuple("[{("):
        unquoted = not STRINGS.search(value)
        return _BARE.sub(lambda word: _literal(word[1]), value) if unquoted else value
    return value if _LITERAL.match(value) else repr(value)
