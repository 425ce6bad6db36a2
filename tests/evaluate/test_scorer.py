"""Scorer processes that die: the item that kills one is given up, and all others are scored."""

import sys

import pytest

from funreason.evaluate import DRIVERS
from funreason.sandbox.scorer import ScorerDied, bisect, run_each, run_scorer, run_scorer_lines


def dying_at(*culprits):
    """A scorer that doubles its items and dies of culprits; the sizes it was asked for are on `.asked`."""

    def call(items):
        call.asked.append(len(items))
        if set(items) & set(culprits):
            raise ScorerDied("dead")
        return [2 * item for item in items]

    call.asked = []
    return call


def test_without_a_death_there_is_one_call():
    call = dying_at()
    assert bisect(call, [1, 2, 3], lambda item: None) == [[2, 4, 6]] and call.asked == [3]


@pytest.mark.parametrize("culprits", [(3,), (1, 8), (4, 5, 6)])
def test_only_culprits_are_given_up(culprits):
    replies = bisect(dying_at(*culprits), range(1, 9), lambda item: [f"gave up {item}"])
    flat = [part for reply in replies for part in reply]
    assert flat == [f"gave up {item}" if item in culprits else 2 * item for item in range(1, 9)]


def test_a_single_item_is_to_blame_if_the_scorer_lives_without_it():
    assert bisect(dying_at(1), [1], lambda item: "gave up") == ["gave up"]


def test_a_scorer_that_dies_of_everything_is_broken():
    with pytest.raises(ScorerDied):
        bisect(dying_at(1, 2), [1, 2], lambda item: "gave up")


def test_a_scorer_that_dies_of_nothing_is_broken():
    def call(items):
        raise ScorerDied("no such module")

    with pytest.raises(ScorerDied, match="no such module"):
        bisect(call, [1], lambda item: "gave up")


def test_the_error_has_the_last_line_of_stderr(mode):
    with pytest.raises(
        ScorerDied, match=r"bfcl_score.py gave no result \(exit status 1\): ModuleNotFoundError: .*bfcl"
    ):
        run_scorer(DRIVERS / "bfcl_score.py", sys.executable, {}, timeout_s=20, mode=mode)


def answering(*culprits, later=()):
    """A scorer that answers items one by one and dies at culprits, and at `later` where another came before."""

    def call(items):
        for number, item in enumerate(items):
            if item in culprits or (item in later and number):
                return [2 * it for it in items[:number]], ScorerDied("dead")
        return [2 * it for it in items], None

    return call


@pytest.mark.parametrize("culprits", [(), (3,), (1, 8), (4, 5, 6)])
def test_run_each_only_culprits_are_given_up(culprits):
    replies = run_each(answering(*culprits), range(1, 9), lambda item: "gave up")
    assert replies == ["gave up" if item in culprits else 2 * item for item in range(1, 9)]


def test_run_each_an_item_killed_by_another_is_tried_again():
    assert run_each(answering(later=(5,)), range(1, 9), lambda item: "gave up") == [2 * item for item in range(1, 9)]


def test_run_each_a_scorer_that_dies_of_everything_or_nothing_is_broken():
    with pytest.raises(ScorerDied):
        run_each(answering(1, 2), [1, 2], lambda item: "gave up")
    with pytest.raises(ScorerDied):
        run_each(lambda items: ([], ScorerDied("no such module")), [1], lambda item: "gave up")
    assert run_each(answering(1), [1], lambda item: "gave up") == ["gave up"]


def test_run_each_a_death_after_the_last_answer_costs_nothing():
    """What a program leaves behind may kill the scorer after its last reply."""

    def call(items):
        return [2 * it for it in items], ScorerDied("memory") if items else None

    assert run_each(call, [1, 2, 3], lambda item: "gave up") == [2, 4, 6]


def test_run_each_a_scorer_that_ends_early_without_a_fault_costs_one_item():
    def call(items):
        return [2 * it for it in items if it < 3][: items.index(3) if 3 in items else None], None

    assert run_each(call, [1, 2, 3, 1], lambda item: "gave up") == [2, 4, "gave up", 2]


def test_replies_from_before_the_end_are_kept(mode):
    request = {"problems": [], "completions": [{"task_id": "?", "completion": ""}], "timeout_s": 1}
    rows, death = run_scorer_lines(DRIVERS / "code_score.py", sys.executable, request, timeout_s=30, mode=mode)
    assert rows == [] and "KeyError" in str(death)
