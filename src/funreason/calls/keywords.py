"""Python's keywords as function and parameter names: `send(from='a')`, `json.import(x=1)`.

Web APIs have parameters named `from`, `class` or `in`, which Python's parser refuses (and so does BFCL's decoder).
Where a first parse fails, the text is parsed again with a prefix on those names, which is then removed.
"""

import io
import itertools
import keyword
import re
import tokenize

_WORDS = [word for word in keyword.kwlist if word not in ("True", "False", "None")]
# Tested before the tokenizer, which is slow: prose fails to parse as well, and there is much of it.
_CANDIDATE = re.compile(rf"\b(?:{'|'.join(_WORDS)})\s*[=(.]")


def hide_keywords(source: str) -> tuple[str, str] | None:
    """Put a prefix before each keyword of Python that `source` uses as a name.

    Returns:
        The changed source and the prefix; None where no keyword is used as a name.
    """
    if not _CANDIDATE.search(source):
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    names = [token for token, after in itertools.pairwise(tokens) if _is_name(token, after)]
    if not names:
        return None
    prefix = next(prefix for prefix in map("kw{}_".format, itertools.count()) if prefix not in source)
    return _insert(source, [token.start for token in names], prefix), prefix


def _is_name(token: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    """Whether a keyword stands where only a name can: before `=`, `(` or `.`."""
    if token.type != tokenize.NAME or token.string not in _WORDS:
        return False
    return after.string in ("=", "(", ".")


def _insert(source: str, places: list[tuple[int, int]], prefix: str) -> str:
    """`source` with `prefix` at each place, a line (from 1) and a column (from 0)."""
    lines = source.split("\n")
    for line, column in reversed(places):
        text = lines[line - 1]
        lines[line - 1] = f"{text[:column]}{prefix}{text[column:]}"
    return "\n".join(lines)
