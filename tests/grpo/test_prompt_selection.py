"""Prompts whose groups teach are chosen; this needs no model."""

import random

import pytest

from funreason.grpo.selection import FADE, Selection


def test_a_group_is_dead_where_all_samples_earn_the_same():
    selection = Selection(3, samples=4, fraction=1.0, seed=0)
    assert selection.update([0] * 4 + [1] * 4 + [2] * 4, [1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0], 4) == 2
    assert selection.chance(2) > selection.chance(0) == selection.chance(1)
    assert selection.update([0, 0], [0.1 + 0.2, 0.3], 2) == 1  # sums of floats, not other rewards


def test_the_chance_is_exact_for_a_binary_reward():
    selection = Selection(1, samples=3, fraction=1.0, seed=0)
    selection.know(0, right=2e9, asked=3e9)
    assert selection.chance(0) == pytest.approx(1 - (2 / 3) ** 3 - (1 / 3) ** 3)


def test_an_epoch_has_the_prompts_that_teach_each_once_in_an_order_of_its_own():
    selection = Selection(100, samples=4, fraction=0.5, seed=7)
    for prompt in range(100):
        selection.know(prompt, right=prompt % 2 * 2, asked=4)  # the odd ones are right half of the time
    selection.begin(0)
    first = selection.order
    assert sorted(first) == list(range(1, 100, 2)) and first != sorted(first)
    selection.begin(0)
    assert selection.order == first and selection.counts[1] == [FADE * 2, FADE * 4]  # once per epoch
    selection.begin(1)
    assert sorted(selection.order) == sorted(first) and selection.order != first


def test_too_few_prompts_that_teach_come_again_and_others_are_tried():
    selection = Selection(100, samples=4, fraction=0.5, seed=0)
    for prompt in range(100):
        selection.know(prompt, right=2 if prompt < 20 else 4, asked=4)
    selection.begin(0)
    times = [selection.order.count(prompt) for prompt in range(100)]
    assert len(selection.order) == 50 and set(times[:20]) == {2, 3} and sum(times[20:]) == 5 and max(times[20:]) == 1


def test_the_state_of_a_checkpoint_gives_the_same_epochs(tmp_path):
    one, other = (Selection(50, samples=4, fraction=0.3, seed=1) for _ in range(2))
    one.know(3, 1, 4)
    one.begin(0)
    one.update([9] * 4, [0, 1, 1, 1], 4)
    one.save(tmp_path)
    other.load(tmp_path)
    assert other.order == one.order
    one.begin(1), other.begin(1)
    assert (other.order, other.counts) == (one.order, one.counts)


@pytest.mark.parametrize("seed", range(3))
def test_dead_groups_are_at_most_half_of_those_without_selection(seed):
    """400 prompts, most of them always right or always wrong, as the toy student's are; rates drift between epochs."""
    source = random.Random(seed)
    rates = [source.choice((0.0, 0.0, 0.02, 0.98, 1.0, 1.0, source.random(), source.random())) for _ in range(400)]

    def dead(fraction: float, first: int) -> float:
        draws, selection, groups, lost = random.Random(seed), Selection(400, 4, fraction, seed), 0, 0
        for epoch in range(-1 if first else 0, 3):
            if epoch >= 0:
                selection.begin(epoch)
            for prompt in selection.order if epoch >= 0 else range(400):
                rate = min(1.0, rates[prompt] + 0.03 * max(epoch, 0) * (0 < rates[prompt] < 1))
                died = selection.update([prompt] * 4, [draws.random() < rate for _ in range(4)], 4)
                lost, groups = (lost + died, groups + 1) if epoch >= 0 else (lost, groups)
        return lost / groups

    assert dead(0.25, 4) <= 0.5 * dead(1.0, 0)
