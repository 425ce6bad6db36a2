"""vLLM in a process that outlives the stage: the next stage with the same model finds it loaded.

The process (shared_server.py) runs the same engine over the same jobs in the same order as `VllmEngine` would here, so
that the tokens are the same. It ends when no stage has asked for `llm.keep_alive_s` seconds, also after a
stage was killed.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

from funreason.config import LlmParams
from funreason.core.errors import EngineError
from funreason.llm.engines import sockets
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Response, Sampling

_START_S = 300  # until a new process listens; the model is loaded later, at the first job
_SETTINGS = ("CUDA_", "VLLM_", "OMP_", "TORCH", "NCCL_", "HF_")  # environment variables that an engine obeys


class SharedEngine(VllmEngine):
    """One model in a process of its own. Raises EngineError, ModelError.

    Args:
        ref: The model.
        params: The `llm` block.
        devices: The GPUs of the process, as CUDA_VISIBLE_DEVICES has them; None: those of this process.
        beside: Further engines that may be on this machine at the same time.
    """

    def __init__(
        self, ref: ModelRef, params: LlmParams, devices: str | None = None, beside: "Sequence[SharedEngine]" = ()
    ):
        super().__init__(ref, params)
        self._asked, self._beside = False, beside
        self._environment = dict(os.environ) if devices is None else os.environ | {"CUDA_VISIBLE_DEVICES": devices}

    @property
    def started(self) -> bool:
        """Whether this stage has asked the process for something."""
        return self._asked

    def close(self) -> None:
        """Nothing to free here: the process ends by itself, or makes room for the next model."""

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """As `Engine.stream`; the process asks for the next jobs when it has room."""
        jobs = iter(jobs)
        running: dict[int, Job] = {}
        path, self._asked = self.socket(), True
        with self._connection(path) as connection:
            try:
                connection.send(sampling.model_dump())
                while (message := connection.recv())[0] != "end":
                    if message[0] == "more":
                        connection.send(_numbered(jobs, message[1], running))
                    elif message[0] == "done":
                        yield running.pop(message[1]), Response(*message[2])
                    else:
                        raise message[1]
            except (EOFError, ConnectionError):
                remedy = "run again to go on; set llm.keep_alive_s: 0 for an engine in the stage's own process"
                raise EngineError(f"the shared engine ended (see {path.with_suffix('.log')}); {remedy}") from None

    def socket(self) -> Path:
        """Where the process listens, or would."""
        return sockets.folder() / f"{hashlib.sha256(json.dumps(self._spec()).encode()).hexdigest()[:16]}.sock"

    def _spec(self) -> list:
        """Everything that a process is started with: a change of any of these is another process."""
        params = self.params.model_dump(exclude={"engine", "ray", "server", "prices"})
        settings = {key: value for key, value in sorted(self._environment.items()) if key.startswith(_SETTINGS)}
        ref = self.ref
        return [ref.identity, self._name(), ref.revision, ref.kind, params, settings, sys.executable, _code()]

    def _name(self) -> str:
        name = self.ref.name_or_path
        return str(Path(name).resolve()) if Path(name).is_dir() else name

    def _connection(self, path: Path) -> Connection:
        """A connection whose other side is ready for us; waits while another stage is being served."""
        deadline = time.monotonic() + _START_S
        child = None
        while True:
            connection = sockets.connect(path)
            with suppress(EOFError, ConnectionError):  # it was just leaving: start another
                if connection and connection.recv() == sockets.HELLO:
                    return connection
            if child is None or child.poll() is not None:
                if time.monotonic() > deadline or (child and child.returncode):
                    raise EngineError(f"the shared engine does not start; see {path.with_suffix('.log')}")
                child = self._start(path) or child
            time.sleep(0.05)

    def _start(self, path: Path) -> subprocess.Popen | None:
        """A new process; None where another stage has started one meanwhile."""
        with sockets.locked(path):
            if connection := sockets.connect(path):
                connection.close()
                return None
            path.unlink(missing_ok=True)
            sockets.stop_idle(but=[path, *(engine.socket() for engine in self._beside)])
            ref = asdict(replace(self.ref, name_or_path=self._name()))
            spec = {"socket": str(path), "ref": ref, "llm": self.params.model_dump()}
            command = [sys.executable, "-m", "funreason.llm.engines.shared_server", json.dumps(spec)]
            with open(path.with_suffix(".log"), "wb") as log:
                child = subprocess.Popen(
                    command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            deadline = time.monotonic() + _START_S
            while not path.exists() and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            return child


def _numbered(jobs: Iterator[Job], count: int, running: dict[int, Job]) -> list[tuple]:
    """The next jobs as (number, prompt, seed); they are noted in `running`."""
    block = []
    for job in islice(jobs, count):
        number = int.from_bytes(job.key[:8])
        running[number] = job
        block.append((number, job.prompt, job.seed))
    return block


def _code() -> str:
    """A digest of this package's sources: an engine of the code before a change must not answer after it."""
    total = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        total.update(file.read_bytes())
    return total.hexdigest()
