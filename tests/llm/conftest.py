"""One vLLM engine for all tests of this folder; every test has a cache of its own."""

import pytest

from funreason.config import LlmParams, PricesParams, RayParams, ServerParams
from funreason.llm import Cache, Request, load_ref
from funreason.llm.engines.vllm import VllmEngine

SAMPLING = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 24, "seed": 7}


def chats(count: int) -> list[Request]:
    return [Request([{"role": "user", "content": f"What is {number} and {number}?"}]) for number in range(count)]


def llm_params(**changes) -> LlmParams:
    server = ServerParams(
        base_url="http://127.0.0.1:9/v1",
        model=None,
        api_key_env=None,
        concurrency=2,
        timeout_s=20,
        max_retries=3,
        max_requests=None,
        max_tokens=None,
        max_refused_fraction=0.1,
        rename_fields={},
        omit_fields=[],
        extra_body={},
    )
    values = dict(
        engine="vllm", dtype="float32", max_model_len=512, kv_cache_gb=0.25, gpu_memory_utilization=0.5,
        tensor_parallel_size=1, data_parallel_size=1, quantization={}, enable_prefix_caching=None, max_num_seqs=4,
        max_num_batched_tokens=None, keep_alive_s=0, server=server,
        prices=PricesParams(prompt=0, completion=0, models={}),
        ray=RayParams(address=None, replicas=1, pipeline_parallel_size=1, cpus=1, gpus=0, start_s=3600),
    )  # fmt: skip
    return LlmParams(**values | changes)


def server_params(base_url: str, **changes) -> LlmParams:
    plain = llm_params(engine="server")
    return plain.model_copy(update={"server": plain.server.model_copy(update={"base_url": base_url, **changes})})


@pytest.fixture(scope="session")
def ref(tiny_model):
    return load_ref(tiny_model)


@pytest.fixture(scope="session")
def lasting_engine(ref):
    engine = VllmEngine(ref, llm_params())
    yield engine
    engine.close()


@pytest.fixture
def engine(lasting_engine):
    """Loaded anew where another engine of this process, which has ended, took vLLM's groups with it."""
    from vllm.distributed.parallel_state import model_parallel_is_initialized

    if lasting_engine.started and not model_parallel_is_initialized():
        lasting_engine.close()
    return lasting_engine


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache
