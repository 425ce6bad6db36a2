"""How a driver talks to the stage that started it: one JSON object comes in by stdin, lines of JSON go out by stdout.

The drivers of this folder run as plain scripts in a scorer's environment: standard library and that scorer.
A process that a driver forks can neither write to its stdout nor reach into its memory.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable

from cleanup import adopt_orphans

PR_SET_DUMPABLE = 4  # prctl(2): without it, /proc/<pid>/fd and ptrace are closed to processes of the same user


def open_channel() -> tuple[dict, Callable[[object], None]]:
    """(the request, the function that sends one line out). From here on, what the scorer prints goes to stderr."""
    request = json.loads(sys.stdin.buffer.read())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.register_at_fork(after_in_child=lambda: os.close(answer.fileno()))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    adopt_orphans()

    def reply(value: object) -> None:
        answer.write(json.dumps(value) + "\n")
        answer.flush()

    return request, reply
