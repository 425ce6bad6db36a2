"""The settings of vLLM in process: its own defaults on a GPU, ours on a CPU, and what an answer's identity holds."""

import os
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import get_args

import psutil
import pytest
from pydantic import ValidationError

from funreason.config.blocks import Quantization
from funreason.core.errors import EngineError
from funreason.llm import Cache, Client
from funreason.llm.client import make_engine
from funreason.llm.engines.vllm import VllmEngine, engine_arguments

from .conftest import SAMPLING, chats, llm_params

METHOD = "int8_per_channel_weight_only"  # the one that vLLM has for CPUs
CORE = "VLLM::EngineCore"  # vLLM's name of the process that decodes


@pytest.fixture
def cuda(monkeypatch):
    """vLLM says that it is on a GPU."""
    from vllm.platforms import current_platform

    monkeypatch.setattr(type(current_platform), "is_cpu", lambda self: False)


def test_on_a_gpu_vllm_has_its_own_defaults(ref, cuda):
    """Those of its class LLM; LLMEngine alone would take batches of 2,048 tokens."""
    from vllm import EngineArgs
    from vllm.usage.usage_lib import UsageContext

    arguments = engine_arguments(ref, llm_params())
    assert {arguments[name] for name in ("max_num_batched_tokens", "quantization", "enable_prefix_caching")} == {None}
    assert not {"enforce_eager", "enable_chunked_prefill", "kv_cache_memory_bytes"} & arguments.keys()
    defaults, _ = EngineArgs.get_batch_defaults(1)
    assert defaults[UsageContext.LLM_CLASS] >= 8192 and UsageContext.ENGINE_CONTEXT not in defaults


def test_parameters_replace_the_defaults(ref, cuda):
    given = {"max_num_batched_tokens": 4096, "enable_prefix_caching": False, "gpu_memory_utilization": 0.7}
    arguments = engine_arguments(ref, llm_params(**given, quantization={ref.name_or_path: "fp8"}))
    assert given.items() <= arguments.items() and arguments["quantization"] == "fp8"


def test_the_engine_starts_as_vllms_own_class_does(ref, monkeypatch):
    from vllm import LLMEngine
    from vllm.usage.usage_lib import UsageContext

    contexts = []
    monkeypatch.setattr(LLMEngine, "from_engine_args", lambda arguments, usage_context: contexts.append(usage_context))
    VllmEngine(ref, llm_params()).load()
    assert contexts == [UsageContext.LLM_CLASS]


def test_on_a_cpu_a_step_holds_a_whole_prompt(ref):
    assert engine_arguments(ref, llm_params())["max_num_batched_tokens"] == 4096
    assert engine_arguments(ref, llm_params(max_num_batched_tokens=600))["max_num_batched_tokens"] == 600
    with pytest.raises(EngineError, match="is 100, llm.max_model_len 512; on a CPU .*: give null, or"):
        engine_arguments(ref, llm_params(max_num_batched_tokens=100))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_num_batched_tokens": 3}, "max_num_batched_tokens is 3; .*max_num_seqs 4; raise it, or give null"),
        ({"max_num_batched_tokens": 0}, "greater than or equal to 1"),
        ({"data_parallel_size": 0}, "greater than or equal to 1"),
        ({"data_parallel_size": 2, "engine": "ray"}, "data_parallel_size is 2, engine ray; 1 here: set ray.replicas"),
        ({"data_parallel_size": 2, "engine": "server"}, "1 here: the server has replicas of its own"),
        ({"quantization": {"m": "int3"}}, "Input should be 'fp8'"),
        ({"quantization": {"m": "fp8"}, "engine": "server"}, "quantization cannot be set for a server"),
        ({"gpu_memory_utilization": 1.5}, "less than or equal to 1"),
        ({"enable_prefix_caching": "yes"}, "valid boolean"),
    ],
)
def test_impossible_values_are_refused_before_an_engine_starts(changes, message):
    with pytest.raises(ValidationError, match=message):
        llm_params(**changes)


@pytest.mark.model
def test_vllm_knows_the_methods():
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS

    assert set(get_args(Quantization)) <= set(QUANTIZATION_METHODS)


def test_only_the_quantization_belongs_to_the_identity(ref):
    def identity(**changes):
        return make_engine(ref, llm_params(**changes)).identity

    quantized = identity(quantization={ref.name_or_path: METHOD})
    assert quantized == f"{ref.identity} quantized by {METHOD}"
    assert identity(quantization={ref.name_or_path: METHOD}, data_parallel_size=2, keep_alive_s=9) == quantized
    assert identity(quantization={ref.name_or_path: METHOD}, keep_alive_s=9) == quantized
    others = {"max_num_batched_tokens": 5000, "data_parallel_size": 2, "enable_prefix_caching": False}
    others |= {"gpu_memory_utilization": 0.3, "quantization": {"another/model": METHOD}}
    assert {identity(**{name: value}) for name, value in others.items()} == {ref.identity}


def test_quantized_weights_answer_by_themselves(ref, engine, tmp_path):
    """The real thing on a CPU: other logits, hence other answers, which the cache keeps apart."""
    engine.close()  # the groups of two models in one process end with the first; the next job loads it again
    params = llm_params(quantization={ref.name_or_path: METHOD}, dtype="bfloat16")
    with Cache(tmp_path) as cache:
        with Client(ref, params, SAMPLING, cache=cache) as client:
            quantized = client.run(chats(8))
            weights = client.engine._engine.vllm_config.quant_config
        plain = Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine)
        plain.run(chats(8))
        assert plain.stats["cache_hits"] == 0
    assert weights is not None and all(response.completion_tokens for response in quantized)


BESIDE = """
import sys
sys.path.insert(0, sys.argv[1])
from llm.conftest import SAMPLING, chats, llm_params
from funreason.llm import Cache, Client, load_ref
with Cache(sys.argv[3]) as cache, Client(load_ref(sys.argv[2]), llm_params(), SAMPLING, cache=cache) as client:
    client.run(chats(2))
    print("ready", flush=True)
    sys.stdin.read(1)
    client.run(chats(9000))
"""


@pytest.fixture
def beside(ref, tmp_path):
    """A run whose engine decodes in a process beside it, as on a GPU, and that process."""
    command = [sys.executable, "-c", BESIDE, str(Path(__file__).parents[1]), ref.name_or_path, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **pipes, text=True, env=os.environ | {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"}) as run:
        try:
            shown = list(takewhile("ready\n".__ne__, iter(run.stdout.readline, "")))
            children = psutil.Process(run.pid).children(recursive=True)
            core = [child for child in children if CORE in "".join(child.cmdline())]
            assert len(core) == 1, (shown[-5:], children)
            yield run, core[0]
        finally:
            run.kill()


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_that_holds_the_gpu(beside):
    run, core = beside
    run.kill()
    gone, alive = psutil.wait_procs([core], timeout=60)
    for process in alive:
        process.kill()
    assert gone


@pytest.mark.slow
def test_an_engine_process_that_ends_is_one_clear_error(beside):
    run, core = beside
    run.stdin.write("x")
    run.stdin.flush()
    core.send_signal(signal.SIGKILL)
    last = run.stdout.read().strip().splitlines()[-1]
    assert "EngineError: vLLM's process for" in last and "has ended; its own error is above; run again" in last
