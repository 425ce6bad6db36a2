"""A real HTTP server that stands where a judge would.

What it says (replies.jsonl, by prompt) is input text for the reading of verdicts, written by hand to drive each way
through the checks; no model said it. What a model says is tested with the toy judge, in test_injection.py.
"""

import json
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from llm import http_server
from llm.http_server import completion

from funreason.prompts import calling_messages, judge_messages

from .rows import TASKS

REPLIES = Path(__file__).with_name("replies.jsonl")
RIGHT = "Everything is right. <judge>True</judge>"


def scripted() -> dict[str, list[str]]:
    """Prompt → replies, in asking order. A reply is written for a row, a check and, if given, an answer."""
    tasks = {task["id"]: task for task in TASKS}
    lines = [json.loads(line) for line in REPLIES.read_text().splitlines()]
    return {_prompt(tasks[line["id"]], line): line["replies"] for line in lines}


def _prompt(task: dict, line: dict) -> str:
    if line["check"] is None:
        return json.dumps(calling_messages(task["query"], task["tools"]))
    response = task["response"]
    answer = line["answer"] or response["answer"]
    texts = {"query": task["query"], "tools": task["tools"], "cot": response["cot"], "answer": answer}
    return json.dumps(judge_messages(line["check"], **texts))


@contextmanager
def serve(others: dict[tuple[str, str, str], str] | None = None, tasks: list[dict] = TASKS):
    """Yield a running server; `.temperatures` lists (how often this prompt was asked, at which temperature).

    `others` maps (model, check, row) to what that model says instead; every model is asked for itself.
    """
    replies, asked, temperatures = scripted(), Counter(), []
    by_id = {task["id"]: task for task in tasks}
    special = {
        (model, _prompt(by_id[row], {"check": check, "answer": None})): reply
        for (model, check, row), reply in (others or {}).items()
    }

    def answer(body: dict) -> dict:
        model, prompt = body["model"], json.dumps(body["messages"])
        asked[model, prompt] += 1
        temperatures.append((asked[model, prompt], body["temperature"]))
        own = replies.get(prompt, [RIGHT])
        said = special.get((model, prompt)) or own[min(asked[model, prompt], len(own)) - 1]  # the last one for ever
        return completion(said)

    with http_server.serve(answer=answer) as server:
        server.temperatures = temperatures
        yield server
