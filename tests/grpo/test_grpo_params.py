"""Settings of GRPO that do not go together are named before anything is loaded."""

import copy
from pathlib import Path

import pytest

from funreason.config import check_params, read_yaml
from funreason.core.errors import ParamsError

VALUES = read_yaml(Path(__file__).parents[2] / "profiles/toy.yaml")


def changed(method: str, **settings) -> dict:
    values = copy.deepcopy(VALUES)
    values["recipes"]["self_refine"]["method"] = method
    for dotted, value in settings.items():
        *blocks, key = dotted.split("__")
        node = values
        for block in blocks:
            node = node[block]
        node[key] = value
    return values


def test_any_recipe_can_have_the_method():
    assert check_params(changed("grpo"), "x").recipe_of("r1").method == "grpo"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"grpo__prompts": 3, "train__micro_batch_size": 8},
            "grpo.prompts 3 times grpo.samples 4 is not a multiple",
        ),
        ({"train__packing": True}, "train.packing is true, and a recipe has method grpo"),
        ({"train__padding_free": True}, "train.padding_free is true"),
    ],
)
def test_what_does_not_go_with_a_round_of_grpo_is_named_and_goes_with_sft(settings, message):
    check_params(changed("sft", **settings), "x")
    with pytest.raises(ParamsError, match=message):
        check_params(changed("grpo", **settings), "x")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grpo__think_weight": 0.5, "grpo__loss": "grpo"}, "loss is grpo; set loss to dapo"),
        ({"grpo__rollouts": "vllm-server"}, "rollouts is vllm-server and vllm.server_url None"),
        ({"grpo__vllm__server_url": "http://x"}, "a URL is needed for vllm-server, and null for the others"),
        ({"grpo__select__first_samples": 1}, "one sample tells nothing of a group"),
        ({"grpo__samples": 1}, "grpo.samples"),
        ({"grpo__reward": "judge"}, "grpo.reward"),
    ],
)
def test_a_block_that_contradicts_itself_is_named(settings, message):
    with pytest.raises(ParamsError, match=message):
        check_params(changed("sft", **settings), "x")
