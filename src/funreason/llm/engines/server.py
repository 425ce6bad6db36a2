"""Any OpenAI-compatible server: `vllm serve`, or a hosted one.

A vLLM server takes parameters that we do not send (top_k, repetition_penalty) from generation_config.json; vLLM in
process does not. Start the server with `--generation-config vllm` to sample from the same distribution.
"""

import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import cached_property
from typing import Any

from funreason.calls.results import for_server
from funreason.config import LlmParams, ServerParams
from funreason.core.errors import EngineError
from funreason.llm.budget import Budget
from funreason.llm.engines.attempts import ask, unanswered
from funreason.llm.engines.faults import Fault, Kind
from funreason.llm.engines.scrub import Scrubber
from funreason.llm.engines.transport import NoReply, Transport
from funreason.llm.refs import ModelRef
from funreason.llm.refusals import Refusals
from funreason.llm.request import FAILED, Job, Request, Response, Sampling

_PROBE_S = 30  # seconds to find out that a server is not there

_Running = dict["Future[Response | Fault]", Job]


class ServerEngine:
    """One model behind a server; asks nothing before the first request. Raises EngineError."""

    def __init__(self, ref: ModelRef, params: LlmParams):
        self.server = params.server
        # llm.server.model is the name of models that have none of their own. It must not rename a checkpoint:
        # a round that generates with models/r0 would silently get the teacher's responses.
        self.model = (ref.kind == "server" and self.server.model) or ref.name_or_path
        self.budget = Budget(self.server.max_requests, self.server.max_tokens)
        self._where = f"server {self.server.base_url}"
        self.refusals = Refusals(f"{self._where}, model {self.model!r}", self.server.max_refused_fraction)
        self.identity = f"{ref.identity} served as {self.model}{_changes(self.server)}"
        self.dtype = None  # a server does not say
        self._failed_in_a_row = 0

    def prompt(self, request: Request) -> str:
        """The messages as JSON: the server renders them, so they stand for what the model sees."""
        tools = [request.tools] if request.tools else []  # without tools the prompts of earlier versions
        return json.dumps([for_server(request.messages), request.prefix, *tools], sort_keys=True)

    def would_give(self, response: Response, sampling: Sampling) -> bool:
        """Always: the server decides on the context length."""
        return True

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """See `Engine.stream`.

        After a failure, or with the budget spent, nothing more is asked. Requests in flight are still yielded, since
        they are paid for. A request that fails while others are answered is asked once more, after all others: if it
        still fails, and the server is there, it is this request's failure.
        """
        late: list[Job] = []
        yield from self._stream(iter(jobs), sampling, late)
        yield from self._stream(iter(late), sampling, None)

    def _stream(
        self, jobs: Iterator[Job], sampling: Sampling, late: list[Job] | None
    ) -> Iterator[tuple[Job, Response]]:
        """One pass over jobs; `late` takes those that fail alone, and is None in the last pass."""
        running: _Running = {}
        failure: BaseException | None = None
        try:
            job = next(jobs, None)
            while True:
                while job and not failure and self._has_room(running) and self.budget.take(job, sampling):
                    running[self._start(job, sampling, again=late is None)] = job
                    job = next(jobs, None)
                if not running:
                    break
                finished, interrupt = _finished(running)
                failure = failure or interrupt
                for future in finished:
                    done = running.pop(future)
                    outcome = self._outcome(future, done, late, alone=not running)
                    self.budget.settle(done, outcome if isinstance(outcome, Response) else None)
                    if isinstance(outcome, Response):
                        self.refusals.add(outcome)
                        yield done, outcome
                        outcome = self.refusals.problem()
                    failure = failure or outcome
            if job and not failure:
                failure = self._spent()
        finally:
            for future in running:  # interrupted: a cancelled request closes its connection
                future.cancel()
        if failure:
            raise failure

    def _has_room(self, running: _Running) -> bool:
        return len(running) < self.server.concurrency

    def _start(self, job: Job, sampling: Sampling, again: bool) -> "Future[Response | Fault]":
        content = json.dumps(self._body(job, sampling), allow_nan=False).encode()
        attempts = 1 if again else 1 + self.server.max_retries
        transport = self._transport
        return transport.submit(ask(transport, content, job.prompt, self._scrubber, attempts))

    def _outcome(
        self, future: "Future[Response | Fault]", job: Job, late: list[Job] | None, alone: bool
    ) -> Response | BaseException | None:
        """The response or the stage's failure; None for a job that is asked again later."""
        if error := future.exception():
            return error
        outcome = future.result()
        self._failed_in_a_row = 0 if isinstance(outcome, Response) else self._failed_in_a_row + 1
        if isinstance(outcome, Response):
            return outcome
        if outcome.kind is Kind.STAGE or self._failed_in_a_row > self.server.concurrency:
            return self._failure(outcome)
        if late is not None and (self.refusals.answered or not alone):
            late.append(job)
            return None
        if late is None and self.refusals.answered and outcome.status != 429 and self._is_alive():
            return unanswered(outcome, FAILED, job.prompt, self._scrubber)
        return self._failure(outcome)

    @property
    def started(self) -> bool:
        """Whether the server was asked for anything."""
        return "_transport" in self.__dict__

    def close(self) -> None:
        """Close the connections; the next job opens them again."""
        if self.started:
            self._transport.close()
            del self._transport

    @cached_property
    def _scrubber(self) -> Scrubber:
        return Scrubber(api_key(self.server.api_key_env))

    @cached_property
    def _transport(self) -> Transport:
        server = self.server
        try:
            transport = Transport(server.base_url, api_key(server.api_key_env), server.timeout_s, server.concurrency)
            try:  # ask once, so that not every request, with all its retries, finds out that the server is dead
                self._models(transport)
            except BaseException:
                transport.close()
                raise
        except NoReply as error:
            raise self._failure(Fault(Kind.STAGE, 0, str(error))) from None
        return transport

    def _models(self, transport: Transport) -> int:
        """The status of a small request, which not every server knows."""
        seconds = min(_PROBE_S, self.server.timeout_s)
        return transport.submit(transport.send("GET", "/models", timeout_s=seconds)).result().status

    def _is_alive(self) -> bool:
        try:
            return self._models(self._transport) < 500
        except NoReply:
            return False

    def _body(self, job: Job, sampling: Sampling) -> dict[str, Any]:
        assert job.request is not None  # only jobs in another process have none
        messages = for_server(job.request.messages)
        fields: dict[str, Any] = {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
        fields["top_p"] = sampling.top_p
        if job.seed is not None:
            fields["seed"] = job.seed
        if sampling.regex:  # vLLM's name for it; other servers refuse it
            fields["structured_outputs"] = {"regex": sampling.regex}
        if job.request.tools:
            fields["tools"] = job.request.tools
        if job.request.prefix:  # how vLLM and SGLang are asked to continue a turn
            messages = [*messages, {"role": "assistant", "content": job.request.prefix}]
            fields |= {"continue_final_message": True, "add_generation_prompt": False}
        names: dict[Any, str] = {**self.server.rename_fields}
        renamed = {names.get(name, name): fields[name] for name in fields if name not in self.server.omit_fields}
        return {"model": self.model, "messages": messages} | renamed | self.server.extra_body

    def _spent(self) -> EngineError:
        remedy = "the responses are stored: raise the limit, or set it to null, and run again to go on from there"
        return EngineError(f"{self._where}: the budget of this stage is spent ({self.budget}); {remedy}")

    def _failure(self, fault: Fault) -> EngineError:
        where, status, named = self._where, fault.status, self.server.api_key_env
        text = self._scrubber.line(fault.text)
        if not status:
            remedy = "start it, correct llm.server.base_url, or raise llm.server.timeout_s"
            return EngineError(f"{where} does not answer ({text}); {remedy}")
        if status in (401, 403):  # without the server's own message: some repeat the key
            remedy = "set the environment variable that llm.server.api_key_env names"
            return EngineError(f"{where} refuses the key ({status}); {remedy} (now {named!r})")
        remedy = "serve it under this name, or set llm.engine: vllm" if status == 404 else "see its log"
        if status < 400:
            remedy = "correct llm.server.base_url"
        elif status in (400, 422):
            remedy = "rename or leave out a field (llm.server.rename_fields, omit_fields, extra_body)"
        return EngineError(f"{where}, model {self.model!r}: {status} {text}; {remedy}")


def _finished(running: _Running) -> tuple[Iterable["Future[Response | Fault]"], KeyboardInterrupt | None]:
    """Those that are finished, at least one; after Ctrl-C those that are finished by then, and the others cancelled."""
    try:
        return wait(running, return_when=FIRST_COMPLETED).done, None
    except KeyboardInterrupt as interrupt:
        finished = [future for future in running if future.done()]  # paid for: to be stored
        for future in running.keys() - set(finished):
            future.cancel()
            del running[future]
        return finished, interrupt


def _changes(server: ServerParams) -> str:
    """What of the request fields changes what a model writes, for the model's identity."""
    changes = {"without": sorted(server.omit_fields), "with": server.extra_body}
    changes = {name: value for name, value in changes.items() if value}
    return f", {json.dumps(changes, sort_keys=True)}" if changes else ""


def api_key(variable: str | None) -> str | None:
    """The API key, which is read from the environment only.

    Args:
        variable: Its name; None where the server needs no key.

    Raises:
        EngineError: It is not set, or cannot be a key.
    """
    if not variable:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise EngineError(f"llm.server.api_key_env: {variable!r} is not set; export it, or use null")
    if not (key.isascii() and key.isprintable()):
        raise EngineError(f"llm.server.api_key_env: {variable!r} holds characters that no key has; export it anew")
    return key
