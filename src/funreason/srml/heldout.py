"""The rows whose losses are measured and not trained on."""

import hashlib
import json


def split(rows: list[dict], share: float) -> tuple[list[dict], list[dict]]:
    """(rows to train on, rows held out): about `share` of all, 0 to 1, chosen by a hash of the prompt.

    So the sets of a chain hold the same queries out, whatever their number and order of rows, and no query is on
    both sides.
    """
    sides: tuple[list, list] = [], []
    for row in rows:
        text = json.dumps(row["prompt"], sort_keys=True, ensure_ascii=False)
        place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
        sides[place < share].append(row)
    return sides
