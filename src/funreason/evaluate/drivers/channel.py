"""How a driver talks to the stage that started it: one JSON object in by stdin, one or some lines out by stdout.

The drivers of this folder run as plain scripts in a scorer's environment: standard library and that scorer.
What a driver forks can neither speak for it nor reach into its memory.
"""

import ctypes
import json
import os
import sys

PR_SET_DUMPABLE = 4  # prctl(2): without it, /proc/<pid>/fd and ptrace are closed to processes of the same user


def open_channel():
    """(request, reply): the object that came in, and the function that sends one line out.

    Whatever the scorer prints to stdout goes to stderr from here on.
    """
    request = json.loads(sys.stdin.buffer.read())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.register_at_fork(after_in_child=lambda: os.close(answer.fileno()))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)

    def reply(value) -> None:
        answer.write(json.dumps(value) + "\n")
        answer.flush()

    return request, reply
