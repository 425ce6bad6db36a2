"""The process behind `SharedEngine`: one model, one stage at a time, gone when nobody has asked for `keep_alive_s` seconds.

Run by shared_engine.py as: python -m funreason.llm.engines.shared_server SPEC, a JSON object.

The stage's side sends one message (how to sample) and is then asked for jobs, as the engine has room for them: the
batches are those of an engine in the stage's own process, not what the timing of two processes makes them.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from funreason.config.params import LlmParams
from funreason.core.errors import EngineError, FunReasonError
from funreason.llm.engines import sockets
from funreason.llm.engines.vllm import BLOCK, VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Sampling


def main(spec: dict) -> None:
    path, ref, params = Path(spec["socket"]), spec["ref"], LlmParams(**spec["llm"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the stage
    engine = VllmEngine(ModelRef(ref["name"], ref["revision"], ref["identity"], ref["kind"]), params)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(64)
        os.rename(f"{path}.new", path)  # who finds the name finds somebody listening
        try:
            while caller := accepted(listener, path, params.keep_alive_s):
                if not served(caller, engine):
                    leave(path)
                    break  # its connection closes with the process: by then the memory is free
                caller.close()
        finally:
            engine.close()


def accepted(listener: socket.socket, path: Path, seconds: float) -> Connection | None:
    """The next caller; None when none has come for so long, and the name is given up."""
    for timeout in (seconds, 0):
        listener.settimeout(timeout)
        try:
            return Connection(listener.accept()[0].detach())
        except (TimeoutError, BlockingIOError):
            if not timeout:
                return None
            leave(path)  # before the last look: who calls after it finds no name, and starts another process
    return None


def leave(path: Path) -> None:
    with sockets.locked(path):
        path.unlink(missing_ok=True)


def served(caller: Connection, engine: VllmEngine) -> bool:
    """Answer one stage; False if it asks us to leave. A stage that was killed is just gone."""
    try:
        caller.send(sockets.HELLO)
        message = caller.recv()
        if message == sockets.LEAVE:
            return False
        try:
            for job, response in engine.stream(jobs(caller), Sampling.of(message)):
                counts = response.prompt_tokens, response.completion_tokens
                caller.send(("done", int.from_bytes(job.key), (response.text, response.finish_reason, *counts)))
        except (EOFError, ConnectionError):
            raise
        except FunReasonError as error:
            caller.send(("error", error))
        except Exception as error:
            caller.send(("error", EngineError(f"the shared engine failed: {type(error).__name__}: {error}")))
            raise
        caller.send(("end",))
    except (EOFError, ConnectionError):
        pass
    return True


def jobs(caller: Connection) -> Iterator[Job]:
    """The stage's jobs, in blocks; a block that is not full is the last."""
    while True:
        caller.send(("more", BLOCK))
        block = caller.recv()
        for number, prompt, seed in block:
            yield Job(number.to_bytes(8), None, prompt, seed)
        if len(block) < BLOCK:
            return


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
