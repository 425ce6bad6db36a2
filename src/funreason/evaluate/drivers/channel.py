"""How a driver talks to the stage that started it: one JSON object in by stdin, one out by stdout.

The drivers of this folder run as plain scripts in a scorer's environment: standard library and that scorer.
"""

import json
import os
import sys


def open_channel():
    """(request, reply): the object that came in, and the function that sends one out.

    Whatever the scorer prints to stdout goes to stderr from here on.
    """
    request = json.loads(sys.stdin.buffer.read())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(value) -> None:
        answer.write(json.dumps(value))
        answer.close()

    return request, reply
