"""A driver that dies is asked again in halves, and blamed itself if that does not help."""

import pytest

from funreason.evaluate.drive import DriverDied, drive, in_halves


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
