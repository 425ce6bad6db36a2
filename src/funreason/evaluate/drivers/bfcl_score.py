"""Score answers with BFCL's official runner.

In:  {"suites": {name: {"data", "answers": {category: [{"id", "result"}]}}}}
     with "data" the texts of the files of a folder in BFCL's layout, or null for BFCL's own; a result is an answer,
     in the multi-turn categories the answers of each turn
Out: {name: {category: [{"id", "type", "error"} of each answer that is wrong]}}
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_score.py < request.json > scores.json

Guards surround the official code, so that one answer cannot end or change the scoring of the others: its eval() of
arithmetic arguments happens in a throwaway process, and so does its check of a conversation, where that executes
anything but plain calls; what it cannot even judge is wrong.
"""

import ast
import json
import secrets
from contextlib import suppress

import bfcl_release  # must come before bfcl_eval
import bfcl_stub
import plain
from bfcl_eval import utils
from bfcl_eval.eval_checker import eval_runner
from bfcl_eval.model_handler import utils as decoding
from channel import open_channel
from throwaway import Ended, Raised, thrown_away

EVAL_SECONDS = 2
EVAL_BUDGET = 20  # texts that may end their process before all others are refused unseen
EVAL_CHARS = 1 << 16  # of a value; more is not read, and so no literal
CHECK_SECONDS = 10  # for all turns of one conversation, which take milliseconds
DATA = ("prompt", "possible_answer")  # what a verdict quotes of BFCL's own files
NOT_PLAIN = "not plain"  # the type of a failure that is none: to be judged in a process of its own
UNRESOLVED = "<not evaluated>"  # no possible answer, yet part of a call: wrong everywhere, also on irrelevance
MAX_CHARS = 1000  # of an error: it may quote the whole state of an API
OFFICIAL_CHECKER = eval_runner.multi_turn_checker

_ended = 0


def isolated_eval(source: str):
    """`eval(source)` in a throwaway process, its value if a literal. Raises ValueError where eval raises."""
    global _ended
    if _ended >= EVAL_BUDGET:
        return UNRESOLVED
    try:
        said = thrown_away(lambda: repr(eval(source, dict(vars(decoding))))[:EVAL_CHARS], EVAL_SECONDS)
        return ast.literal_eval(said)
    except Raised:
        raise ValueError(f"cannot evaluate {source[:80]!r}") from None
    except Ended:
        _ended += 1
        return UNRESOLVED
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNRESOLVED


def turns_checker(official):
    """BFCL's checker of conversations, for one of them in a throwaway process: it runs the model's calls beside the
    true ones, where a call can turn the checker itself. What is valid has to fail against truth that nobody can know.
    """

    def checked(decoded, truth, entry, *others) -> dict:
        def verdict(truth) -> dict:
            return utils.make_json_serializable(official(decoded, truth, entry, *others))

        try:
            found = thrown_away(lambda: verdict(truth), CHECK_SECONDS)
            if found["valid"] and thrown_away(lambda: verdict(impossible(truth)), CHECK_SECONDS)["valid"]:
                return _refused("forged", "passes a check that nothing passes")
            return found
        except (Ended, Raised) as error:
            return _refused("scorer_failed", f"the official checker failed: {error}")

    return checked


def plain_checker(official):
    """BFCL's checker of conversations, in this process; NOT_PLAIN where it would execute anything but plain calls."""

    def checked(*arguments) -> dict:
        try:
            with plain.only_plain():
                return utils.make_json_serializable(official(*arguments))
        except plain.NotPlain:
            return _refused(NOT_PLAIN, "")
        except Exception as error:
            return _refused("scorer_failed", f"the official checker failed: {type(error).__name__}: {error}"[:300])

    return checked


def plain_decoder(official):
    """Decodes what it would have to compute as a call that is not plain: the runner would take an error for talk."""

    def decode(*arguments, **named):
        try:
            return official(*arguments, **named)
        except plain.NotPlain:
            return [NOT_PLAIN]

    return decode


def _refused(kind: str, why: str) -> dict:
    return {"valid": False, "error_type": kind, "error_message": why}


def impossible(truth: list[list[str]]) -> list[list[str]]:
    """The true calls of each turn and, where there are any, one that fails with an error no conversation has seen."""
    never = f"never_{secrets.token_hex(8)}()"
    return [[*calls, never] if calls else [] for calls in truth]


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


def failed(category: str, answers: list[dict], data: dict[str, str] | None) -> list[dict]:
    """[{"id", "type", "error"}] of the answers that the official runner refuses."""
    _, *failures = bfcl_release.evaluated(category, answers, data)
    return [{"id": row["id"]} | told(row) for row in failures]


def failed_turns(category: str, answers: list[dict]) -> list[dict]:
    """`failed`: conversations of plain calls share a process, the others have their own.

    So have all of them where one ended the shared process: it took too much time or memory.
    """
    found, left = [], answers
    bfcl_release.load_apis()
    with suppress(Ended, Raised):
        found = thrown_away(lambda: failed_plainly(category, answers), None)
        not_plain = {row["id"] for row in found if row["type"] == NOT_PLAIN}
        left = [row for row in answers if row["id"] in not_plain]
    return [row for row in found if row["type"] != NOT_PLAIN] + (failed(category, left, None) if left else [])


def failed_plainly(category: str, answers: list[dict]) -> list[dict]:
    """For a process of its own: it forks nothing, and evaluates no text of a model but plain calls."""
    decoding.eval = plain.refuse
    bfcl_stub.Handler.decode_execute = plain_decoder(bfcl_stub.Handler.decode_execute)
    eval_runner.multi_turn_checker = plain_checker(OFFICIAL_CHECKER)
    return failed(category, answers, None)


def told(row: dict) -> dict:
    """{"type", "error"} of a failure; of the checker's account of a conversation, what differs and what is missing."""
    error = row["error"]
    if not isinstance(error, dict):
        return {"type": row["error_type"], "error": str(error)[:300]}
    said, details = error["error_message"], error.get("details", {})
    parts = [" ".join(said) if isinstance(said, list) else said]
    parts += [f"{name}: {details[name]}" for name in ("differences", "missing_items") if details.get(name)]
    return {"type": error["error_type"], "error": " ".join(parts)[:MAX_CHARS]}


def score_suite(data: dict[str, str] | None, answers: dict[str, list[dict]]) -> dict:
    """{category: failures} of one suite; `data` takes the place of BFCL's own data folder."""
    return {
        name: failed_turns(name, rows) if name.startswith("multi_turn") else failed(name, rows, data)
        for name, rows in answers.items() if rows
    }  # fmt: skip


def guard() -> None:
    """Put the guards around the official code."""
    decoding.eval = isolated_eval
    eval_runner.multi_turn_checker = turns_checker(OFFICIAL_CHECKER)
    if bfcl_release.V3:
        eval_runner.ast_checker = guarded(eval_runner.ast_checker)
        bfcl_stub.Handler.decode_ast = guarded_decoder(bfcl_stub.Handler.decode_ast)
    else:
        for kind in ("ast", "relevance", "multi_turn"):
            name = f"_evaluate_single_{kind}_entry"
            setattr(eval_runner, name, guarded(getattr(eval_runner, name)))


if __name__ == "__main__":
    request, reply = open_channel()
    guard()
    reply({name: score_suite(**suite) for name, suite in request["suites"].items()})
