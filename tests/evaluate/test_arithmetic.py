"""Arithmetic in arguments is computed as eval() computes it, and nothing else is."""

import sys

import pytest

from funreason.evaluate import DRIVERS

sys.path.insert(0, str(DRIVERS))
import arithmetic  # noqa: E402

SUMS = [
    "1 + 1", "2 ** 10", "-3 + 2.5", "7 // 2 - 7 % 4", "1 / 3", "'a' + 'b'", "'ab' * 3", "3 * [1, 'x']", "(1,) + (2,)",
    "1 << 4 | 3", "5 * 60 * 60", "10 ** 100", "'%s of %d' % ('x', 3)", "1e308 * 10", "{'a': 1 + 1}", "2j * 2j",
    "-2 ** 2", "~5 ^ 3", "not 1 + 1", "{1} | {2}", "True + 1", "b'a' + b'b'", " 1 + 1",
]  # fmt: skip
RAISING = [
    "1 / 0", "'a' + 1", "1 @ 2", "x + 1", "unknown * 2", "1 +", "10.0 ** 1000", "[1] - [1]", "1 << -1",
    "1 + (" * 300 + "1" + ")" * 300,
]  # fmt: skip
REFUSED = [
    "9 ** 99999999", "1 << 99999999", "'a' * 99999999", "99999999 * [0]", "10 ** 4000 * 10 ** 4000",
    "'%99999999d' % 1", "'%*d' % (99999999, 1)", "__import__('os').getpid() + 1", "(lambda: 1)() + 1", "print + 1",
    "'x'.upper() + 'y'", "[v for v in (1,)] + [2]", "f'{1}' + 'x'", "'x'[0] + 'y'", "known + 1", "(y := 1) + 1",
]  # fmt: skip


@pytest.mark.parametrize("source", SUMS)
def test_a_sum_has_the_value_of_eval(source):
    value = arithmetic.compute(source)
    assert value == eval(source.strip()) and type(value) is type(eval(source.strip()))


@pytest.mark.parametrize("source", RAISING, ids=range(len(RAISING)))
def test_what_eval_raises_at_is_an_error(source):
    with pytest.raises(ValueError, match="cannot evaluate"):
        arithmetic.compute(source)


@pytest.mark.parametrize("source", REFUSED, ids=range(len(REFUSED)))
def test_anything_else_is_not_computed(source):
    with pytest.raises(arithmetic.NotArithmetic):
        arithmetic.compute(source, {"known"})
