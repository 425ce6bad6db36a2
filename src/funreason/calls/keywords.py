"""Python's keywords as function and parameter names: `send(from='a')`, `json.import(x=1)`.

Web APIs call parameters `from`, `class` or `in`; Python's parser refuses them (and so does BFCL's decoder). A
prefix on those names, taken off after parsing, makes them readable, at a second parse where the first fails.
"""

import io
import itertools
import keyword
import re
import tokenize

_WORDS = [word for word in keyword.kwlist if word not in ("True", "False", "None")]
# A cheap look before the tokenizer: statements in prose fail to parse as well, and there are many of them.
_CANDIDATE = re.compile(rf"\b(?:{'|'.join(_WORDS)})\s*[=(.]")


def hide_keywords(source: str) -> tuple[str, str] | None:
    """(`source` with a prefix before each keyword used as a name, the prefix); `None` where there is none."""
    if not _CANDIDATE.search(source):
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    found = [tokens[i] for i in range(len(tokens) - 1) if _is_name(*tokens[i : i + 2])]
    if not found:
        return None
    mark = next(mark for mark in map("kw{}_".format, itertools.count()) if mark not in source)
    return _insert(source, [token.start for token in found], mark), mark


def _is_name(token: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    """Whether a keyword stands where only a name can: before `=`, `(` or `.`."""
    if token.type != tokenize.NAME or token.string not in _WORDS:
        return False
    return after.string in ("=", "(", ".")


def _insert(source: str, places: list[tuple[int, int]], mark: str) -> str:
    """`source` with `mark` at each place, a line (from 1) and a column."""
    lines = source.split("\n")
    for line, column in reversed(places):
        text = lines[line - 1]
        lines[line - 1] = f"{text[:column]}{mark}{text[column:]}"
    return "\n".join(lines)
