"""How well a tool fits a text: by the roots of their words, and by the vectors of their meaning."""

from functools import lru_cache

from funreason.heuristics.vectors import Vector, text_vector, words_vector
from funreason.heuristics.words import COMMON_WORDS, STOP_WORDS, TOKEN, VERBS, name_words, roots

_DULL = frozenset[str]().union(*(roots(word) for word in STOP_WORDS | COMMON_WORDS | frozenset(VERBS)))


def telling_roots(low: str) -> frozenset[str]:
    """The roots of a text in lower case, without those of common words."""
    return roots(low) - _DULL


@lru_cache(maxsize=16384)
def tool_roots(name: str, description: str) -> tuple[frozenset[str], frozenset[str]]:
    """The telling roots of a tool's name, and of its name and description."""
    of_name = telling_roots(" ".join(name_words(name)))
    return of_name, telling_roots(description.lower()[:1000]) | of_name


def root_fit(words: frozenset[str], of_name: frozenset[str], of_tool: frozenset[str]) -> tuple[float, float]:
    """(fraction of the roots of a tool's name among `words`, the same of its description, long ones weigh less)."""
    return len(of_name & words) / max(1, len(of_name)), len(of_tool & words) / max(1, len(of_tool)) ** 0.5


def tool_vector(name: str, description: str) -> Vector:
    """The vector of a tool's name and of the beginning of its description."""
    return text_vector(f"{' '.join(name_words(name))} {description[:200]}")


def telling_vector(low: str) -> Vector:
    """The vector of a text in lower case, without its stop words."""
    return words_vector(word for word in TOKEN.findall(low) if word not in STOP_WORDS)
