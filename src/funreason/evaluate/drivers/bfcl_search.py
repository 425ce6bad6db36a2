"""Advance BFCL's web search conversations to their next question, by the official loop and the official functions.

In:  {"conversations": [[id, [answers so far], number of messages that are known, {request: reply}]], "tool_role"}, or
     {"categories", "limit", "tool_role"} for the first `limit` entries of each (null: all)
Out: a line per conversation, in order: as bfcl_turns.py, or {"wanted"}: the request whose reply is missing
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_search.py < request.json > replies.json

There is no network inside. A request is JSON text, {"search": {"engine", "q", "kl"}} or {"page": URL}; a reply is the
JSON of the search API, and of a page {"text"} or {"error"}. What is done with them is the official code. Each
conversation is replayed in a throwaway process, and of the model's text only literal calls are executed.
"""

import importlib
import json
import sys
import types
from functools import cache
from types import SimpleNamespace

import bfcl_turns  # must come before bfcl_eval
from bfcl_eval import utils
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from channel import open_channel
from throwaway import Ended, Raised, run_throwaway

SECONDS = 20


class Wanted(BaseException):
    """A request without a reply. Not an Exception, so that the official code does not take it for an error."""

    def __init__(self, request: str) -> None:
        super().__init__(request)
        self.request = request


class Tape:
    """Replies by request; it stands for the two packages by which the official code asks."""

    replies: dict[str, dict] = {}

    @classmethod
    def reply(cls, **request: object) -> dict:
        """The recorded reply. Raises Wanted."""
        text = json.dumps(request, sort_keys=True)
        if text not in cls.replies:
            raise Wanted(text)
        return cls.replies[text]

    @classmethod
    def get(cls, url: str, **_: object) -> SimpleNamespace:
        """requests.get."""
        reply = cls.reply(page=url)
        if "error" in reply:
            raise OSError(reply["error"])
        return SimpleNamespace(text=reply["text"], raise_for_status=lambda: None)


class GoogleSearch:
    """serpapi.GoogleSearch."""

    def __init__(self, parameters: dict) -> None:
        self.parameters = {name: value for name, value in parameters.items() if name != "api_key"}

    def get_dict(self) -> dict:
        """The recorded reply."""
        return Tape.reply(search=self.parameters)


@cache
def entries_of(category: str) -> dict[str, dict]:
    """{id: entry}, in BFCL's order."""
    entries = utils.populate_initial_settings_for_web_search_test_cases(utils.load_dataset_entry(category))
    return {entry["id"]: entry for entry in entries}


def load() -> None:
    """Import the official functions here, over the tape: else each forked process imports them."""
    sys.modules["serpapi"] = serpapi = types.ModuleType("serpapi")
    serpapi.GoogleSearch = GoogleSearch
    sys.modules["requests"].get = Tape.get  # the stub of bfcl_stub.py
    importlib.import_module(multi_turn_utils.CLASS_FILE_PATH_MAPPING["WebSearchAPI"])


def advance(name: str, answers: list[str], known: int, replies: dict[str, dict], tool_role: str) -> dict:
    """The conversation at its next question, its end or a request; {"failed"} where its answers end the process."""
    try:
        reply = run_throwaway(lambda: replay(name, answers, known, replies, tool_role), SECONDS)
    except (Ended, Raised) as error:
        return {"failed": f"the web search failed: {error}"}
    return reply if isinstance(reply, dict) else {"failed": "the web search gave a reply of another form"}


def replay(name: str, answers: list[str], known: int, replies: dict[str, dict], tool_role: str) -> dict:
    """`bfcl_turns.replay` over a tape; in a process of its own."""
    Tape.replies = replies
    entry = entries_of(utils.extract_test_category_from_id(name))[name]
    try:
        return bfcl_turns.replay_literal(entry, answers, known, tool_role)
    except Wanted as wanted:
        return {"wanted": wanted.request}


if __name__ == "__main__":
    request, reply = open_channel()
    if "conversations" not in request:
        names = [name for category in request["categories"] for name in list(entries_of(category))[: request["limit"]]]
        request["conversations"] = [(name, [], 0, {}) for name in names]
    load()
    for name, answers, known, replies in request["conversations"]:
        reply(advance(name, answers, known, replies, request["tool_role"]) | {"id": name})
