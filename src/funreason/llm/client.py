"""The one way to ask a model: known responses come from the cache, the others from the engine, stored one by one."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from funreason.config import LlmParams
from funreason.llm.cache import Cache, batched, key
from funreason.llm.engines.base import Engine
from funreason.llm.engines.ray import RayEngine
from funreason.llm.engines.replicas import ReplicasEngine
from funreason.llm.engines.server import ServerEngine
from funreason.llm.engines.shared import SharedEngine
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.progress import ProgressLine
from funreason.llm.refs import ModelRef
from funreason.llm.refusals import TooManyRefused
from funreason.llm.request import FAILED, REFUSED, TOO_LONG, Job, Request, Response, Sampling
from funreason.llm.usage import count
from funreason.srml.controls import OPEN
from funreason.srml.template import opens_think

_BLOCK = 500  # requests looked up together
# Free to find out, and another max_model_len changes it; what failed at the server may work tomorrow.
_NOT_STORED = (TOO_LONG, FAILED)


class Client:
    """Asks one model with one set of sampling parameters.

    The engine starts at the first response that is not in the cache.

        with Client(load_ref("models/teacher.json"), params.llm, {"temperature": 0.0, "max_tokens": 256}) as client:
            responses = client.run(requests, desc="generate")

    Args:
        ref: The model.
        llm_params: The `llm` block of params.yaml; None only where `engine` is given.
        sampling: temperature, top_p, max_tokens, seed and regex (see `Sampling`).
        cache: A store other than the default one. It stays open when the client is closed.
        engine: An engine that exists already. It stays open when the client is closed.

    Raises:
        ModelError: The model does not fit the engine, or its tokenizer cannot be loaded.
        ParamsError: A sampling parameter is wrong.
        EngineError: The cache cannot be written, or the engine cannot start or answer.
    """

    def __init__(
        self,
        ref: ModelRef,
        llm_params: LlmParams | None,
        sampling: dict,
        *,
        cache: Cache | None = None,
        engine: Engine | None = None,
    ):
        self.sampling = Sampling.of(sampling)
        self._model = ref.name_or_path
        self.engine = engine or make_engine(ref, llm_params)
        self.cache = cache or Cache()
        self._owned: list[Engine | Cache] = [] if engine else [self.engine]
        self._owned += [] if cache else [self.cache]
        # Tokens are those of the responses, cached or not: the same for every run over the same requests.
        self.stats = dict.fromkeys(("requests", "cache_hits", "prompt_tokens", "completion_tokens"), 0)

    def run(self, requests: Iterable[Request], desc: str = "llm") -> list[Response]:
        """Ask all requests; equal ones are asked once.

        The prompts that are not in the cache are in memory until the last one is answered: ask very many requests in
        blocks.

        Args:
            requests: Chats, in any number.
            desc: What the progress line shows.

        Returns:
            The responses, in the order of the requests. A `<think>` that the chat template writes at the end of the
            prompt is at the beginning of the text, so that reasoning looks the same whatever the model.
        """
        keys: list[bytes] = []
        opened: set[bytes] = set()
        responses: dict[bytes, Response] = {}
        missing: dict[bytes, Job] = {}
        for block in batched(map(self._job, requests), _BLOCK):
            keys += [job.key for job in block]
            opened |= {job.key for job in block if self._opens_think(job)}
            responses |= self._cached(block)
            missing |= {job.key: job for job in block if job.key not in responses}
        hits = len(keys) - len(missing)
        try:
            self._note_known(responses.values(), len(missing))
            with ProgressLine(len(keys), hits, desc) as progress:
                # In the order of the prompts: those that begin alike meet in the engine's prefix cache.
                for job, response in self._asked(sorted(missing.values(), key=lambda job: job.prompt)):
                    progress.add(response)
                    responses[job.key] = response
        except TooManyRefused:  # something has to be mended first: then these are asked again
            self.cache.drop(name for name, response in responses.items() if response.finish_reason == REFUSED)
            raise
        self.stats["cache_hits"] += hits
        whole = {name: _with_open_mark(responses[name]) for name in opened}
        return [self._counted(whole.get(name) or responses[name]) for name in keys]

    def close(self) -> None:
        """Close the engine and the cache that this client has opened."""
        for owned in self._owned:
            owned.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _job(self, request: Request) -> Job:
        prompt = self.engine.prompt(request)
        name = key(self.engine.identity, prompt, self.sampling, request.index)
        # One seed for all would draw every answer with the same random numbers: a thousand of them open with the
        # same words. So each prompt and sample has a seed of its own.
        seed = None if self.sampling.seed is None else int.from_bytes(name[:4]) >> 1
        return Job(name, request, prompt, seed)

    def _opens_think(self, job: Job) -> bool:
        """Whether the template has begun the answer with `<think>`. A regex says itself how the text begins."""
        return self.sampling.regex is None and opens_think(job.prompt)

    def _cached(self, jobs: list[Job]) -> dict[bytes, Response]:
        stored = self.cache.get({job.key for job in jobs})
        return {name: response for name, response in stored.items() if self.engine.would_give(response, self.sampling)}

    def _asked(self, jobs: list[Job]) -> Iterator[tuple[Job, Response]]:
        for job, response in self.engine.stream(jobs, self.sampling) if jobs else ():
            if response.finish_reason not in _NOT_STORED:
                self.cache.put(job.key, response, self.engine.identity)
            yield job, response

    def _note_known(self, known: Iterable[Response], missing: int) -> None:
        """Have the server's engine count the responses of the cache among those that are refused, or not."""
        if not isinstance(self.engine, ServerEngine):
            return
        refusals = self.engine.refusals
        refusals.expect(missing)
        for response in known:
            refusals.expect(1)
            refusals.add(response)
        if problem := refusals.problem():
            raise problem

    def _counted(self, response: Response) -> Response:
        self.stats["requests"] += 1
        self.stats["prompt_tokens"] += response.prompt_tokens
        self.stats["completion_tokens"] += response.completion_tokens
        count(response, self._model, self.engine.dtype)
        return response


def _with_open_mark(response: Response) -> Response:
    text = response.text
    return response if not text or text.lstrip().startswith(OPEN) else replace(response, text=f"{OPEN}{text}")


def make_engine(ref: ModelRef, llm_params: LlmParams | None) -> Engine:
    """The engine that `llm` names. Raises ModelError where the model does not fit it."""
    if llm_params is None:
        raise TypeError("a Client needs llm_params or an engine")
    match llm_params.engine:
        case "server":
            return ServerEngine(ref, llm_params)
        case "ray":
            return RayEngine(ref, llm_params)
        case _ if llm_params.data_parallel_size > 1:
            return ReplicasEngine(ref, llm_params)
        case _:
            return (SharedEngine if llm_params.keep_alive_s else VllmEngine)(ref, llm_params)
