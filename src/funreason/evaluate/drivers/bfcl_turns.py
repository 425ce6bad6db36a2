"""Carry BFCL's conversations over several turns on, by the official loop over the official simulated APIs.

In:  {"talks": [[id, [answers so far], number of messages that are known]], "tool_role"}, or
     {"categories", "limit", "tool_role"} for the first `limit` entries of each (null: all)
Out: a line for each conversation, in order: {"id"} and
     {"messages"} (what is new in the chat, to be answered next), {"result", "messages"} (over: the answers of each
     turn, and what is new), or {"failed"} (what ended it)
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_turns.py < request.json > steps.json

Nothing is kept between runs: each replays the answers so far, in milliseconds; a conversation in which anything but
plain calls is executed in a throwaway process, since that may be any program.
"""

import json
from functools import cache
from types import SimpleNamespace

import bfcl_release  # must come before bfcl_eval
import bfcl_stub
import plain
from bfcl_eval.constants.default_prompts import MAXIMUM_STEP_LIMIT
from bfcl_eval.model_handler.local_inference.base_oss_handler import OSSHandler
from bfcl_eval.model_handler.utils import format_execution_results_prompting
from channel import open_channel
from overrides import override
from throwaway import Ended, Raised, thrown_away

REPLAY_SECONDS = 10


class Asked(BaseException):
    """The answers are used up. Not an Exception: nothing in the official loop is to take it for an error of its own."""


class Recorded(OSSHandler):
    """BFCL's handler of local models, which answers what is recorded and then stops at the next question."""

    def __init__(self, answers: list[str], tool_role: str):
        super().__init__(bfcl_stub.MODEL, 0.0, *([] if bfcl_release.V3 else [bfcl_stub.MODEL, False]))
        self.answers, self.tool_role, self.messages = iter(answers), tool_role, []

    @override
    def _query_prompting(self, inference_data: dict):
        self.messages = inference_data["message"]
        if (text := next(self.answers, None)) is None:
            raise Asked
        usage = SimpleNamespace(prompt_tokens=0, completion_tokens=0)  # for a log that nobody reads
        return SimpleNamespace(choices=[SimpleNamespace(text=text)], usage=usage), 0.0

    @override
    def _add_execution_results_prompting(
        self, inference_data: dict, execution_results: list[str], model_response_data: dict
    ) -> dict:
        if self.tool_role == "tool":
            return super()._add_execution_results_prompting(inference_data, execution_results, model_response_data)
        # As BFCL's handlers of APIs do.
        results = format_execution_results_prompting(inference_data, execution_results, model_response_data)
        inference_data["message"].append({"role": "user", "content": results})
        return inference_data


def carried_on(entry: dict, answers: list[str], known: int, tool_role: str) -> dict:
    """Where a conversation stands after its answers so far, without the first `known` messages. Changes `entry`."""
    handler = Recorded(answers, tool_role)
    try:
        result, _ = handler.inference_multi_turn_prompting(entry, include_input_log=False, exclude_state_log=True)
    except Asked:
        return {"messages": handler.messages[known:]}
    return {"result": result, "messages": handler.messages[known:]}


def step(entry: dict, answers: list[str], *others) -> dict:
    """`carried_on`; {"failed"} where the answers end the process, or never come to an end. Changes `entry`."""
    untouched = json.dumps(entry)
    try:
        with plain.only_plain():
            found = carried_on(entry, answers, *others)
    except (plain.NotPlain, Exception):
        found = alone(json.loads(untouched), answers, *others)
    most = (MAXIMUM_STEP_LIMIT + 1) * len(entry["question"])
    ending = len(answers) < most or not found.keys().isdisjoint(("result", "failed"))
    return found if ending else {"failed": f"asks on after {most} answers"}


def alone(*arguments) -> dict:
    """`carried_on`, from a throwaway process; {"failed"} where the answers ended that."""
    try:
        found = thrown_away(lambda: carried_on(*arguments), REPLAY_SECONDS)
    except (Ended, Raised) as error:
        return {"failed": f"the simulated APIs failed: {error}"}
    return found if isinstance(found, dict) else {"failed": "the simulated APIs said something else"}


@cache
def entries_of(category: str) -> dict[str, dict]:
    """{id: entry}, in the order of BFCL's file."""
    return {entry["id"]: entry for entry in bfcl_release.entries(category)}


def first(categories: list[str], limit: int | None) -> list[tuple[str, list[str], int]]:
    """Their conversations, without an answer so far."""
    return [(name, [], 0) for category in categories for name in list(entries_of(category))[:limit]]


if __name__ == "__main__":
    request, reply = open_channel()
    bfcl_release.load_apis()
    talks = request["talks"] if "talks" in request else first(request["categories"], request["limit"])
    for name, answers, known in talks:
        entry = entries_of(name.rpartition("_")[0])[name]
        reply(step(entry, answers, known, request["tool_role"]) | {"id": name})
