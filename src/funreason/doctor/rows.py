"""How many training rows there are and how long the longest is, from the last run; counted without torch."""

import heapq
import json
from pathlib import Path

from funreason.config import Params
from funreason.core import paths
from funreason.doctor.weights import model_folder

LOOKED_AT = 8  # rows with the most characters
MARKS = 6  # tokens of a chat template around a message


def trained_rows(params: Params) -> tuple[int, int | None] | None:
    """Rows of the first round with a training set here, and the tokens of the longest.

    Returns:
        None where no round has one; None as tokens without a tokenizer.json of the student.
    """
    files = [Path(paths.train_rows(name)) for name in params.rounds]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return None
    with open(file, encoding="utf-8") as lines:
        longest: list[str] = []
        count = 0
        for line in lines:
            count += 1
            longest = heapq.nlargest(LOOKED_AT, [*longest, line], key=len)
    try:
        return count, _tokens(params, [json.loads(line) for line in longest])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ):  # `funreason doctor` has other checks for a damaged model or file
        return count, None


def _tokens(params: Params, rows: list[dict]) -> int | None:
    """Tokens of the longest row, near enough: its messages one by one, and the marks around them."""
    folder = model_folder(params.models.base)
    if folder is None or not (folder / "tokenizer.json").is_file() or not rows:
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    messages = [[message["content"] for message in [*row["prompt"], *row["completion"]]] for row in rows]
    return max(
        sum(len(tokenizer.encode(text, add_special_tokens=False).ids) + MARKS for text in texts) for texts in messages
    )
