"""One model in several replicas over the nodes of a Ray cluster, behind the same interface as vLLM in process.

The driver (the stage) keeps the requests, and stores each response as it comes. A replica is an actor with an engine
(ray_cluster.py) that holds only the requests that it decodes. Ray Data's LLM module is not used: it drops the finish
reason, hands out whole batches, and loads the model again for every data set, here every `Client.run` (docs/LOG.md).
"""

import logging
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice

from funreason.config import LlmParams
from funreason.core.errors import EngineError, FunReasonError
from funreason.llm.engines.ray_cluster import Replica, connect, resources, shipped
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Response, Sampling

logger = logging.getLogger(__name__)

_CALLS = 2  # in flight per replica: while it decodes for one, the next is there already
_TRIES = 3  # replicas in a row that may fail to start in one place, or be lost with the same request


class RayEngine(VllmEngine):
    """Replicas of one model. A request is with one replica at a time; those of a lost one go to the others.

    Raises EngineError, ModelError.
    """

    def __init__(self, ref: ModelRef, params: LlmParams):
        super().__init__(ref, params)
        self._replicas: list[Replica] = []
        self._stream = 0

    @property
    def started(self) -> bool:
        """Whether there are replicas."""
        return bool(self._replicas)

    def close(self) -> None:
        """End all replicas."""
        for replica in self._replicas:
            replica.kill()
        self._replicas.clear()

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """See `Engine.stream`."""
        queue = JobQueue(jobs)
        self._start()
        self._stream += 1
        try:
            while queue or any(replica.pending for replica in self._replicas):
                self._deal(queue, sampling)
                yield from self._responses(queue)
        finally:
            for replica in self._replicas:
                replica.pending.clear()

    def _start(self) -> None:
        if not self._replicas:
            connect(self.params)
            self._replicas = [self._replica() for _ in range(self.params.ray.replicas)]

    def _replica(self, starts: int = 1) -> Replica:
        return Replica(shipped(self.ref), self.params, starts)

    def _deal(self, queue: "JobQueue", sampling: Sampling) -> None:
        """Fill the replicas in turns, by blocks: prompts that begin alike stay together, and a few reach all."""
        block = max(1, self.params.max_num_seqs // 2)
        batches: dict[Replica, list[Job]] = {
            replica: [] for replica in self._replicas if replica.ready and len(replica.calls) < _CALLS
        }
        with_room = list(batches)
        while with_room and queue:
            replica = with_room.pop(0)
            if len(replica.pending) + len(batches[replica]) + block <= self.capacity:
                batches[replica] += queue.take(block)
                with_room.append(replica)
        for replica, batch in batches.items():
            if batch or replica.pending:
                replica.ask(self._stream, batch, sampling)

    def _responses(self, queue: "JobQueue") -> list[tuple[Job, Response]]:
        """The responses of the first call that ends; none where that call shows that its replica is lost."""
        import ray

        calls = {replica.calls[0]: replica for replica in self._replicas if replica.calls}
        patience = None if any(replica.ready for replica in self._replicas) else self.params.ray.start_s
        done, _ = ray.wait(list(calls), timeout=patience)
        if not done:
            remedy = "lower llm.ray.cpus or gpus, add nodes, or raise llm.ray.start_s"
            raise EngineError(f"no replica after {patience:g} s: {resources(self.params)}; {remedy}")
        replica = calls[done[0]]
        try:
            return replica.responses()
        except ray.exceptions.RayError as error:
            self._replace(replica, error, queue)
            return []

    def _replace(self, replica: Replica, error: Exception, queue: "JobQueue") -> None:
        """Start another replica instead of a lost one. Raises the error of a model that cannot be loaded anywhere."""
        cause = getattr(error, "cause", None)
        if isinstance(cause, FunReasonError):
            raise cause from None
        reason = " ".join(str(cause or error).split())[:300]
        if not replica.ready and replica.starts == _TRIES or queue.give_back(replica.pending) == _TRIES:
            remedy = "see Ray's logs on its node; the responses are stored, run again to go on"
            raise EngineError(f"{_TRIES} replicas were lost, one after the other: {reason}; {remedy}")
        logger.warning("a replica was lost, its %d requests are asked again: %s", len(replica.pending), reason)
        replica.kill()
        starts = 1 if replica.ready else replica.starts + 1
        self._replicas[self._replicas.index(replica)] = self._replica(starts)


class JobQueue:
    """The jobs that no replica has, in their order; those of a lost replica come next."""

    def __init__(self, jobs: Iterable[Job]):
        self._jobs, self._ahead = iter(jobs), deque[Job]()
        self._lost: Counter[bytes] = Counter()

    def __bool__(self) -> bool:
        if not self._ahead:
            self._ahead.extend(islice(self._jobs, 1))
        return bool(self._ahead)

    def take(self, count: int) -> list[Job]:
        """The next jobs, fewer at the end."""
        block = [self._ahead.popleft() for _ in range(min(count, len(self._ahead)))]
        return block + list(islice(self._jobs, count - len(block)))

    def give_back(self, jobs: dict[bytes, Job]) -> int:
        """Take the jobs of a lost replica; return the largest number of replicas that one of them was lost with."""
        self._lost.update(jobs.keys())
        self._ahead.extendleft(reversed(jobs.values()))
        return max((self._lost[name] for name in jobs), default=0)
