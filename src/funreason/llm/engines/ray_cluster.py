"""Replicas on a Ray cluster: actors that each hold a `VllmEngine`, and what the driver knows of them.

Ray is installed apart (`make ray`), so nothing here imports it before a replica is needed.
"""

import logging
import math
import os
import socket
from collections import deque
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from funreason.config import LlmParams
from funreason.core.errors import EngineError, ModelError
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Response, Sampling

_SETTINGS = ("VLLM_", "OMP_")  # variables of the driver's environment that engines on other nodes must obey
_STORE = 128 * 2**20  # bytes of shared memory for a Ray of our own: requests and responses are small
_REACH_S = 10  # for the head of a cluster to accept a connection


class ReplicaActor:
    """The actor: one engine, which decodes during a call of `ask`."""

    def __init__(self, ref: ModelRef, params: LlmParams):
        self._engine, self._stream = VllmEngine(ref, params), 0

    def start(self) -> None:
        """Load the model. Raises EngineError, ModelError."""
        ref = self._engine.ref
        if ref.kind == "local" and not Path(ref.name_or_path).is_dir():
            remedy = "keep models where all nodes see them under one path, or give hub ids"
            raise ModelError(f"node {os.uname().nodename} has no folder {ref.name_or_path!r}; {remedy}")
        self._engine.load()

    def ask(self, stream: int, jobs: list[Job], sampling: Sampling) -> list[tuple[bytes, Response]]:
        """Queue `jobs` and decode until at least one is finished.

        Args:
            stream: Its number; the first call of another stream drops what is left of the one before.
            jobs: More to do; may be empty.
            sampling: How tokens are drawn.

        Returns:
            Keys and responses; none where nothing runs.
        """
        if stream != self._stream:
            self._engine.begin()
            self._stream = stream
        done = self._engine.add(jobs, sampling)
        while not done and self._engine.running:
            done = self._engine.step()
        return [(job.key, response) for job, response in done]


class Replica:
    """An actor as the driver sees it: its unanswered jobs, and the calls in flight, the oldest first.

    Args:
        ref: The model, as other processes find it.
        params: The `llm` block.
        starts: How many replicas in a row were started in this place, with this one.
    """

    def __init__(self, ref: ModelRef, params: LlmParams, starts: int = 1):
        self.starts, self.ready = starts, False
        self.pending: dict[bytes, Job] = {}
        self._group, options = _place(params)
        self._actor = _ray().remote(ReplicaActor).options(**options).remote(ref, params)
        self.calls = deque([self._actor.start.remote()])

    def ask(self, stream: int, jobs: list[Job], sampling: Sampling) -> None:
        """Call `ReplicaActor.ask` without waiting; the messages stay here, the prompts are enough."""
        self.pending |= {job.key: job for job in jobs}
        self.calls.append(self._actor.ask.remote(stream, [job._replace(request=None) for job in jobs], sampling))

    def responses(self) -> list[tuple[Job, Response]]:
        """The result of the oldest call. Raises Ray's own errors, all of which mean that the replica is lost."""
        result = _ray().get(self.calls.popleft())
        if result is None:  # `start` has ended
            self.ready = True
            return []
        # A call of an interrupted stream may bring responses that nobody waits for.
        return [(self.pending.pop(key), response) for key, response in result if key in self.pending]

    def kill(self) -> None:
        """Free its memory, also where it may still be alive: its responses no longer count."""
        _ray().kill(self._actor)
        if self._group:
            _ray().util.remove_placement_group(self._group)


def connect(params: LlmParams) -> None:
    """Join the cluster at `llm.ray.address`, or start a Ray of our own. Raises EngineError."""
    ray, ray_params = _ray(), params.ray
    if ray.is_initialized():
        return
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        if ray_params.address:
            _reach(ray_params.address)
            ray.init(ray_params.address, **quiet)
        else:
            cores = max(os.cpu_count() or 1, math.ceil(ray_params.replicas * workers(params) * ray_params.cpus))
            ray.init("local", num_cpus=cores, include_dashboard=False, object_store_memory=_STORE, **quiet)
    except Exception as error:  # no such node, another version, no address; Ray has no class for a slow node
        remedy = "`ray start --head` on the first node, or llm.ray.address: null for a Ray on this machine"
        reason = " ".join(str(error).split())[:300]
        raise EngineError(f"llm.ray.address {ray_params.address!r}: {reason}; {remedy}") from error


def _reach(address: str) -> None:
    """Raises OSError at once where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():  # auto has none
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_S).close()


def workers(params: LlmParams) -> int:
    """The number of processes of one replica."""
    return params.tensor_parallel_size * params.ray.pipeline_parallel_size


def resources(params: LlmParams) -> str:
    """What a replica asks for and what the cluster has, for error messages."""
    have = {name: amount for name, amount in sorted(_ray().cluster_resources().items()) if name in ("CPU", "GPU")}
    return f"a replica asks for {workers(params)} x {_bundle(params)}, the nodes together have {have}"


def shipped(ref: ModelRef) -> ModelRef:
    """The model as processes in other folders find it."""
    folder = Path(ref.name_or_path)
    return replace(ref, name_or_path=str(folder.resolve())) if folder.is_dir() else ref


def _ray() -> ModuleType:
    try:
        import ray
    except ImportError as error:
        remedy = "run `make ray` (pip: requirements/ray.in), or set llm.engine: vllm"
        raise EngineError(f"llm.engine is ray, but Ray cannot be imported ({error}); {remedy}") from None
    return ray


def _place(params: LlmParams) -> tuple[Any, dict[str, Any]]:
    """(placement group or None, options of the actor).

    vLLM puts the processes of a replica into the placement group of its actor, one per bundle; the actor only leads.
    """
    settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS) and "KEY" not in name}
    options: dict[str, Any] = {"runtime_env": {"env_vars": settings}}
    if workers(params) == 1:
        cpus, gpus = params.ray.cpus, params.ray.gpus
        return None, options | {"num_cpus": cpus, "num_gpus": gpus, "scheduling_strategy": "SPREAD"}
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    group = _ray().util.placement_group([_bundle(params)] * workers(params), strategy="PACK")
    inside = PlacementGroupSchedulingStrategy(group, placement_group_capture_child_tasks=True)
    return group, options | {"num_cpus": 0, "num_gpus": 0, "scheduling_strategy": inside}


def _bundle(params: LlmParams) -> dict[str, float]:
    wanted = {"CPU": params.ray.cpus, "GPU": params.ray.gpus}
    return {name: amount for name, amount in wanted.items() if amount}
