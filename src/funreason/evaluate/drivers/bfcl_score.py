"""Score answers with BFCL's official runner.

In:  {"suites": {name: {"data", "answers": {category: [{"id", "result"}]}}}}
     "data" holds the texts of the files of a folder in BFCL's layout, null for BFCL's own; a result is an answer, in
     the multi-turn categories the answers of each turn
Out: {name: {category: [{"id", "type", "error"} of each wrong answer]}}
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_score.py < request.json > scores.json

Guards around the official code keep one answer from ending or changing the scoring of the others. Arithmetic in
arguments is computed, never passed to eval(). The check of a conversation that executes anything but literal calls runs
in a throwaway process, and such a conversation is wrong, whatever that check says: its program can read what is
expected. An answer that the official code fails on is wrong.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import arithmetic
import bfcl_release  # must come before bfcl_eval
import bfcl_stub
import literal_calls
from bfcl_eval import utils
from bfcl_eval.eval_checker import eval_runner
from bfcl_eval.model_handler import utils as decoding
from channel import open_channel
from throwaway import Ended, Raised, run_throwaway

CHECK_SECONDS = 10  # for all turns of one conversation, which take milliseconds
DATA = ("prompt", "possible_answer")  # what a verdict quotes of BFCL's own files
NOT_LITERAL = "not literal"  # the type of a failure that means: check it again in a process of its own
UNRESOLVED = "<not evaluated>"  # never a possible answer, yet part of a call: wrong everywhere, also on irrelevance
MAX_CHARS = 1000  # of an error: it may quote the whole state of an API
OFFICIAL_CHECKER = eval_runner.multi_turn_checker


def computed(source: str) -> object:
    """`eval(source)` of arithmetic over literals, UNRESOLVED for other text. Raises ValueError where eval raises."""
    try:
        return arithmetic.compute(source, vars(decoding))
    except arithmetic.NotArithmetic:
        return UNRESOLVED


def turns_checker(official: Callable) -> Callable:
    """BFCL's checker of conversations, each in a throwaway process.

    The checker runs the model's calls beside the true ones, so a call that is not a literal call can change the
    checker, or read the truth: what passes by one is wrong all the same, and its reason names the official verdict.
    """

    def checked(decoded: list, truth: list[list[str]], *others: object) -> dict:
        def verdict(truth: list[list[str]]) -> dict:
            return utils.make_json_serializable(official(decoded, truth, *others))

        try:
            literal = literal_checker(official, nested=True)
            result = run_throwaway(lambda: literal(decoded, truth, *others), None)  # it limits its own CPU time
            if result.get("error_type") != NOT_LITERAL:
                return result
            result = run_throwaway(lambda: verdict(truth), CHECK_SECONDS)
            if not result["valid"]:
                return result
            if run_throwaway(lambda: verdict(impossible(truth)), CHECK_SECONDS)["valid"]:
                return _refused("forged", "passes a check that nothing passes")
            return _refused("not_literal", "official passed, by a program in place of calls")
        except (Ended, Raised) as error:
            return _refused("scorer_failed", f"the official checker failed: {error}")

    return checked


def literal_checker(official: Callable, nested: bool = False) -> Callable:
    """BFCL's checker of conversations, in this process; NOT_LITERAL where it would execute another call."""

    def checked(*arguments: object) -> dict:
        try:
            with literal_calls.only_literal_calls(nested):
                return utils.make_json_serializable(official(*arguments))
        except literal_calls.NotLiteral:
            return _refused(NOT_LITERAL, "")
        except Exception as error:
            return _refused("scorer_failed", f"the official checker failed: {type(error).__name__}: {error}"[:300])

    return checked


def literal_decoder(official: Callable) -> Callable:
    """BFCL's decoder; NOT_LITERAL for what it would have to compute, since the runner takes an error for no call."""

    def decode(*arguments: object, **named: object) -> list:
        try:
            return official(*arguments, **named)
        except literal_calls.NotLiteral:
            return [NOT_LITERAL]

    return decode


def _refused(kind: str, why: str) -> dict:
    return {"valid": False, "error_type": kind, "error_message": why}


def impossible(truth: list[list[str]]) -> list[list[str]]:
    """The true calls of each turn and, where there are any, one that fails with an error that occurs nowhere else."""
    never = f"never_{secrets.token_hex(8)}()"
    return [[*calls, never] if calls else [] for calls in truth]


def guarded(official: Callable) -> Callable:
    """An official check of one entry; the entry is wrong where the check raises or its result cannot be written."""

    def check(*arguments: object, **named: object) -> dict:
        try:
            verdict = official(*arguments, **named)
            require_writable({key: value for key, value in verdict.items() if key not in DATA})
            return verdict
        except Exception as error:
            reason = f"the official checker failed: {type(error).__name__}"
            return {"id": arguments[1], "valid": False, "error": [reason], "error_type": "scorer_failed"}

    return check


def require_writable(value: object) -> None:
    """Raise where the value cannot be written to a score file."""
    json.dumps(utils.make_json_serializable(value), ensure_ascii=False).encode()


def guarded_decoder(official: Callable) -> Callable:
    """For v3, whose runner is one loop: calls that cannot be written count as one of a function that does not exist."""

    def decode(*arguments: object, **named: object) -> list:
        calls = official(*arguments, **named)
        try:
            require_writable(calls)
            return calls
        except Exception:
            return [{UNRESOLVED: {}}]

    return decode


def failures_of(category: str, answers: list[dict], data: dict[str, str] | None) -> list[dict]:
    """What the official runner finds wrong.

    Args:
        category: our name of it.
        answers: rows {"id", "result"}.
        data: the files of a folder that takes the place of BFCL's own data.

    Returns:
        [{"id", "type", "error"}] of the wrong answers.
    """
    _, *failures = bfcl_release.evaluated(category, answers, data)
    return [{"id": row["id"]} | reason(row) for row in failures]


def failed_conversations(category: str, answers: list[dict]) -> list[dict]:
    """`failures_of` conversations: those of literal calls share a process, each other one has its own.

    Each has its own, too, where one of them ended the shared process: it took too much time or memory.
    """
    failures, left = [], answers
    bfcl_release.load_apis()
    with suppress(Ended, Raised):
        failures = run_throwaway(lambda: failures_of_literal(category, answers), None)
        not_literal = {row["id"] for row in failures if row["type"] == NOT_LITERAL}
        left = [row for row in answers if row["id"] in not_literal]
    failures = [row for row in failures if row["type"] != NOT_LITERAL]
    with decoding_of_literals():
        return failures + (failures_of(category, left, None) if left else [])


def failures_of_literal(category: str, answers: list[dict]) -> list[dict]:
    """`failures_of`, for a process of its own: it forks nothing, and evaluates no text of a model but literal calls."""
    eval_runner.multi_turn_checker = literal_checker(OFFICIAL_CHECKER)
    with decoding_of_literals():
        return failures_of(category, answers, None)


@contextmanager
def decoding_of_literals() -> Iterator[None]:
    """Within, BFCL's decoder evaluates no text of a model."""
    before = decoding.eval, bfcl_stub.Handler.decode_execute
    decoding.eval = literal_calls.computed
    bfcl_stub.Handler.decode_execute = literal_decoder(bfcl_stub.Handler.decode_execute)
    try:
        yield
    finally:
        decoding.eval, bfcl_stub.Handler.decode_execute = before


def reason(row: dict) -> dict:
    """{"type", "error"} of a failure; for a conversation, the checker's message, what differs and what is missing."""
    error = row["error"]
    if not isinstance(error, dict):
        return {"type": row["error_type"], "error": str(error)[:300]}
    message, details = error["error_message"], error.get("details", {})
    parts = [" ".join(message) if isinstance(message, list) else message]
    parts += [f"{name}: {details[name]}" for name in ("differences", "missing_items") if details.get(name)]
    return {"type": error["error_type"], "error": " ".join(parts)[:MAX_CHARS]}


def score_suite(data: dict[str, str] | None, answers: dict[str, list[dict]]) -> dict:
    """{category: failures} of one suite; `data` takes the place of BFCL's own data folder."""
    return {
        name: failed_conversations(name, rows) if name.startswith("multi_turn") else failures_of(name, rows, data)
        for name, rows in answers.items() if rows
    }  # fmt: skip


def guard() -> None:
    """Put the guards around the official code."""
    decoding.eval = computed
    eval_runner.multi_turn_checker = turns_checker(OFFICIAL_CHECKER)
    if bfcl_release.V3:
        eval_runner.ast_checker = guarded(eval_runner.ast_checker)
        bfcl_stub.Handler.decode_ast = guarded_decoder(bfcl_stub.Handler.decode_ast)
    else:
        for kind in ("ast", "relevance", "multi_turn", "agentic"):
            name = f"_evaluate_single_{kind}_entry"
            setattr(eval_runner, name, guarded(getattr(eval_runner, name)))


if __name__ == "__main__":
    request, reply = open_channel()
    guard()
    reply({name: score_suite(**suite) for name, suite in request["suites"].items()})
