"""The Ray engine on a real cluster of two nodes on this machine, with the toy model: losses, kills, wrong settings."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from funreason.core.errors import EngineError
from funreason.llm import Cache, Client, load_ref
from funreason.llm.engines.ray import JobQueue
from funreason.llm.engines.ray_cluster import ReplicaActor
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.request import Job

from .conftest import SAMPLING, chats, llm_params

ray = pytest.importorskip("ray", reason="Ray is not installed: run `make ray`")
cluster_utils = pytest.importorskip("ray.cluster_utils")

pytestmark = pytest.mark.model
GREEDY = SAMPLING | {"temperature": 0.0}
TOY = Path(__file__).parents[2] / "toy/models/toy-base"
COUNT = 60


def params(address: str | None, **changes):
    plain = llm_params(engine="ray", max_model_len=1024)
    return plain.model_copy(update={"ray": plain.ray.model_copy(update={"address": address, "replicas": 2} | changes)})


@pytest.fixture(scope="module")
def ref():
    return load_ref(TOY)


@pytest.fixture(scope="module")
def expected(ref, tmp_path_factory):
    """The responses of vLLM in process, and its cache."""
    with (
        Cache(tmp_path_factory.mktemp("here")) as cache,
        Client(ref, llm_params(max_model_len=1024), GREEDY, cache=cache) as client,
    ):
        yield client.run(chats(COUNT)), cache


@pytest.fixture(scope="module")
def head():
    """The head of a cluster; it has no cores for replicas."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = cluster_utils.Cluster()
        start(cluster, num_cpus=0)
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def cluster(head):
    """Two nodes of one core each, beside the head."""
    while len(head.worker_nodes) < 2:
        start(head, num_cpus=1)
    return head


def start(cluster, **resources) -> None:
    """Add a node. Ray gives it 30 s to come up, which a machine with other work may not."""
    for last in (False, False, True):
        try:
            cluster.add_node(object_store_memory=100 * 2**20, **resources)
            return
        except Exception:
            if last:
                raise


def actors() -> list[psutil.Process]:
    """The processes of the replicas: Ray names an actor's process after its class."""
    return [process for process in psutil.process_iter() if _line(process).startswith("ray::ReplicaActor")]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()).strip() if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.Error:
        return ""


def watched(client: Client, after: int = 0, act=lambda: None) -> Counter:
    """How often each key is answered; `act` is done once, after so many answers."""
    answered, stream = Counter(), client.engine.stream

    def counted(*arguments):
        for job, response in stream(*arguments):
            yield job, response
            answered[job.key] += 1
            if answered.total() == after:
                act()

    client.engine.stream = counted
    return answered


def test_two_replicas_answer_as_vllm_in_process_and_share_its_cache(ref, expected, cluster, cache):
    answers, here = expected
    ray_params = params(cluster.address)
    with Client(ref, ray_params, GREEDY, cache=cache) as client:
        client.engine._start()  # both are loaded before the first request, however slow the machine is
        ray.wait([replica.calls[0] for replica in client.engine._replicas], num_returns=2)
        pending = []
        answered = watched(
            client, COUNT // 2, lambda: pending.extend(len(replica.pending) for replica in client.engine._replicas)
        )
        assert client.run(chats(COUNT)) == answers
        assert client.stats["cache_hits"] == 0
    assert answered.total() == len(answered) == COUNT
    assert len(pending) == 2 and all(pending)  # both had some in the middle
    assert not actors_after(20)
    with Client(ref, ray_params, GREEDY, cache=cache) as client:  # a second run asks nothing
        assert client.run(chats(COUNT)) == answers
        assert not client.engine.started
    for stored, engine_params in ((cache, llm_params(max_model_len=1024)), (here, ray_params)):
        with Client(ref, engine_params, GREEDY, cache=stored) as client:
            assert client.run(chats(COUNT)) == answers
            assert client.stats["cache_hits"] == COUNT and not client.engine.started


def actors_after(seconds: float) -> list[psutil.Process]:
    """Those that are there still, after so long at most."""
    deadline = time.monotonic() + seconds
    while actors() and time.monotonic() < deadline:
        time.sleep(0.1)
    return actors()


def kill_one(cluster) -> None:
    os.kill(actors()[0].pid, signal.SIGKILL)


def remove_one(cluster) -> None:
    """One whose replica has its model: a node lost before that is no loss, Ray starts the replica elsewhere."""
    ready = {process.ppid() for process in actors() if _line(process) in ("ray::ReplicaActor", "ray::ReplicaActor.ask")}
    node = next(node for node in cluster.worker_nodes if node.all_processes["raylet"][0].process.pid in ready)
    cluster.remove_node(node, allow_graceful=False)


@pytest.mark.parametrize("lose", [kill_one, remove_one])
def test_requests_of_a_lost_replica_are_asked_again_and_none_twice(ref, expected, cluster, cache, caplog, lose):
    with Client(ref, params(cluster.address), GREEDY, cache=cache) as client:
        answered = watched(client, COUNT // 2, lambda: lose(cluster))
        assert client.run(chats(COUNT)) == expected[0]
    assert answered.total() == len(answered) == COUNT
    assert cache.do(lambda database: database.execute("SELECT count(*) FROM responses").fetchone()) == (COUNT,)
    assert "a replica was lost" in caplog.text


def test_an_interrupted_stream_leaves_nothing_to_the_next(ref, expected, cluster, cache):
    with Client(ref, params(cluster.address), GREEDY, cache=cache) as client:
        stream = client.engine.stream([client._job(request) for request in chats(COUNT)], client.sampling)
        next(stream)
        stream.close()
        answered = watched(client)
        assert client.run(chats(12)) == expected[0][:12]
    assert answered.total() == 12


def test_replicas_that_always_die_end_in_one_line(ref, cluster, cache):
    done = threading.Event()

    def kill_all() -> None:
        while not done.wait(0.05):
            for process in actors():
                process.kill()

    killer = threading.Thread(target=kill_all)
    killer.start()
    try:
        message = refused(ref, params(cluster.address, replicas=1), cache)
    finally:
        done.set()
        killer.join()
    assert re.search("3 replicas were lost, one after the other.*run again", message)


def refused(ref, ray_params, cache) -> str:
    with Client(ref, ray_params, GREEDY, cache=cache) as client, pytest.raises(EngineError) as caught:
        client.run(chats(2))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_impossible_settings_are_one_line_with_a_remedy(ref, cluster, cache):
    message = refused(ref, params(cluster.address, cpus=64, start_s=3), cache)
    assert re.search(r"asks for 1 x \{'CPU': 64\}, .*'CPU': 2.0.*llm.ray.cpus", message)
    large = params(cluster.address).model_copy(update={"max_model_len": 100_000})
    assert re.search("vLLM cannot start .*max_model_len .*check models", refused(ref, large, cache))


def test_a_cluster_that_is_not_there(ref, cache):
    ray.shutdown()  # what other tests have joined
    assert re.search("llm.ray.address '127.0.0.1:9': .*ray start --head", refused(ref, params("127.0.0.1:9"), cache))


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from llm.test_ray_engine import COUNT, GREEDY, chats, params
from funreason.llm import Cache, Client, load_ref
client = Client(load_ref(sys.argv[2]), params(None), GREEDY, cache=Cache(sys.argv[3]))
stream = client.engine.stream
def counted(*arguments):
    for item in stream(*arguments):
        yield item
        print("stored", flush=True)
client.engine.stream = counted
client.run(chats(COUNT))
"""


def test_a_killed_stage_keeps_its_responses_and_ends_its_own_ray(ref, expected, tmp_path):
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, tests, ref.name_or_path, str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with child:
        assert [next(child.stdout) for _ in range(COUNT // 2)] == ["stored\n"] * (COUNT // 2)
        child.kill()
    assert not actors_after(60)
    with Cache(tmp_path) as cache, Client(ref, llm_params(max_model_len=1024), GREEDY, cache=cache) as client:
        assert client.run(chats(COUNT)) == expected[0]
        assert COUNT // 2 <= client.stats["cache_hits"] < COUNT


def jobs(count: int) -> list[Job]:
    return [Job(bytes([number]), None, f"{number}", 0) for number in range(count)]


def test_jobs_that_come_back_are_next_and_counted():
    work, all_jobs = JobQueue(jobs(6)), jobs(6)
    assert work and work.take(2) == all_jobs[:2] and work.take(3) == all_jobs[2:5]
    assert work.give_back({job.key: job for job in all_jobs[2:4]}) == 1
    assert work.take(2) == all_jobs[2:4]
    assert work.give_back({job.key: job for job in all_jobs[3:5]}) == 2
    assert work.give_back({}) == 0
    assert work.take(9) == all_jobs[3:6]
    assert not work and work.take(1) == []


def test_on_a_gpu_a_spread_model_is_led_by_rays_executor(ref, monkeypatch):
    from vllm.platforms import current_platform

    from funreason.llm.engines.vllm import engine_arguments

    monkeypatch.setattr(current_platform, "is_cpu", lambda: False)
    spread = params(None, gpus=1, pipeline_parallel_size=2).model_copy(update={"tensor_parallel_size": 4})
    arguments = engine_arguments(ref, spread)
    assert (arguments["tensor_parallel_size"], arguments["pipeline_parallel_size"]) == (4, 2)
    assert arguments["distributed_executor_backend"] == "ray"
    assert engine_arguments(ref, params(None, gpus=1))["distributed_executor_backend"] == "uni"
    assert "distributed_executor_backend" not in engine_arguments(ref, llm_params())


def test_the_processes_of_a_spread_model_are_one_group_with_a_gpu_each(cluster):
    """Ray's own word for it, on nodes that only say they have GPUs."""
    from funreason.llm.engines import ray_cluster

    start(cluster, num_cpus=4, num_gpus=4)
    spread = params(cluster.address, gpus=1, pipeline_parallel_size=2).model_copy(update={"tensor_parallel_size": 2})
    ray_cluster.connect(spread)
    group, options = ray_cluster._place(spread)
    assert group.wait(30) and group.bundle_specs == [{"CPU": 1.0, "GPU": 1.0}] * 4
    assert (options["num_cpus"], options["num_gpus"]) == (0, 0)
    assert options["scheduling_strategy"].placement_group_capture_child_tasks
    ray.util.remove_placement_group(group)


def test_the_actor_answers_while_it_is_asked(ref, expected):
    """Its class, in this process."""
    served = ReplicaActor(ref, params(None))
    served.start()
    try:
        jobs = [Job(bytes([number]), None, VllmEngine(ref, llm_params()).prompt(request), 1)
                for number, request in enumerate(chats(4))]  # fmt: skip
        sampling = Client(ref, llm_params(), GREEDY).sampling
        responses = dict(served.ask(1, jobs, sampling))
        while more := served.ask(1, [], sampling):
            responses |= dict(more)
        assert [responses[bytes([number])] for number in range(4)] == expected[0][:4]
        assert served.ask(1, jobs[:1], sampling) and served.ask(2, [], sampling) == []
    finally:
        served._engine.close()
