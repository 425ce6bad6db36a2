"""What the HTTP server of these tests answers: always the same to a request, and work for every stage."""

import hashlib
import json
import re
from contextlib import contextmanager
from pathlib import Path

from llm.http_server import completion, serve

from funreason.calls import Call, render
from funreason.core.jsonio import read_jsonl

SECONDS = 0.05  # an answer takes: a kill meets requests in flight


@contextmanager
def model_server(pool: Path):
    """An HTTP server whose `.asked` and `.now` tell what was asked and what is in flight."""
    with serve(*[SECONDS] * 20_000, answer=replies(pool)) as server:
        yield server


def replies(pool: Path):
    """body → body of the reply. The right calls for the queries of `pool` (once it is written), verdicts by the hash of
    the question, a function that returns None for code.
    """
    known = {}

    def answer(body: dict) -> dict:
        if not known and pool.exists():
            known.update((row["query"], row["answers"]) for row in read_jsonl(pool))
        text = body["messages"][-1]["content"]
        if text.startswith("You check training data"):
            return completion(_verdict(text))
        if body["messages"][0]["role"] == "system":
            return completion(_called(known.get(text)))
        name = re.findall(r"def (\w+)", text)[-1]
        return completion(f"```python\ndef {name}(*args, **kwargs):\n    return None\n```")

    return answer


def _verdict(text: str) -> str:
    good = hashlib.sha256(text.encode()).digest()[0] >= 32  # seven of eight
    return f"So it is. <judge>{good}</judge>"


def _called(answers) -> str:
    answers = json.loads(answers) if isinstance(answers, str) else answers
    if not answers:
        return "<think>No tool fits.</think>\n\nI cannot do that."
    calls = [Call.of(call) for call in answers]
    return f"<think>The query asks for {calls[0].name}.</think>\n\n{render(calls)}"
