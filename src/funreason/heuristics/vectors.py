"""What words mean, as vectors: texts that mean similar things have similar vectors. English only; 0 for other scripts.

The table was made from a small sentence model by benchmarks/make_vectors.py. Sums are of whole numbers, so that they
do not depend on an order.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np

from funreason.heuristics.words import TOKEN

Vector = np.ndarray  # float32 [64], of length 1, or 0 where nothing is known
_MAX_WORD, _MAX_TEXT = 40, 1000


@lru_cache(maxsize=16384)
def text_vector(text: str) -> Vector:
    """The vector of a text, of its first 1,000 characters."""
    return words_vector(TOKEN.findall(text[:_MAX_TEXT].lower()))


def words_vector(words: Iterable[str]) -> Vector:
    """The vector of words in lower case, in whatever order."""
    rows = [row for word in words for row in _rows_of(word)]
    total = _read()[1][rows].sum(axis=0)
    length = float(total @ total) ** 0.5
    return total.astype(np.float32) / np.float32(length or 1.0)


@lru_cache(maxsize=65536)
def _rows_of(word: str) -> tuple[int, ...]:
    """The rows of the table for the pieces of a word, the longest ones from its left."""
    known, at = _read()[0], 0
    rows: list[int] = []
    word = word if word.isascii() and len(word) <= _MAX_WORD else ""
    while at < len(word):
        mark = "##" if at else ""
        end = next((end for end in range(len(word), at, -1) if mark + word[at:end] in known), at + 1)
        if (row := known.get(mark + word[at:end])) is not None:
            rows.append(row)
        at = end
    return tuple(rows)


@cache
def _read() -> tuple[dict[str, int], np.ndarray]:
    with files(__package__).joinpath("vectors.npz").open("rb") as file, np.load(file) as arrays:
        pieces = arrays["pieces"].tobytes().decode().split("\n")
        return {piece: row for row, piece in enumerate(pieces)}, arrays["table"].astype(np.int32)
