"""Run what text of a model has a hand in, in a forked process that is thrown away: it ends and changes only itself.

The process writes its value into a file, not a pipe: what it leaves behind could hold a pipe open for ever.
"""

import json
import os
import select
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress


class Ended(Exception):
    """The process said nothing that can be read: it ended itself, was killed, or was not done in time."""


class Raised(Exception):
    """`work` raised; the message names the error."""


def thrown_away(work: Callable[[], object], seconds: float | None):
    """`work()`, which has to be a JSON value, from a process of its own, within `seconds`. Raises Ended, Raised.

    It is a word of the process: where text of a model runs in `work`, the text may have said it.
    """
    with tempfile.TemporaryFile() as said:
        if (child := os.fork()) == 0:
            _say(work, said)
        handle = os.pidfd_open(child)
        in_time = bool(select.select([handle], [], [], seconds)[0])
        os.close(handle)
        for kill in (os.killpg, os.kill):  # a group of its own, unless it did not come that far
            with suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not in_time:
            raise Ended(f"not done in {seconds} s")
        said.seek(0)
        return _heard(said.read())


def _say(work: Callable[[], object], said) -> None:
    """The child: says {"value"} or {"raised"} and ends, also past SystemExit; never goes on with its parent's work."""
    try:
        os.setsid()
        try:
            word = {"value": work()}
        except Exception as error:
            word = {"raised": f"{type(error).__name__}: {error}"[:300]}
        said.write(json.dumps(word).encode())
        said.flush()
    finally:
        os._exit(0)


def _heard(said: bytes):
    try:
        word = json.loads(said)
        if "raised" in word:
            raise Raised(str(word["raised"]))
        return word["value"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Ended("ended before it was done" if not said else "said what cannot be read") from None
