"""Execute calls in the scorer's environment: reads a list of calls, writes for each its result, null if not literal.

Run as: <scorer's python> literal_calls_probe.py <folder of the drivers> literal|official < calls.json
"""

import json
import sys
from contextlib import nullcontext
from functools import partial

sys.path.insert(0, sys.argv[1])
import bfcl_stub  # noqa: F401
import literal_calls
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from bfcl_eval.eval_checker.multi_turn_eval.func_source_code import long_context
from bfcl_eval.model_handler import utils as decoding

TRAVEL = ["TravelAPI"]
EXECUTE = partial(multi_turn_utils.execute_multi_turn_func_call, is_evaL_run=True)
CARD = next(iter(long_context.CREDIT_CARD_EXTENSION))


def results(call: str) -> list[str] | None:
    """In a conversation whose true calls have been executed, too."""
    known = set(vars(multi_turn_utils))
    try:
        with literal_calls.only_literal_calls() if sys.argv[2] == "literal" else nullcontext():
            EXECUTE(["pwd()"], {}, ["GorillaFileSystem", "MathAPI"], "funreason_ground_truth", "id_0")
            return EXECUTE([call], {}, ["GorillaFileSystem", "MathAPI"], "funreason", "id_0")[0]
    except literal_calls.NotLiteral:
        return None
    finally:
        for name in vars(multi_turn_utils).keys() - known:
            delattr(multi_turn_utils, name)


def left_behind() -> list:
    """What a conversation that spends a card of the long contexts leaves: the card, and what is new in the module."""
    known = set(vars(multi_turn_utils))
    with literal_calls.only_literal_calls():
        _, apis = EXECUTE([], {}, TRAVEL, "funreason", "id_1", long_context=True)
        apis["TravelAPI"].credit_card_list[CARD]["balance"] -= 1
    new = sorted(vars(multi_turn_utils).keys() - known)
    return [long_context.CREDIT_CARD_EXTENSION[CARD]["balance"], new, decoding.eval is eval]


if __name__ == "__main__":
    before = long_context.CREDIT_CARD_EXTENSION[CARD]["balance"]
    outcomes = [results(call) for call in json.load(sys.stdin)]
    print(json.dumps({"results": outcomes, "before": before, "after": left_behind()}))
