"""Execute the literal calls of a conversation in this process: the only risk is that they take long.

A literal call names a method of the conversation's simulated APIs, or nothing that exists, and all its arguments are
literals, so nothing runs but that method. What is checked is the text that BFCL passes to eval(), after its rewriting.
"""

import ast
import builtins
import copy
import signal
import sys
from collections import ChainMap
from collections.abc import Container, Iterator
from contextlib import contextmanager
from functools import partial

import arithmetic
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from bfcl_eval.eval_checker.multi_turn_eval.func_source_code import long_context
from bfcl_eval.model_handler import utils as decoding

SECONDS = 5  # CPU time per conversation, which normally takes milliseconds
_LENT = [value for name, value in vars(long_context).items() if name.isupper() and isinstance(value, dict)]
_PRISTINE = copy.deepcopy(_LENT)


class NotLiteral(BaseException):
    """Not an Exception, so that the official code does not take it for an error of the call."""


@contextmanager
def only_literal_calls(nested: bool = False) -> Iterator[None]:
    """Within, for one conversation: BFCL executes literal calls, and raises NotLiteral at the first other one.

    Kills the process where it takes too long. Afterwards the APIs' instances are gone, and the data that BFCL shares
    between them are as before.

    Args:
        nested: whether a literal call may be the argument of another.
    """
    known, evaluating = set(vars(multi_turn_utils)), vars(decoding).get("eval", eval)
    decoding.eval = computed
    multi_turn_utils.eval = partial(eval_literal_call, nested=nested)
    # CPU time, not the clock: a busy machine must not fail a sound call. No handler: it would wait for the call to end.
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        decoding.eval = evaluating
        for name in vars(multi_turn_utils).keys() - known:
            delattr(multi_turn_utils, name)
        _restore()


def computed(source: str) -> object:
    """In place of eval() where BFCL's decoder would evaluate `source`: arithmetic over literals. Raises NotLiteral."""
    try:
        return arithmetic.compute(source, vars(decoding))
    except arithmetic.NotArithmetic:
        raise NotLiteral from None


def eval_literal_call(source: str, nested: bool) -> object:
    """`eval(source)` as `execute_multi_turn_func_call` calls it. Raises NotLiteral."""
    caller = sys._getframe(1)
    try:
        tree = ast.parse(source.lstrip(" \t"), mode="eval")  # as eval does
    except Exception:
        raise NotLiteral from None
    known = ChainMap(caller.f_locals, caller.f_globals, vars(builtins))
    if not is_literal_call(tree.body, caller.f_locals["class_method_name_mapping"], known, nested):
        raise NotLiteral
    return eval(compile(tree, "<string>", "eval"), caller.f_globals, caller.f_locals)


def is_literal_call(call: ast.expr, instances: dict[str, str], known: Container[str], nested: bool) -> bool:
    """Whether executing a call runs nothing but a method of the simulated APIs.

    Args:
        call: the parsed call.
        instances: {method: name of the API's instance that has it}.
        known: all names that exist where it is executed.
        nested: whether an argument may be such a call.

    Returns:
        True for a method of its own instance, or for a name that does not exist, with arguments that are literals.
    """
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=instance), attr=method)):
            harmless = instances.get(method) == instance
        case ast.Call(func=ast.Name(id=name)):
            harmless = name not in known  # a NameError, whatever the arguments
        case _:
            return False
    named = all(keyword.arg for keyword in call.keywords)  # no **
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return harmless and named and all(_is_literal(node, instances, known, nested) for node in arguments)


def _is_literal(node: ast.expr | None, instances: dict[str, str], known: Container[str], nested: bool) -> bool:
    def literal(parts: list) -> bool:
        return all(_is_literal(part, instances, known, nested) for part in parts)

    match node:
        case ast.Constant():
            return True
        case ast.Call():
            return nested and is_literal_call(node, instances, known, nested)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() | complex())):
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return literal(parts)
        case ast.Dict(keys=keys, values=values):
            return literal([*keys, *values])  # of ** the key is None
    return False


def _restore() -> None:
    """The credit cards and bookings of long contexts, which BFCL gives to every instance without a copy."""
    for lent, pristine in zip(_LENT, _PRISTINE, strict=True):
        if lent != pristine:
            lent.clear()
            lent.update(copy.deepcopy(pristine))
