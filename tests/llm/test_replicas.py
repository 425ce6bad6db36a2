"""Copies of a model side by side: real processes, the same answers, and none left behind."""

import tempfile
from pathlib import Path

import pytest

from funreason.core.errors import EngineError
from funreason.llm import Cache, Client
from funreason.llm.engines import sockets
from funreason.llm.engines.replicas import ReplicasEngine, _parts

from .conftest import SAMPLING, chats, llm_params
from .test_shared_engine import processes


@pytest.fixture(autouse=True)
def home(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="f") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)
        for process in processes(folder):
            process.kill()
            process.wait()


def test_two_copies_share_the_requests_and_answer_as_one(ref, engine, home, tmp_path):
    with Cache(tmp_path / "two") as cache:
        with Client(ref, llm_params(data_parallel_size=2), SAMPLING, cache=cache) as client:
            answers = client.run(chats(12))
            at_work = processes(home)
            assert client.run(chats(12)) == answers and client.stats["cache_hits"] == 12
        assert len(at_work) == 2
        devices = {process.environ()["CUDA_VISIBLE_DEVICES"] for process in at_work}
    assert devices == {"0", "1"}
    sockets.end_all(print)
    assert not processes(home)
    with Cache(tmp_path / "one") as cache:
        assert Client(ref, llm_params(), SAMPLING, cache=cache, engine=engine).run(chats(12)) == answers


def test_a_copy_that_fails_ends_the_stage_with_its_reason(ref, home, tmp_path):
    params = llm_params(data_parallel_size=2, max_model_len=100_000)
    with (
        Cache(tmp_path) as cache,
        Client(ref, params, SAMPLING, cache=cache) as client,
        pytest.raises(EngineError, match="vLLM cannot start .*max_model_len"),
    ):
        client.run(chats(4))


def test_each_copy_has_gpus_of_its_own(ref, monkeypatch):
    def devices(**changes):
        engine = ReplicasEngine(ref, llm_params(**changes))
        return [copy._environment["CUDA_VISIBLE_DEVICES"] for copy in engine._copies]

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices(data_parallel_size=2, tensor_parallel_size=2) == ["0,1", "2,3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,GPU-a,7,4")
    assert devices(data_parallel_size=3) == ["5", "GPU-a", "7"]
    with pytest.raises(EngineError, match="names 4 GPUs, .* 3 times tensor_parallel_size 2 needs 6; lower"):
        devices(data_parallel_size=3, tensor_parallel_size=2)


def test_the_parts_are_whole_and_alike():
    for count in (1, 2, 7, 8):
        parts = _parts(list(range(20)), count)
        assert [job for part in parts for job in part] == list(range(20))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert _parts([1], 2) == [[], [1]]
