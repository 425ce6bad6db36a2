"""The one way to a model: what the cache holds from there, the rest from the engine, each stored at once."""

from collections.abc import Iterable, Iterator

from tqdm import tqdm

from funreason.llm.cache import Cache, key
from funreason.llm.engine import Engine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Request, Response, Sampling
from funreason.llm.server_engine import ServerEngine
from funreason.llm.vllm_engine import VllmEngine

ENGINES: dict[str, type[Engine]] = {"vllm": VllmEngine, "server": ServerEngine}


class Client:
    """Asks one model with one way of sampling. The engine starts when the first response is not in the cache.

    `engine` takes one that is already there (it stays open), `cache` a store other than the default one.
    Raises EngineError, ModelError, ParamsError.

        with Client(load_ref("models/judge.json"), params.llm, sampling) as client:
            responses = client.run(requests, desc="cot")
    """

    def __init__(self, ref: ModelRef, llm_params, sampling: dict, *, cache: Cache | None = None, engine=None):
        self.sampling = Sampling.of(sampling)
        self.engine = engine or ENGINES[llm_params.engine](ref, llm_params)
        self.cache = cache or Cache()
        self._owned = ([] if engine else [self.engine]) + ([] if cache else [self.cache])
        # Tokens are those of the answers, cached or not: the same for every run over the same requests.
        self.stats = dict.fromkeys(("requests", "cache_hits", "prompt_tokens", "completion_tokens"), 0)

    def run(self, requests: Iterable[Request], desc: str = "llm") -> list[Response]:
        """The responses, in the order of the requests. Equal requests are asked once."""
        jobs = [self._job(request) for request in requests]
        known = self._cached(jobs)
        todo = {job.key: job for job in jobs if job.key not in known}
        hits = sum(job.key not in todo for job in jobs)
        total = len(known) + len(todo)
        with tqdm(total=total, initial=len(known), desc=desc, unit="row", disable=None) as bar:
            bar.set_postfix_str(f"{hits} from the cache")
            for job, response in self._asked(list(todo.values())):
                known[job.key] = response
                bar.update()
        responses = [known[job.key] for job in jobs]
        self._count(responses, len(jobs) - len(todo))
        return responses

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

    def _asked(self, jobs: list[Job]) -> Iterator[tuple[Job, Response]]:
        if not jobs:
            return
        for job, response in self.engine.stream(jobs, self.sampling):
            if response.finish_reason != "too_long":  # free to find out, and another max_model_len changes it
                self.cache.put(job.key, response, self.engine.identity)
            yield job, response

    def _count(self, responses: list[Response], hits: int) -> None:
        self.stats["requests"] += len(responses)
        self.stats["cache_hits"] += hits
        self.stats["prompt_tokens"] += sum(response.prompt_tokens for response in responses)
        self.stats["completion_tokens"] += sum(response.completion_tokens for response in responses)
