"""Replicas on a Ray cluster: actors that each hold a VllmEngine, and the driver's hold on them.

Ray is installed apart (`make ray`), so nothing here imports it before a replica is wanted.
"""

import logging
import math
import os
import socket
from collections import deque
from dataclasses import replace
from pathlib import Path

from funreason.core.errors import EngineError, ModelError
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Response, Sampling

_SETTINGS = ("VLLM_", "OMP_")  # of the driver's environment, what an engine on another node has to obey, too
_STORE = 128 * 2**20  # bytes of shared memory for a Ray of our own: requests and answers are small
_REACH_S = 10  # for the head of a cluster to take a connection


class Served:
    """The actor: one engine, which decodes while it is asked."""

    def __init__(self, ref: ModelRef, params):
        self._engine, self._stream = VllmEngine(ref, params), 0

    def start(self) -> None:
        """Load the model. Raises EngineError, ModelError."""
        ref = self._engine.ref
        if ref.kind == "local" and not Path(ref.name_or_path).is_dir():
            remedy = "keep models where all nodes see them under one path, or give hub ids"
            raise ModelError(f"node {os.uname().nodename} has no folder {ref.name_or_path!r}; {remedy}")
        self._engine.load()

    def ask(self, stream: int, jobs: list[Job], sampling: Sampling) -> list[tuple[bytes, Response]]:
        """Queue `jobs` and decode until something is finished: keys and responses; none where nothing runs.

        The first call of another stream drops what is left of the one before.
        """
        if stream != self._stream:
            self._engine.begin()
            self._stream = stream
        done = self._engine.add(jobs, sampling)
        while not done and self._engine.running:
            done = self._engine.step()
        return [(job.key, response) for job, response in done]


class Replica:
    """An actor, what it was given and has not answered, and the calls to it that are under way, the oldest first."""

    def __init__(self, ref: ModelRef, params, starts: int = 1):
        """`starts`: how often it has been tried in a row to get a replica up in this place."""
        self.starts, self.ready = starts, False
        self.given: dict[bytes, Job] = {}
        self._group, options = _place(params)
        self._actor = _ray().remote(Served).options(**options).remote(ref, params)
        self.calls = deque([self._actor.start.remote()])

    def ask(self, stream: int, jobs: list[Job], sampling: Sampling) -> None:
        self.given |= {job.key: job for job in jobs}
        self.calls.append(self._actor.ask.remote(stream, [job._replace(request=None) for job in jobs], sampling))

    def answers(self) -> list[tuple[Job, Response]]:
        """What the oldest call has brought. Raises Ray's own errors, all of which mean that the replica is lost."""
        brought = _ray().get(self.calls.popleft())
        if brought is None:  # it has started
            self.ready = True
            return []
        # Of an interrupted stream a call may still bring what nobody waits for.
        return [(self.given.pop(key), response) for key, response in brought if key in self.given]

    def kill(self) -> None:
        """Give its memory back, also where it may still be alive: nothing it says counts any more."""
        _ray().kill(self._actor)
        if self._group:
            _ray().util.remove_placement_group(self._group)


def connect(params) -> None:
    """Join the cluster at `llm.ray.address`, or start a Ray of our own. Raises EngineError."""
    ray, chosen = _ray(), params.ray
    if ray.is_initialized():
        return
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        if chosen.address:
            _reach(chosen.address)
            ray.init(chosen.address, **quiet)
        else:
            cores = max(os.cpu_count(), math.ceil(chosen.replicas * workers(params) * chosen.cpus))
            ray.init("local", num_cpus=cores, include_dashboard=False, object_store_memory=_STORE, **quiet)
    except Exception as error:  # nobody there, another version, no address; Ray has no class for a node slow to start
        remedy = "`ray start --head` on the first node, or llm.ray.address: null for a Ray on this machine"
        reason = " ".join(str(error).split())[:300]
        raise EngineError(f"llm.ray.address {chosen.address!r}: {reason}; {remedy}") from error


def _reach(address: str) -> None:
    """Raises OSError at once where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():  # auto has none
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_S).close()


def workers(params) -> int:
    """Processes that a replica is spread over."""
    return params.tensor_parallel_size * params.ray.pipeline_parallel_size


def resources(params) -> str:
    """What a replica asks for and what the cluster has, for messages."""
    have = {name: amount for name, amount in sorted(_ray().cluster_resources().items()) if name in ("CPU", "GPU")}
    return f"a replica asks for {workers(params)} x {_bundle(params)}, the nodes together have {have}"


def shipped(ref: ModelRef) -> ModelRef:
    """The model as other processes find it."""
    folder = Path(ref.name_or_path)
    return replace(ref, name_or_path=str(folder.resolve())) if folder.is_dir() else ref


def _ray():
    try:
        import ray
    except ImportError as error:
        remedy = "run `make ray` (pip: requirements/ray.in), or set llm.engine: vllm"
        raise EngineError(f"llm.engine is ray, but Ray cannot be imported ({error}); {remedy}") from None
    return ray


def _place(params):
    """(placement group or None, options of the actor).

    vLLM puts the processes of a replica into the group that its actor is in, one a bundle; the actor itself only leads.
    """
    settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS) and "KEY" not in name}
    options = {"runtime_env": {"env_vars": settings}}
    if workers(params) == 1:
        chosen = params.ray
        return None, options | {"num_cpus": chosen.cpus, "num_gpus": chosen.gpus, "scheduling_strategy": "SPREAD"}
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    group = _ray().util.placement_group([_bundle(params)] * workers(params), strategy="PACK")
    inside = PlacementGroupSchedulingStrategy(group, placement_group_capture_child_tasks=True)
    return group, options | {"num_cpus": 0, "num_gpus": 0, "scheduling_strategy": inside}


def _bundle(params) -> dict[str, float]:
    asked = {"CPU": params.ray.cpus, "GPU": params.ray.gpus}
    return {name: amount for name, amount in asked.items() if amount}
