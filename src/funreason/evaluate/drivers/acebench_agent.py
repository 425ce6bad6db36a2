"""Advance ACEBench's agent rows to their next question, by the official loop over the official simulated APIs.

In:  {"rows": [{"category", "language", "row" of the data, "agent": [answers so far], "user": [the same of the
     simulated user]}]}
Out: a line per row, in order, one of
     {"asks": "agent" or "user", "messages"} (to be answered next), {"end_state", "process"} (over), {"failed"}
Run as (inside the sandbox): .venv-acebench/bin/python acebench_agent.py < request.json > replies.jsonl

Nothing is kept between runs: each run replays the answers so far, in milliseconds. A call of the model runs a method of
the simulated APIs with literals, never a text.
"""

import acebench_stub  # must come before evalscope
from channel import open_channel
from evalscope.benchmarks.acebench.rollout import run_rollout
from throwaway import Ended, Raised, run_throwaway

MAX_STEPS = 40  # of the official loop
REPLAY_SECONDS = 10


class NextQuestion(BaseException):
    """The answers of `who` are used up. Not an Exception, so that no code of the loop takes it for an error."""

    def __init__(self, who: str, messages: list) -> None:
        super().__init__(who)
        self.who, self.messages = who, messages


class RecordedAnswers:
    """A model for the official loop: it gives the recorded answers, then stops at the next question."""

    def __init__(self, who: str, answers: list[str]) -> None:
        self.name, self.answers = who, iter(answers)

    def generate(self, messages: list) -> acebench_stub.Anything:
        """The next answer. Raises NextQuestion where there is none."""
        if (text := next(self.answers, None)) is None:
            raise NextQuestion(self.name, [{"role": one.role, "content": one.content} for one in messages])
        output = acebench_stub.Anything()
        output.completion, output.usage, output.stop_reason = text, None, "stop"
        output.message = acebench_stub.Message(text)
        return output


def replay(row: dict) -> dict:
    """The row at its next question, or at its end."""
    data = row["row"]
    metadata = {
        "test_category": row["category"], "language": row["language"], "question": data["question"],
        "functions": data["function"], "initial_config": data["initial_config"],
        "involved_classes": data["involved_classes"],
    }  # fmt: skip
    models = {who: RecordedAnswers(who, row[who]) for who in ("agent", "user")}
    try:
        result = run_rollout(models["agent"], metadata, MAX_STEPS, models["user"])
    except NextQuestion as question:
        return {"asks": question.who, "messages": question.messages}
    return {"end_state": result.end_state, "process": result.process}


def guarded(row: dict) -> dict:
    """`replay` in a throwaway process; {"failed"} where the answers end it."""
    try:
        return run_throwaway(lambda: replay(row), REPLAY_SECONDS)
    except (Ended, Raised) as error:
        return {"failed": f"the simulated APIs failed: {error}"[:300]}


if __name__ == "__main__":
    request, reply = open_channel()
    for row in request["rows"]:
        reply(guarded(row))
