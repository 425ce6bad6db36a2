"""Score answers with BFCL's official runner.

In:  {"suites": {name: {"data", "answers": {category: [{"id", "result"}]}}}}
     with "data" the texts of the files of a folder in BFCL's layout, or null for BFCL's own
Out: {name: {category: {"accuracy", "correct", "n", "failures": [{"id", "type", "error"}]}}}
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_score.py < request.json > scores.json

Two guards surround the official code, so that one answer cannot end or change the scoring of the others:
its eval() of arithmetic arguments happens in a throwaway process, and what it cannot even judge is wrong.
"""

import ast
import json
import os
import select
import signal

import bfcl_release  # must come before bfcl_eval
import bfcl_stub
from bfcl_eval import utils
from bfcl_eval.eval_checker import eval_runner
from bfcl_eval.model_handler import utils as decoding
from channel import open_channel

EVAL_SECONDS = 2
EVAL_BUDGET = 20  # texts that may run into EVAL_SECONDS before all others are refused unseen
PIPE_BYTES = 1 << 16  # what a pipe holds: written and read in one go
DATA = ("prompt", "possible_answer")  # what a verdict quotes of BFCL's own files
RAISED = b"raised"  # as a repr this would be a name, which no literal is
UNRESOLVED = "<not evaluated>"  # no possible answer, yet part of a call: wrong everywhere, also on irrelevance

_hung = 0


def isolated_eval(source: str):
    """`eval(source)` in a forked process, its value if a literal. Raises ValueError where eval raises."""
    global _hung
    if _hung >= EVAL_BUDGET:
        return UNRESOLVED
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        _evaluate(source, write)
    os.close(write)
    # Not until the end of the file: a process that the text leaves behind may keep the pipe open for ever.
    said = os.read(read, PIPE_BYTES) if select.select([read], [], [], EVAL_SECONDS)[0] else b""
    os.close(read)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _value(source, said)


def _evaluate(source: str, write: int) -> None:
    """The child: writes the value's repr or RAISED in one go; nothing if it is ended or ends itself."""
    try:
        os.dup2(write, 3)
        os.closerange(4, 1024)  # the way to the stage among them
        try:
            said = repr(eval(source, dict(vars(decoding)))).encode(errors="replace")
        except Exception:
            said = RAISED
        os.write(3, said[:PIPE_BYTES])
    finally:
        os._exit(0)  # also past SystemExit: a child must never go on with its parent's work


def _value(source: str, said: bytes):
    global _hung
    if said == RAISED:
        raise ValueError(f"cannot evaluate {source[:80]!r}")
    _hung += not said
    try:
        return ast.literal_eval(said.decode(errors="replace"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return UNRESOLVED


def guarded(official):
    """`official` judging one entry; a wrong answer where it raises, or gives what no score file could hold."""

    def judge(*arguments, **named):
        try:
            verdict = official(*arguments, **named)
            holdable({key: value for key, value in verdict.items() if key not in DATA})
            return verdict
        except Exception as error:
            reason = f"the official checker failed: {type(error).__name__}"
            return {"id": arguments[1], "valid": False, "error": [reason], "error_type": "scorer_failed"}

    return judge


def holdable(value) -> None:
    """Raise where the value could not be written to a score file."""
    json.dumps(utils.make_json_serializable(value), ensure_ascii=False).encode()


def guarded_decoder(official):
    """For v3, whose runner is one loop: what could not be written counts as a call, of a function that is not there."""

    def decode(*arguments, **named):
        found = official(*arguments, **named)
        try:
            holdable(found)
            return found
        except Exception:
            return [{UNRESOLVED: {}}]

    return decode


def score_category(category: str, answers: list[dict], data: dict[str, str] | None) -> dict:
    """Official accuracy and failures over the entries that `answers` names."""
    header, *failures = bfcl_release.evaluated(category, answers, data)
    return {
        "accuracy": header["accuracy"],
        "correct": header["correct_count"],
        "n": header["total_count"],
        "failures": [
            {"id": row["id"], "type": row["error_type"], "error": str(row["error"])[:300]} for row in failures
        ],
    }


def score_suite(data: dict[str, str] | None, answers: dict[str, list[dict]]) -> dict:
    """All categories of one suite; `data` takes the place of BFCL's own data folder."""
    return {name: score_category(name, rows, data) for name, rows in answers.items() if rows}


def guard() -> None:
    """Put the guards around the official code."""
    decoding.eval = isolated_eval
    if bfcl_release.V3:
        eval_runner.ast_checker = guarded(eval_runner.ast_checker)
        bfcl_stub.Handler.decode_ast = guarded_decoder(bfcl_stub.Handler.decode_ast)
    else:
        for name in ("_evaluate_single_ast_entry", "_evaluate_single_relevance_entry"):
            setattr(eval_runner, name, guarded(getattr(eval_runner, name)))


if __name__ == "__main__":
    request, reply = open_channel()
    guard()
    reply({name: score_suite(**suite) for name, suite in request["suites"].items()})
