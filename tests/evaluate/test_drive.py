"""A driver that dies is asked again in halves, and blamed itself if that does not help."""

import pytest

from funreason.sandbox.scorer import DriverDied, drive, drive_rows, in_halves, in_turn


def dying_at(*culprits):
    """A driver that doubles its items and dies of culprits; the sizes it was asked for are on `.asked`."""

    def call(items):
        call.asked.append(len(items))
        if set(items) & set(culprits):
            raise DriverDied("dead")
        return [2 * item for item in items]

    call.asked = []
    return call


def test_no_death_is_one_call():
    call = dying_at()
    assert in_halves(call, [1, 2, 3], lambda item: None) == [[2, 4, 6]] and call.asked == [3]


@pytest.mark.parametrize("culprits", [(3,), (1, 8), (4, 5, 6)])
def test_only_culprits_are_given_up(culprits):
    replies = in_halves(dying_at(*culprits), range(1, 9), lambda item: [f"gave up {item}"])
    flat = [part for reply in replies for part in reply]
    assert flat == [f"gave up {item}" if item in culprits else 2 * item for item in range(1, 9)]


def test_a_single_item_is_to_blame_if_the_driver_lives_without_it():
    assert in_halves(dying_at(1), [1], lambda item: "gave up") == ["gave up"]


def test_a_driver_that_dies_of_everything_is_broken():
    with pytest.raises(DriverDied):
        in_halves(dying_at(1, 2), [1, 2], lambda item: "gave up")


def test_a_driver_that_dies_of_nothing_is_broken():
    def call(items):
        raise DriverDied("no such module")

    with pytest.raises(DriverDied, match="no such module"):
        in_halves(call, [1], lambda item: "gave up")


def test_death_is_told_with_the_last_line_of_stderr(mode):
    import sys

    with pytest.raises(
        DriverDied, match=r"bfcl_score.py gave no result \(exit status 1\): ModuleNotFoundError: .*bfcl"
    ):
        drive("bfcl_score.py", sys.executable, {}, timeout_s=20, mode=mode)


def answering(*culprits, later=()):
    """A driver that answers items one by one and dies at culprits, and at `later` where another came before."""

    def call(items):
        for number, item in enumerate(items):
            if item in culprits or (item in later and number):
                return [2 * it for it in items[:number]], DriverDied("dead")
        return [2 * it for it in items], None

    return call


@pytest.mark.parametrize("culprits", [(), (3,), (1, 8), (4, 5, 6)])
def test_in_turn_only_culprits_are_given_up(culprits):
    replies = in_turn(answering(*culprits), range(1, 9), lambda item: "gave up")
    assert replies == ["gave up" if item in culprits else 2 * item for item in range(1, 9)]


def test_in_turn_who_is_killed_by_another_has_a_second_try():
    assert in_turn(answering(later=(5,)), range(1, 9), lambda item: "gave up") == [2 * item for item in range(1, 9)]


def test_in_turn_a_driver_that_dies_of_everything_or_nothing_is_broken():
    with pytest.raises(DriverDied):
        in_turn(answering(1, 2), [1, 2], lambda item: "gave up")
    with pytest.raises(DriverDied):
        in_turn(lambda items: ([], DriverDied("no such module")), [1], lambda item: "gave up")
    assert in_turn(answering(1), [1], lambda item: "gave up") == ["gave up"]


def test_in_turn_a_death_after_the_last_answer_costs_nothing():
    """What a program leaves behind may end the driver when all is said."""

    def call(items):
        return [2 * it for it in items], DriverDied("memory") if items else None

    assert in_turn(call, [1, 2, 3], lambda item: "gave up") == [2, 4, 6]


def test_in_turn_a_driver_that_ends_early_without_a_fault_costs_one_item():
    def call(items):
        return [2 * it for it in items if it < 3][: items.index(3) if 3 in items else None], None

    assert in_turn(call, [1, 2, 3, 1], lambda item: "gave up") == [2, 4, "gave up", 2]


def test_rows_said_before_the_end_are_kept(mode):
    import sys

    request = {"problems": [], "completions": [{"task_id": "?", "completion": ""}], "timeout_s": 1}
    rows, death = drive_rows("code_score.py", sys.executable, request, timeout_s=30, mode=mode)
    assert rows == [] and "KeyError" in str(death)
