"""`llm.dtype: auto`: what it means on a machine, and that answers in one dtype are not taken for those in another."""

import pytest
import torch
from vllm.config import model as vllm_model

from funreason.core.errors import ModelError
from funreason.llm import Client, ModelRef, counting
from funreason.llm import dtype as dtypes
from funreason.llm.client import make_engine
from funreason.llm.engines.shared import SharedEngine
from funreason.llm.hardware import Gpu, cpu_computes_bf16

from .conftest import SAMPLING, chats, llm_params

AUTO = llm_params(dtype="auto")
OLD, NEW = Gpu("an old card", 16 * 10**9, (7, 0)), Gpu("a new card", 80 * 10**9, (9, 0))


@pytest.fixture(autouse=True)
def forget():
    dtypes._auto.cache_clear()


def test_auto_is_what_the_cpu_computes_fast_and_the_engine_runs_in_it(ref, cache, capsys):
    with counting(AUTO) as usage, Client(ref, AUTO, SAMPLING, cache=cache) as client:
        client.run(chats(2))
        chosen = "bfloat16" if cpu_computes_bf16() else "float32"
        config = client.engine._engine.vllm_config.model_config
        assert str(config.dtype) == f"torch.{chosen}" == f"torch.{usage.metrics()['dtype']}"
    assert f"`llm.dtype` auto is {chosen} for {ref.name_or_path} (this CPU has " in capsys.readouterr().err


def test_machines_with_other_cpus_do_not_take_each_others_answers(ref, cache, monkeypatch, engine):
    """The same params.yaml and one cache: the second machine asks anew, in its dtype."""
    stats = []
    for fast in (False, True, False):
        dtypes._auto.cache_clear()
        monkeypatch.setattr(dtypes, "cpu_computes_bf16", lambda fast=fast: fast)
        with Client(ref, AUTO, SAMPLING, cache=cache) as client:
            client.run(chats(2))
            stats.append((client.engine.dtype, client.stats["cache_hits"]))
    assert stats == [("float32", 0), ("bfloat16", 0), ("float32", 2)]
    # `auto` and the written dtype are the same model, whatever the engine.
    for params in (llm_params(dtype="bfloat16"), llm_params(dtype="bfloat16", keep_alive_s=9)):
        with Client(ref, params, SAMPLING, cache=cache) as client:
            client.run(chats(2))
            assert client.stats["cache_hits"] == 2 and not client.engine.started


def test_answers_in_float32_keep_their_keys(ref, engine):
    """They were stored under the model's plain identity before dtypes counted."""
    assert engine.identity == ref.identity
    assert make_engine(ref, llm_params(dtype="float16")).identity == f"{ref.identity} in float16"


def test_a_shared_engine_is_started_with_the_dtype_itself(ref, monkeypatch):
    sockets = []
    for fast in (False, True):
        dtypes._auto.cache_clear()
        monkeypatch.setattr(dtypes, "cpu_computes_bf16", lambda fast=fast: fast)
        engine = SharedEngine(ref, llm_params(dtype="auto", keep_alive_s=9))
        assert engine.params.model_dump()["dtype"] == ("bfloat16" if fast else "float32")
        sockets.append(engine._spec())
    assert sockets[0] != sockets[1]


@pytest.mark.parametrize("card", [OLD, NEW])
@pytest.mark.parametrize("stored", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("family", ["qwen2", "gemma2"])
def test_on_gpus_auto_is_vllms_own(monkeypatch, card, stored, family):
    halves = [torch.bfloat16] * card.bf16 + [torch.float16, torch.float32]  # vllm/platforms/cuda.py
    monkeypatch.setattr(type(vllm_model.current_platform), "supported_dtypes", halves)
    expected = vllm_model._resolve_auto_dtype(family, getattr(torch, stored), is_pooling_model=False)
    for config in ({"dtype": stored}, {"torch_dtype": stored}, {"text_config": {"dtype": stored}}):
        assert f"torch.{dtypes.gpu_dtype({'model_type': family} | config, card.bf16)}" == str(expected)


def test_on_gpus_the_choice_names_the_card_and_an_unreadable_config_stops(ref, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(dtypes, "vllm_for_cpu", lambda: False)
    monkeypatch.setattr(dtypes, "gpus", lambda: [OLD])
    assert dtypes.answering_dtype(ref, AUTO) == "float16"
    assert "auto is float16" in (printed := capsys.readouterr().err) and "(an old card)" in printed
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config.json of model .* cannot be read: .*; correct models\.\*"):
        dtypes.answering_dtype(ModelRef(str(tmp_path), None, "x"), AUTO)
