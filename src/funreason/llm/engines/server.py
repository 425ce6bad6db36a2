"""Any OpenAI-compatible server: `vllm serve`, or a hosted one.

A vLLM server takes parameters that we do not send (top_k, repetition_penalty) from generation_config.json; vLLM in
process does not. Start the server with `--generation-config vllm` to sample from the same distribution.
"""

import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import TYPE_CHECKING, Any

from funreason.calls.results import results_as_user
from funreason.config import LlmParams
from funreason.core.errors import EngineError
from funreason.llm.budget import Budget
from funreason.llm.refs import ModelRef
from funreason.llm.request import TOO_LONG, Job, Request, Response, Sampling

if TYPE_CHECKING:
    from openai import OpenAI, OpenAIError
    from openai._legacy_response import LegacyAPIResponse
    from openai.types.chat import ChatCompletion


class ServerEngine:
    """One model behind a server; asks nothing before the first request. Raises EngineError."""

    def __init__(self, ref: ModelRef, params: LlmParams):
        self.server = params.server
        # llm.server.model is the name of models that have none of their own. It must not rename a checkpoint:
        # a round that generates with models/r0 would silently get the teacher's responses.
        self.model = (ref.kind == "server" and self.server.model) or ref.name_or_path
        self.budget = Budget(self.server.max_requests, self.server.max_tokens)
        self.identity = f"{ref.identity} served as {self.model}"

    def prompt(self, request: Request) -> str:
        """The messages as JSON: the server renders them, so they stand for what the model sees."""
        return json.dumps([results_as_user(request.messages), request.prefix], sort_keys=True)

    def would_give(self, response: Response, sampling: Sampling) -> bool:
        """Always: the server decides on the context length."""
        return True

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """See `Engine.stream`.

        After a failure, or with the budget spent, nothing more is asked. Requests in flight are still yielded, since
        they are paid for.
        """
        jobs, client = iter(jobs), self._client
        running: dict[Future[Response], Job] = {}
        failure: BaseException | None = None
        pool = ThreadPoolExecutor(self.server.concurrency, thread_name_prefix="llm")
        try:
            job = next(jobs, None)
            while True:
                while job and not failure and self._has_room(running) and self.budget.take(job, sampling):
                    running[pool.submit(self._ask, client, self._body(job, sampling))] = job
                    job = next(jobs, None)
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done, error = running.pop(future), future.exception()
                    self.budget.settle(done, None if error else future.result())
                    if error is None:
                        yield done, future.result()
                    failure = failure or error
            if job and not failure:
                failure = self._spent()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if running:  # interrupted: closed sockets end the threads, which would outlive the stage by minutes
                self.close()
        if failure:
            raise failure

    def _has_room(self, running: dict) -> bool:
        return len(running) < self.server.concurrency

    @property
    def started(self) -> bool:
        """Whether the server was asked for anything."""
        return "_client" in self.__dict__

    def close(self) -> None:
        """Close the connections; the next job opens them again."""
        if self.started:
            self._client.close()
            del self._client

    @cached_property
    def _client(self) -> "OpenAI":
        import openai

        client = openai.OpenAI(
            base_url=self.server.base_url,
            api_key=_key(self.server.api_key_env) or "none",  # else openai sends OPENAI_API_KEY to any server
            timeout=self.server.timeout_s,
            max_retries=self.server.max_retries,  # with backoff and jitter: 408, 409, 429, 5xx, time-outs
        )
        try:  # ask once, so that not every request, with all its retries, finds out that the server is dead
            client.with_options(max_retries=1, timeout=min(30, self.server.timeout_s)).models.list()
        except openai.APIConnectionError as error:
            raise self._failure(error) from None
        except openai.OpenAIError:
            pass  # it answers; not every server lists its models
        return client

    def _ask(self, client: "OpenAI", body: dict) -> Response:
        import openai

        try:
            reply = self._reply(client.chat.completions.with_raw_response.create(**body))
        except openai.OpenAIError as error:
            if "context length" in str(error) or getattr(error, "code", None) == "context_length_exceeded":
                return Response("", TOO_LONG, 0, 0)
            raise self._failure(error) from None
        if not getattr(reply, "choices", None):
            raise EngineError(f"server {self.server.base_url} sent no chat completion: {str(reply)[:200]!r}")
        return _response(reply)

    def _reply(self, raw: "LegacyAPIResponse[ChatCompletion]") -> "ChatCompletion":
        """The completion; bytes that are not UTF-8 count as U+FFFD, as in the texts of vLLM itself."""
        from openai.types.chat import ChatCompletion

        try:
            return raw.parse()
        except UnicodeDecodeError:
            return ChatCompletion.construct(**json.loads(raw.content.decode(errors="replace")))
        except ValueError as error:
            raise EngineError(f"server {self.server.base_url} sent no JSON ({error}); see its log") from None

    def _body(self, job: Job, sampling: Sampling) -> dict:
        assert job.request is not None  # only jobs in another process have none
        # Call results go as user messages: for a `tool` message many servers want the id of a call that they made.
        messages = results_as_user(job.request.messages)
        body = {"model": self.model, "messages": messages, "max_tokens": sampling.max_tokens}
        body |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
        if job.seed is not None:
            body["seed"] = job.seed
        extra: dict[str, Any] = {}
        if sampling.regex:  # vLLM's name for it; other servers refuse it
            extra["structured_outputs"] = {"regex": sampling.regex}
        if job.request.prefix:  # how vLLM and SGLang are asked to continue a turn
            begun = {"role": "assistant", "content": job.request.prefix}
            body["messages"] = [*messages, begun]
            extra |= {"continue_final_message": True, "add_generation_prompt": False}
        return body | ({"extra_body": extra} if extra else {})

    def _spent(self) -> EngineError:
        remedy = "the responses are stored: raise the limit, or set it to null, and run again to go on from there"
        return EngineError(
            f"server {self.server.base_url}: the budget of this stage is spent ({self.budget}); {remedy}"
        )

    def _failure(self, error: "OpenAIError") -> EngineError:
        status = getattr(error, "status_code", None)
        where, named = f"server {self.server.base_url}", self.server.api_key_env
        if status is None:
            return EngineError(f"{where} does not answer ({error}); start it, or correct llm.server.base_url")
        if status in (401, 403):  # without the server's own message: some repeat the key
            remedy = "set the environment variable that llm.server.api_key_env names"
            return EngineError(f"{where} refuses the key ({status}); {remedy} (now {named!r})")
        text = " ".join(str(error).split()).replace(_key(named) or "\0", "***")[:300]
        remedy = "serve it under this name, or set llm.engine: vllm" if status == 404 else "see its log"
        return EngineError(f"{where}, model {self.model!r}: {text}; {remedy}")


def _key(variable: str | None) -> str | None:
    """The API key, which is read from the environment only."""
    if variable and not os.environ.get(variable):
        raise EngineError(f"llm.server.api_key_env: {variable!r} is not set; export it, or use null")
    return os.environ[variable] if variable else None


def _response(reply: "ChatCompletion") -> Response:
    choice, usage = reply.choices[0], reply.usage
    text = choice.message.content or ""
    # Servers with a reasoning parser move the reasoning out of the text; two names for it are in use.
    extra = choice.message.model_extra or {}
    if reasoning := extra.get("reasoning") or extra.get("reasoning_content"):
        text = f"<think>{reasoning}</think>\n\n{text}"
    text = text.encode(errors="replace").decode()  # JSON can carry half a surrogate pair, files cannot
    counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return Response(text, choice.finish_reason, *counts)
