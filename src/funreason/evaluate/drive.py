"""Start a driver of `drivers/` in a scorer's environment, inside the sandbox: a request in, a reply out."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from funreason.errors import FunReasonError, SandboxError
from funreason.evaluate import sandbox

DRIVERS = Path(__file__).parent / "drivers"

Item = TypeVar("Item")
Reply = TypeVar("Reply")


class DriverDied(SandboxError):
    """A driver that was killed, ran out of time or said no JSON: its own fault, or that of what it scored."""


def scorer_python(name: str) -> Path:
    """`<root>/<name>/bin/python`: in the working folder, else in the repository it is a temporary copy of."""
    roots = [Path.cwd(), Path(os.environ.get("DVC_ROOT", ".")), Path(__file__).parents[3]]
    for root in roots:
        if (python := root / name / "bin" / "python").exists():
            return python
    raise FunReasonError(f"the scorer's environment {name} is not in {roots[0]} or DVC_ROOT; run `make setup`")


def drive(
    script: str,
    python: str | Path,
    request: dict,
    *,
    timeout_s: float,
    memory_mb: int = 2048,
    mode: str,
) -> dict:
    """The reply of `drivers/<script>` to `request`. Raises DriverDied with the last line of its stderr."""
    interpreter = sandbox.interpreter(python)
    done = sandbox.run(
        [*interpreter.command, str(DRIVERS / script)],
        readable=[*interpreter.readable, DRIVERS],
        env=interpreter.env,
        stdin=json.dumps(request).encode(),
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        mode=mode,
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or ["nothing on stderr"])[-1][:300]
        how = f"no end after {timeout_s:.0f} s" if done.timed_out else f"exit status {done.returncode}"
        raise DriverDied(f"{script} gave no result ({how}): {said}; `make setup` mends an environment") from None


def in_halves(
    call: Callable[[Sequence[Item]], Reply], items: Sequence[Item], give_up: Callable[[Item], Reply]
) -> list[Reply]:
    """Replies that together cover `items`: a driver that dies is asked for each half, down to the culprit.

    Raises DriverDied where it dies of nothing, or of everything: then it is broken, and no item is to blame.
    """
    blamed = []

    def cover(part: Sequence[Item]) -> list[Reply]:
        try:
            return [call(part)]
        except DriverDied:
            if len(part) == 1:
                blamed.append(part[0])
                return [give_up(part[0])]
        return [reply for half in _halves(part) for reply in cover(half)]

    try:
        return [call(items)]
    except DriverDied:
        call([])
        if len(items) == 1:
            return [give_up(items[0])]
        replies = [reply for half in _halves(items) for reply in cover(half)]
        if len(blamed) == len(items):
            raise
        return replies


def _halves(items: Sequence[Item]) -> list[Sequence[Item]]:
    middle = len(items) // 2
    return [half for half in (items[:middle], items[middle:]) if half]
