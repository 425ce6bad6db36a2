"""Start a driver of `drivers/` in a scorer's environment, inside the sandbox: a request in, a reply out."""

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from funreason.core.errors import FunReasonError, SandboxError
from funreason.sandbox import isolation as sandbox

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
    make = "make bfcl3" if name == ".venv-bfcl3" else "make setup"
    raise FunReasonError(f"the scorer's environment {name} is not in {roots[0]} or DVC_ROOT; run `{make}`")


def drive(script: str, python: str | Path, request: dict, **limits) -> dict:
    """The reply of `drivers/<script>` to `request`; `limits` as for `drive_rows`.

    Raises DriverDied with the last line of its stderr.
    """
    done = _driven(script, python, request, **limits)
    # What was said before a violent end may be what killed it.
    with contextlib.suppress(ValueError):
        if done.returncode == 0:
            return json.loads(done.stdout)
    raise _death(script, done)


def drive_rows(script: str, python: str | Path, request: dict, **limits) -> tuple[list, DriverDied | None]:
    """(the lines that `drivers/<script>` said about `request`, what it died of if it did before the end).

    `limits`: timeout_s (seconds for all), memory_mb (MiB of address space of each process), mode (of the sandbox).
    """
    done = _driven(script, python, request, **limits)
    *lines, last = done.stdout.split(b"\n")
    try:
        rows = [json.loads(line) for line in lines]
    except ValueError:
        return [], _death(script, done)
    return rows, None if done.returncode == 0 and not last else _death(script, done)


def _driven(script: str, python: str | Path, request: dict, *, timeout_s, mode, memory_mb=2048) -> sandbox.Finished:
    interpreter = sandbox.interpreter(python)
    return sandbox.run(
        [*interpreter.command, str(DRIVERS / script)],
        readable=[*interpreter.readable, DRIVERS],
        env=interpreter.env | {"PYTHONHASHSEED": "0"},  # else the order of a set differs from run to run
        stdin=json.dumps(request).encode(),
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        mode=mode,
    )


def _death(script: str, done: sandbox.Finished) -> DriverDied:
    said = (done.stderr.strip().splitlines() or ["nothing on stderr"])[-1][:300]
    how = f"ended for {done.ended_for}" if done.ended_for else f"exit status {done.returncode}"
    return DriverDied(f"{script} gave no result ({how}): {said}; `make setup` mends an environment")


def in_turn(
    call: Callable[[Sequence[Item]], tuple[list[Reply], DriverDied | None]],
    items: Sequence[Item],
    give_up: Callable[[Item], Reply],
) -> list[Reply]:
    """A reply for each of `items`, from a driver that answers them one by one and may die of one.

    The item it died at has a second try, alone: it may have been killed by what an earlier one left behind.
    What it said counts, also where it died afterwards.
    Raises DriverDied where it dies of nothing, or of everything: then it is broken, and no item is to blame.
    """
    replies, blamed = _covered(call, list(items))
    deaths = []
    for number in blamed:
        alone, death = call([items[number]])
        replies[number] = alone[0] if alone else give_up(items[number])
        deaths += [] if alone else [death]
    if deaths and (death := call([])[1] or (deaths[-1] if len(deaths) == len(items) > 1 else None)):
        raise death
    return replies


def _covered(call, items: list[Item]) -> tuple[list, list[int]]:
    """(replies, None where it died; the places where it died)."""
    replies, blamed = [], []
    while len(replies) < len(items):
        found, _ = call(items[len(replies) :])
        replies += found
        if len(replies) < len(items):
            blamed.append(len(replies))
            replies.append(None)
    return replies, blamed


def in_halves(
    call: Callable[[Sequence[Item]], Reply], items: Sequence[Item], give_up: Callable[[Item], Reply]
) -> list[Reply]:
    """Replies that together cover `items`: a driver that dies is asked for each half, down to the culprit.

    Without items it is not asked. Raises DriverDied where it dies of nothing, or of everything: then it is broken, and
    no item is to blame.
    """
    if not items:
        return []
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
