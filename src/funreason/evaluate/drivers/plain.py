"""Execute the calls of a conversation in this very process, where they are plain: of them nothing is feared but time.

A plain call names a method of the conversation's simulated APIs, or nothing at all, and all its arguments are literals.
So nothing runs but that method. What is judged is the text that BFCL hands to eval(), after all its rewriting.
"""

import ast
import builtins
import copy
import signal
import sys
from collections import ChainMap
from collections.abc import Container, Iterator
from contextlib import contextmanager

from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from bfcl_eval.eval_checker.multi_turn_eval.func_source_code import long_context
from bfcl_eval.model_handler import utils as decoding

SECONDS = 5  # of the processor, for one conversation, which takes milliseconds
_LENT = [it for name, it in vars(long_context).items() if name.isupper() and isinstance(it, dict)]
_PRISTINE = copy.deepcopy(_LENT)


class NotPlain(BaseException):
    """Not an Exception: nothing in the official code is to take it for an error of the call."""


@contextmanager
def only_plain() -> Iterator[None]:
    """Within, for one conversation: BFCL executes plain calls and raises NotPlain at the first other one.

    Ends the process where it takes too much time. The APIs' instances end with it; what they were lent is as before.
    """
    known, evaluating = set(vars(multi_turn_utils)), vars(decoding).get("eval", eval)
    decoding.eval = refuse
    multi_turn_utils.eval = eval_plain
    # The clock would end what is sound on a busy machine. Unhandled: a handler would wait for the call.
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        decoding.eval = evaluating
        for name in vars(multi_turn_utils).keys() - known:
            delattr(multi_turn_utils, name)
        _restore()


def refuse(source: str) -> None:
    """In place of eval() where BFCL's decoder computes arithmetic."""
    raise NotPlain


def eval_plain(source: str):
    """`eval(source)` as `execute_multi_turn_func_call` calls it. Raises NotPlain."""
    caller = sys._getframe(1)
    try:
        tree = ast.parse(source.lstrip(" \t"), mode="eval")  # as eval does
    except Exception:
        raise NotPlain from None
    known = ChainMap(caller.f_locals, caller.f_globals, vars(builtins))
    if not is_plain(tree.body, caller.f_locals["class_method_name_mapping"], known):
        raise NotPlain
    return eval(compile(tree, "<string>", "eval"), caller.f_globals, caller.f_locals)


def is_plain(call: ast.expr, instances: dict[str, str], known: Container[str]) -> bool:
    """Whether it calls a method of its instance ({method: instance}), or a name not in `known`, with literals only."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=instance), attr=method)):
            harmless = instances.get(method) == instance
        case ast.Call(func=ast.Name(id=name)):
            harmless = name not in known  # a NameError, whatever the arguments
        case _:
            return False
    named = all(keyword.arg for keyword in call.keywords)  # no **
    return harmless and named and all(map(_is_literal, [*call.args, *(keyword.value for keyword in call.keywords)]))


def _is_literal(node: ast.expr | None) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() | complex())):
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(map(_is_literal, parts))
        case ast.Dict(keys=keys, values=values):
            return all(map(_is_literal, [*keys, *values]))  # of ** the key is None
    return False


def _restore() -> None:
    """The credit cards and bookings of long contexts, which BFCL lends to every instance uncopied."""
    for lent, pristine in zip(_LENT, _PRISTINE, strict=True):
        if lent != pristine:
            lent.clear()
            lent.update(copy.deepcopy(pristine))
