"""The process behind `SharedEngine`: one model, one stage at a time, until nobody has asked for `keep_alive_s` seconds.

Run by shared.py as: python -m funreason.llm.engines.shared_server SPEC, a JSON object.

The stage sends one message (how to sample) and is then asked for jobs as the engine has room for them. So the batches
are those of an engine in the stage's own process, and do not depend on the timing of two processes.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from funreason.config import LlmParams
from funreason.core.errors import EngineError, FunReasonError
from funreason.llm.engines.sockets import HELLO, LEAVE, locked, show_alive
from funreason.llm.engines.vllm import BLOCK, VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Sampling

ALONE_S = 10  # with keep_alive_s 0 the stage ends the process (replicas.py), unless it was killed


def main(spec: dict) -> None:
    """Serve stages until one asks us to leave or none has come for `keep_alive_s` seconds."""
    path, ref, params = Path(spec["socket"]), ModelRef(**spec["ref"]), LlmParams(**spec["llm"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the stage
    show_alive(path, ref.name_or_path)
    engine = VllmEngine(ref, params)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(64)
        os.rename(f"{path}.new", path)  # whoever finds the name finds a process that listens
        try:
            while stage := _accept(listener, path, params.keep_alive_s or ALONE_S):
                if not _serve(stage, engine):
                    _give_up_name(path)
                    break  # the connection closes with the process: by then the memory is free
                stage.close()
        finally:
            engine.close()


def _accept(listener: socket.socket, path: Path, seconds: float) -> Connection | None:
    """The next stage; None where none has come for so long, and the name is given up."""
    for timeout in (seconds, 0):
        listener.settimeout(timeout)
        try:
            return Connection(listener.accept()[0].detach())
        except (TimeoutError, BlockingIOError):
            if not timeout:
                return None
            _give_up_name(path)  # before the last look: a stage that comes later starts another process
    return None


def _give_up_name(path: Path) -> None:
    with locked(path):
        path.unlink(missing_ok=True)


def _serve(stage: Connection, engine: VllmEngine) -> bool:
    """Answer one stage; False where it asks us to leave. A stage that was killed is just gone."""
    try:
        stage.send(HELLO)
        message = stage.recv()
        if message == LEAVE:
            return False
        try:
            for job, response in engine.stream(_jobs(stage), Sampling.of(message)):
                counts = response.prompt_tokens, response.completion_tokens
                stage.send(("done", int.from_bytes(job.key), (response.text, response.finish_reason, *counts)))
        except (EOFError, ConnectionError):
            raise
        except FunReasonError as error:
            stage.send(("error", error))
        except Exception as error:
            stage.send(("error", EngineError(f"the shared engine failed: {type(error).__name__}: {error}")))
            raise
        stage.send(("end",))
    except (EOFError, ConnectionError):
        pass
    return True


def _jobs(stage: Connection) -> Iterator[Job]:
    """The stage's jobs, in blocks; a block that is not full is the last."""
    while True:
        stage.send(("more", BLOCK))
        block = stage.recv()
        for number, prompt, seed in block:
            yield Job(number.to_bytes(8), None, prompt, seed)
        if len(block) < BLOCK:
            return


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
