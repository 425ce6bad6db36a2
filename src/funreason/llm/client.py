"""The one way to a model: what the cache holds from there, the rest from the engine, each stored at once."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from funreason.core.errors import EngineError
from funreason.llm.cache import Cache, batched, key
from funreason.llm.engines.base import Engine
from funreason.llm.engines.ray import RayEngine
from funreason.llm.engines.server import ServerEngine
from funreason.llm.engines.shared import SharedEngine
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.progress import Progress
from funreason.llm.refs import ModelRef
from funreason.llm.request import TOO_LONG, Job, Request, Response, Sampling
from funreason.llm.spool import Spool
from funreason.llm.usage import count

ENGINES: dict[str, type[Engine]] = {"vllm": VllmEngine, "ray": RayEngine, "server": ServerEngine}
_BLOCK = 500  # requests looked up together
_HELD = 20_000  # responses kept in memory, some 50 MB; the others are read from the cache again


class Client:
    """Asks one model with one way of sampling. The engine starts when the first response is not in the cache.

    `engine` takes one that is already there (it stays open), `cache` a store other than the default one.
    Raises EngineError, ModelError, ParamsError.

        with Client(load_ref("models/teacher.json"), params.llm, sampling) as client:
            responses = client.run(requests, desc="cot")
    """

    def __init__(self, ref: ModelRef, llm_params, sampling: dict, *, cache: Cache | None = None, engine=None):
        self.sampling = Sampling.of(sampling)
        self._model = ref.name_or_path
        self.engine = engine or _engine(ref, llm_params)
        self.cache = cache or Cache()
        self._owned = ([] if engine else [self.engine]) + ([] if cache else [self.cache])
        # Tokens are those of the answers, cached or not: the same for every run over the same requests.
        self.stats = dict.fromkeys(("requests", "cache_hits", "prompt_tokens", "completion_tokens"), 0)

    def run(self, requests: Iterable[Request], desc: str = "llm") -> list[Response]:
        """The responses, in the order of the requests. Equal requests are asked once."""
        return list(self.stream(requests, desc))

    def stream(self, requests: Iterable[Request], desc: str = "llm") -> Iterator[Response]:
        """As `run`, one by one, in memory that does not grow with their number (but for 32 bytes a request).

        The first comes when all are answered: they are asked in another order than they are handed out.
        """
        held: dict[bytes, Response] = {}  # what need not be read again, bounded by _HELD
        with closing(Spool()) as spool:
            for block in batched(requests, _BLOCK):
                jobs = [self._job(request) for request in block]
                known = self._cached(jobs)
                spool.add(jobs, known)
                _hold(held, known)
            with Progress(len(spool), len(spool) - spool.todo, desc) as progress:
                for job, response in self._asked(spool.jobs() if spool.todo else ()):
                    progress.add(response)
                    _hold(held, {job.key: response}, always=response.finish_reason == TOO_LONG)
            self.stats["cache_hits"] += len(spool) - spool.todo
            yield from self._in_order(spool, held)

    def close(self) -> None:
        for owned in self._owned:
            owned.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _job(self, request: Request) -> Job:
        prompt = self.engine.prompt(request)
        name = key(self.engine.identity, prompt, self.sampling, request.index)
        # A seed of its own for every prompt and sample: with one for all, every answer is drawn with the same
        # dice, and a thousand of them open with the same words.
        seed = None if self.sampling.seed is None else int.from_bytes(name[:4]) >> 1
        return Job(name, request, prompt, seed)

    def _cached(self, jobs: list[Job]) -> dict[bytes, Response]:
        found = self.cache.get({job.key for job in jobs})
        return {name: it for name, it in found.items() if self.engine.would_give(it, self.sampling)}

    def _asked(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Response]]:
        for job, response in self.engine.stream(jobs, self.sampling) if jobs else ():
            if response.finish_reason != TOO_LONG:  # free to find out, and another max_model_len changes it
                self.cache.put(job.key, response, self.engine.identity)
            yield job, response

    def _in_order(self, spool: Spool, held: dict[bytes, Response]) -> Iterator[Response]:
        for block in spool.keys(_BLOCK):
            read = self.cache.get([name for name in block if name not in held])
            for name in block:
                response = held.get(name) or read.get(name)
                if response is None:
                    raise EngineError(f"{self.cache.path}: responses were dropped meanwhile; run again")
                self._count(response)
                yield response

    def _count(self, response: Response) -> None:
        self.stats["requests"] += 1
        self.stats["prompt_tokens"] += response.prompt_tokens
        self.stats["completion_tokens"] += response.completion_tokens
        count(response, self._model)


def _hold(held: dict[bytes, Response], more: dict[bytes, Response], always: bool = False) -> None:
    if always or len(held) < _HELD:
        held.update(more)


def _engine(ref: ModelRef, llm_params) -> Engine:
    shared = llm_params.engine == "vllm" and llm_params.keep_alive_s
    return SharedEngine(ref, llm_params) if shared else ENGINES[llm_params.engine](ref, llm_params)
