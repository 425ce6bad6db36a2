"""Texts of a server before they are shown or stored: without the API key, and on one line without control characters.

A server may repeat the key in an error (whole, masked, in part, encoded) or in an answer. A short text for people is
scrubbed of every part of the key. An answer is data, so only what can hardly be a coincidence is taken out of it.
"""

import base64
import html
import json
import re
import unicodedata
from urllib.parse import quote

HIDDEN = "***"
LINE = 300  # characters of a text for people
_PART, _LONG_PART = 4, 12  # characters in a row that count as a part of the key: in a message, in an answer
_SHORTEST = 8  # a shorter key is a placeholder (EMPTY, none): taken out of answers, it would damage them
_ANSI = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?", re.DOTALL)
_SPACES = ("Zl", "Zp", "Zs")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn")
# Any credential: the value of such a header, a word with stars in it (a masked key), the usual beginnings of keys.
_CREDENTIAL = re.compile(
    r"(?i)\b(?:(?:proxy-)?authorization|(?:x-)?api-key|(?:set-)?cookie)\b\W{1,4}(?:(?:bearer|basic)\s+)?\S+"
    r"|\b(?:bearer|basic)\s+\S+|\S*\*{3,}\S*|\b(?:sk|pk|hf|gsk|xai)[-_][\w-]{6,}"
)


class Scrubber:
    """Takes one secret out of texts.

    Args:
        secret: The API key; None where there is none.
    """

    def __init__(self, secret: str | None = None):
        forms = _forms(secret) if secret else set()
        self._in_messages = _parts(forms, 2 * _PART) + _parts({secret} if secret else set(), _PART)
        self._in_answers = _parts({form for form in forms if len(form) >= _SHORTEST}, _LONG_PART)

    def answer(self, text: str) -> str:
        """What a model wrote, without the key or its longer parts, and without half surrogate pairs."""
        text = text.encode(errors="replace").decode()  # JSON can carry half a pair, files cannot
        return _without(text, self._in_answers)

    def line(self, text: str, limit: int = LINE) -> str:
        """A text for people: one line, `limit` characters at most, without any part of a credential."""
        text = _ANSI.sub("", text[: 20 * limit])
        text = " ".join("".join(map(_visible, text)).split())
        text = _CREDENTIAL.sub(HIDDEN, _without(text, self._in_messages)[: 2 * limit])
        return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _visible(character: str) -> str:
    if character.isspace() or unicodedata.category(character) in _SPACES:
        return " "
    return "" if unicodedata.category(character) in _INVISIBLE else character


def _forms(secret: str) -> set[str]:
    """The secret as a server may write it: plain, in JSON, HTML or a URL, in hexadecimal, in Base64."""
    raw = secret.encode()
    forms = {secret, secret.lower(), secret.upper(), json.dumps(secret)[1:-1], html.escape(secret)}
    forms |= {quote(secret, safe=""), "".join(f"%{byte:02X}" for byte in raw), raw.hex(), raw.hex().upper()}
    for before in range(3):  # whatever stands before it in what was encoded ("Bearer ", a user's name)
        inside = base64.b64encode(bytes(before) + raw).decode()[(0, 2, 3)[before] :].rstrip("=")
        whole = inside if (before + len(raw)) % 3 == 0 else inside[:-1]  # the last one also depends on what follows
        forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return forms - {""}


def _parts(forms: set[str], size: int) -> list[tuple[int, frozenset[str]]]:
    """[(length, texts of this length)]: all parts of `size` characters, and shorter forms whole.

    A short part in small letters alone is left out: it may be an ordinary word.
    """
    by_length: dict[int, set[str]] = {}
    for form in forms:
        length = min(size, len(form))
        parts = {form[at : at + length] for at in range(len(form) - length + 1)}
        if size < _SHORTEST and length < len(form):
            parts = {part for part in parts if not (part.isalpha() and part.islower())}
        by_length.setdefault(length, set()).update(parts)
    return [(length, frozenset(parts)) for length, parts in sorted(by_length.items(), reverse=True)]


def _without(text: str, wanted: list[tuple[int, frozenset[str]]]) -> str:
    spans = []
    for length, parts in wanted:
        if any(part in text for part in parts):  # fast, and nearly always the end of it
            spans += [(at, at + length) for at in range(len(text) - length + 1) if text[at : at + length] in parts]
    out: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start > end or not out:
            out += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join([*out, text[end:]])
