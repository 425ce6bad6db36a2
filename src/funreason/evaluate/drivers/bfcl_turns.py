"""Advance BFCL's conversations to their next question, by the official loop over the official simulated APIs.

In:  {"conversations": [[id, [answers so far], number of messages that are known]], "tool_role"}, or
     {"categories", "limit", "tool_role"} for the first `limit` entries of each (null: all)
Out: a line per conversation, in order: {"id"} and one of
     {"messages"} (what is new in the chat, to be answered next), {"result", "messages"} (over: the answers of each
     turn, and what is new in the chat), {"failed"} (what ended it)
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_turns.py < request.json > replies.json

Nothing is kept between runs: each run replays the answers so far, in milliseconds. A conversation that executes any
other than literal calls is replayed in a throwaway process, since it may execute any program.
"""

import json
from functools import cache
from types import SimpleNamespace

import bfcl_release  # must come before bfcl_eval
import bfcl_stub
import literal_calls
from bfcl_eval.constants.default_prompts import MAXIMUM_STEP_LIMIT
from bfcl_eval.model_handler.local_inference.base_oss_handler import OSSHandler
from bfcl_eval.model_handler.utils import format_execution_results_prompting
from channel import open_channel
from overrides import override
from throwaway import Ended, Raised, run_throwaway

REPLAY_SECONDS = 10


class NextQuestion(BaseException):
    """The answers are used up. Not an Exception, so that the official loop does not take it for an error of its own."""


class RecordedAnswers(OSSHandler):
    """BFCL's handler of local models; it gives the recorded answers, then stops at the next question."""

    def __init__(self, answers: list[str], tool_role: str) -> None:
        super().__init__(bfcl_stub.MODEL, 0.0, *([] if bfcl_release.V3 else [bfcl_stub.MODEL, False]))
        self.answers, self.tool_role, self.messages = iter(answers), tool_role, []

    @override
    def _query_prompting(self, inference_data: dict) -> tuple[SimpleNamespace, float]:
        self.messages = inference_data["message"]
        if (text := next(self.answers, None)) is None:
            raise NextQuestion
        usage = SimpleNamespace(prompt_tokens=0, completion_tokens=0)  # for a log that is not used
        return SimpleNamespace(choices=[SimpleNamespace(text=text)], usage=usage), 0.0

    @override
    def _add_execution_results_prompting(
        self, inference_data: dict, execution_results: list[str], model_response_data: dict
    ) -> dict:
        if self.tool_role == "tool":
            return super()._add_execution_results_prompting(inference_data, execution_results, model_response_data)
        # As in BFCL's handlers of APIs.
        results = format_execution_results_prompting(inference_data, execution_results, model_response_data)
        inference_data["message"].append({"role": "user", "content": results})
        return inference_data


def replay(entry: dict, answers: list[str], known: int, tool_role: str) -> dict:
    """Replay a conversation from its answers so far. Changes `entry`.

    Args:
        entry: BFCL's row.
        answers: the model's answers so far.
        known: how many messages of the chat the caller has.
        tool_role: tool or user, see funreason.evaluate.bfcl_turns.

    Returns:
        {"messages"} or {"result", "messages"}, see the head of this file.
    """
    handler = RecordedAnswers(answers, tool_role)
    try:
        result, _ = handler.inference_multi_turn_prompting(entry, include_input_log=False, exclude_state_log=True)
    except NextQuestion:
        return {"messages": handler.messages[known:]}
    return {"result": result, "messages": handler.messages[known:]}


def replay_literal(entry: dict, answers: list[str], known: int, tool_role: str) -> dict:
    """`replay` that executes literal calls alone, also within others; {"failed"} at the first other one."""
    try:
        with literal_calls.only_literal_calls(nested=True):
            return replay(entry, answers, known, tool_role)
    except literal_calls.NotLiteral:
        return {"failed": "not_literal: a program in place of calls"}


def advance(entry: dict, answers: list[str], known: int, tool_role: str) -> dict:
    """`replay`; {"failed"} where the answers kill the process, or the conversation does not end. Changes `entry`."""
    untouched = json.dumps(entry)
    try:
        with literal_calls.only_literal_calls():
            reply = replay(entry, answers, known, tool_role)
    except (literal_calls.NotLiteral, Exception):
        reply = replay_throwaway(json.loads(untouched), answers, known, tool_role)
    most = (MAXIMUM_STEP_LIMIT + 1) * len(entry["question"])
    ending = len(answers) < most or not reply.keys().isdisjoint(("result", "failed"))
    return reply if ending else {"failed": f"asks on after {most} answers"}


def replay_throwaway(entry: dict, answers: list[str], known: int, tool_role: str) -> dict:
    """`replay` in a throwaway process; {"failed"} where the answers killed it."""
    try:
        reply = run_throwaway(lambda: replay(entry, answers, known, tool_role), REPLAY_SECONDS)
    except (Ended, Raised) as error:
        return {"failed": f"the simulated APIs failed: {error}"}
    return reply if isinstance(reply, dict) else {"failed": "the simulated APIs gave a reply of another form"}


@cache
def entries_of(category: str) -> dict[str, dict]:
    """{id: entry}, in the order of BFCL's file."""
    return {entry["id"]: entry for entry in bfcl_release.entries(category)}


def first(categories: list[str], limit: int | None) -> list[tuple[str, list[str], int]]:
    """The first `limit` conversations of each category, without an answer so far."""
    return [(name, [], 0) for category in categories for name in list(entries_of(category))[:limit]]


if __name__ == "__main__":
    request, reply = open_channel()
    bfcl_release.load_apis()
    if "conversations" not in request:
        request["conversations"] = first(request["categories"], request["limit"])
    for name, answers, known in request["conversations"]:
        entry = entries_of(name.rpartition("_")[0])[name]
        reply(advance(entry, answers, known, request["tool_role"]) | {"id": name})
