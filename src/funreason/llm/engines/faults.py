"""Errors of a server: whose they are (the request's or the stage's), and whether they may pass."""

import json
import re
from enum import Enum
from typing import Any, NamedTuple

_LOOKED_AT = 10_000  # characters of an error in which words are searched


class Kind(Enum):
    """What to do about an error."""

    TOO_LONG = "the prompt leaves no room"
    REQUEST = "this request is refused, the next may not be"
    PASSING = "ask again"
    STAGE = "no request can be answered"


class Fault(NamedTuple):
    """An error of a server.

    Attributes:
        kind: What to do about it.
        status: Of HTTP, or the one that the body names; 0 where there was no reply.
        text: What the server says, as it came.
        retry_after: The header of this name.
        paid: Whether the server may bill it: a model may have written what could not be read.
    """

    kind: Kind
    status: int
    text: str
    retry_after: str | None = None
    paid: bool = False


_PASSING = {408, 409, 425, 429}
_STAGE = {401, 402, 403, 404, 405, 406, 407, 410, 415, 426}
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size|limit)"
    r"|max(?:imum)?[ _-](?:model|seq|sequence|input|prompt|context)[ _-]?(?:len|length|tokens?|size)\b"
    r"|\b(?:prompt|input|request|message|conversation|context|sequence|query|text)s?\b[^.]{0,80}"
    r"\b(?:too (?:long|large|big)|exceed)"
    r"|too many (?:input |prompt )?tokens|input tokens? exceed|exceeds?\b[^.]{0,60}\btokens?\b"
    r"|\binputs?\b[^.]{0,80}\b(?:longer than|must have less than|must be <=)"
    r"|reduce (?:the |your )?(?:length|prompt|input|size|number of)|string_above_max_length"
    r"|(?:payload|entity|body|content) (?:is )?too (?:large|long)"
)
_ANSWER_LENGTH = re.compile(r"max_(?:completion_|output_|new_)?tokens\W[^.]{0,40}\b(?:too (?:large|big|high)|exceed)")
_FILTERED = re.compile(
    r"content[ _-]?(?:filter|policy|moderat|management)|responsible[ _]?ai|moderat|flagged|\bsafety\b|usage polic"
    r"|prohibited|inappropriate|data_inspection"
)
_TOO_LARGE_FOR_ITS_RATE = re.compile(r"request too large|must be reduced")
# Words of error codes and types, for errors that come with status 200, or with one that says less.
_NAMED = [
    (re.compile(r"api[ _-]?key|authenticat|unauthori[sz]ed|permission"), 401),
    (re.compile(r"insufficient[ _-](?:quota|balance|credit|funds)|billing|payment"), 402),
    (re.compile(r"model[ _-]?not[ _-]?found|no such model|not[ _-]?found"), 404),
]
_FIELD = re.compile(
    r"(?:unsupported|unknown|unrecognized)_(?:parameter|value|field|argument)"
)  # sent with each request
_MAY_PASS = re.compile(
    r"overload|rate.?limit|too many requests|unavailable|time.?out|timed out|temporar|try again|retry|internal"
    r"|server.?error|upstream|bad.?gateway|capacity|busy|loading|throttl"
)


def fault_of(status: int, body: Any, text: str, retry_after: str | None = None) -> Fault:
    """Read an error.

    Args:
        status: Of HTTP. One below 400 is replaced by the one that the error names.
        body: The JSON value of the body, or the error in it; None where it is not JSON.
        text: The body as text.
        retry_after: The header of this name.
    """
    named, codes, message = _details(body)
    shown = " ".join(dict.fromkeys(filter(None, [*codes, message or text[:_LOOKED_AT]])))
    codes_text, everything = " ".join(codes).lower(), text[:_LOOKED_AT].lower()
    if status < 400:
        status = named or _status_in_words(codes_text, f"{codes_text} {message}".lower())
    kind = _kind(status, codes_text, everything)
    return Fault(kind, status, shown, retry_after)


def _kind(status: int, codes: str, everything: str) -> Kind:
    """The words that a server chooses for one request come first: some send them with the status of another error."""
    if status == 413 or (_is_too_long(everything) and status not in _STAGE and status not in _PASSING):
        return Kind.TOO_LONG
    if status == 429 and _TOO_LARGE_FOR_ITS_RATE.search(everything):
        return Kind.TOO_LONG  # larger than what a minute allows: it would never pass
    if status in (400, 403, 422, 429) and (_named_status(codes) or _FIELD.search(codes)):
        return Kind.STAGE
    if _FILTERED.search(everything) and status not in _PASSING and status not in (401, 402, 404):
        return Kind.REQUEST
    if status in _STAGE:
        return Kind.STAGE
    return Kind.PASSING if status in _PASSING or status >= 500 else Kind.REQUEST


def _is_too_long(text: str) -> bool:
    if _ANSWER_LENGTH.search(text) and "context" not in text:
        return False  # max_tokens is a parameter of the stage: every request is refused
    return bool(_TOO_LONG.search(text))


def _named_status(codes: str) -> int | None:
    return next((status for words, status in _NAMED if words.search(codes)), None)


def _status_in_words(codes: str, words: str) -> int:
    if status := _named_status(codes):
        return status
    return 503 if _MAY_PASS.search(words) else 400


def _details(body: Any) -> tuple[int | None, list[str], str]:
    """(status, codes, message) that an error names, in any of the forms that servers have for it."""
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") or body.get("errors") if isinstance(body, dict) else body
    error = error[0] if isinstance(error, list) and error else error or body
    if not isinstance(error, dict):
        return None, [], error if isinstance(error, str) else ""
    values = [error.get(name) for name in ("code", "status", "status_code", "type", "param")]
    numbers = [int(str(value)) for value in values if str(value).isdecimal() and len(str(value)) < 4]
    codes = [value for value in values if isinstance(value, str) and not value.isdecimal()]
    said = next((error[name] for name in ("message", "msg", "detail", "error", "metadata") if error.get(name)), "")
    message = said if isinstance(said, str) else json.dumps(said)
    return next((number for number in numbers if 400 <= number < 600), None), codes, message
