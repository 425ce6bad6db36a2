"""Run code that a model's text can influence in a forked process: it can kill and change only that process.

The process writes its value to a file, not to a pipe: a process that it leaves behind could keep a pipe open forever.
"""

import json
import os
import select
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from cleanup import clean


class Ended(Exception):
    """The process wrote nothing that can be read: it ended itself, was killed, or took too long."""


class Raised(Exception):
    """`work` raised; the message names the error."""


def run_throwaway(work: Callable[[], object], seconds: float | None) -> Any:
    """Run `work` in a process of its own.

    Do not trust the result: where text of a model runs in `work`, the text may have written it.

    Args:
        work: returns a JSON value.
        seconds: that it may take; None for no limit.

    Returns:
        The value.

    Raises:
        Ended: where the process ended before it was done.
        Raised: where `work` raised.
    """
    with tempfile.TemporaryFile() as file:
        if (child := os.fork()) == 0:
            _write(work, file)
        handle = os.pidfd_open(child)
        in_time = bool(select.select([handle], [], [], seconds)[0])
        os.close(handle)
        for kill in (os.killpg, os.kill):  # a group of its own, once setsid() has run
            with suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        clean()  # what it left behind, in another group
        if not in_time:
            raise Ended(f"not done in {seconds} s")
        file.seek(0)
        return _read(file.read())


def _write(work: Callable[[], object], file: IO[bytes]) -> None:
    """The child: writes {"value"} or {"raised"} and ends, also after SystemExit; never continues the parent's work."""
    try:
        os.setsid()
        try:
            reply = {"value": work()}
        except Exception as error:
            reply = {"raised": f"{type(error).__name__}: {error}"[:300]}
        file.write(json.dumps(reply).encode())
        file.flush()
    finally:
        os._exit(0)


def _read(text: bytes) -> Any:
    try:
        reply = json.loads(text)
        if "raised" in reply:
            raise Raised(str(reply["raised"]))
        return reply["value"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Ended("ended before it was done" if not text else "wrote what cannot be read") from None
