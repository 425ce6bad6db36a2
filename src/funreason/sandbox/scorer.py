"""Scorer processes: a script that runs in a scorer's own environment, inside the sandbox. A request in, a reply out.

A scorer executes text that a model wrote, so it can die of a single answer. `run_each` and `bisect` find that answer,
give it up, and keep the verdicts on all others.
"""

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from funreason.core.errors import FunReasonError, SandboxError
from funreason.sandbox import isolation as sandbox

Item = TypeVar("Item")
Reply = TypeVar("Reply")


class ScorerDied(SandboxError):
    """A scorer process that was killed, ran out of time or did not write JSON: its own fault, or that of an answer."""


def scorer_python(name: str) -> Path:
    """`<root>/<name>/bin/python`: in the working folder, else in the repository it is a temporary copy of."""
    roots = [Path.cwd(), Path(os.environ.get("DVC_ROOT", ".")), Path(__file__).parents[3]]
    for root in roots:
        if (python := root / name / "bin" / "python").exists():
            return python
    optional = {".venv-bfcl3": "make bfcl3", ".venv-bfcl-vector": "make bfcl-vector", ".venv-acebench": "make acebench"}
    make = optional.get(name, "make setup")
    raise FunReasonError(f"the scorer's environment {name} is not in {roots[0]} or DVC_ROOT; run `{make}`")


def scorer_files(name: str, path: str) -> Path:
    """A file or folder of a package in a scorer's environment, such as `bfcl_eval/data`, whether it is there or not."""
    root = scorer_python(name).parents[1]
    return next(iter(sorted(root.glob(f"lib/python3*/site-packages/{path}"))), root / path)


def run_scorer(
    script: Path,
    python: str | Path,
    request: dict,
    *,
    timeout_s: float,
    mode: str,
    memory_mb: int = 2048,
    hidden: Sequence[Path] = (),
) -> dict:
    """The reply of a scorer process that answers a request as a whole.

    Args:
        script: what runs inside; it can read its own folder and the environment of `python`.
        python: the interpreter of the scorer's environment, see `scorer_python`.
        request: a JSON object, sent to stdin.
        timeout_s: seconds for the whole request.
        mode: of the sandbox, see `isolation.resolve`.
        memory_mb: address space of each process, in MiB.
        hidden: files and folders that the script cannot read, such as a benchmark's answers.

    Returns:
        The JSON object that the script wrote to stdout.

    Raises:
        ScorerDied: with the last line of its stderr.
    """
    done = _run(script, python, request, timeout_s=timeout_s, mode=mode, memory_mb=memory_mb, hidden=hidden)
    # A reply from before a violent end may come from what killed the process.
    with contextlib.suppress(ValueError):
        if done.returncode == 0:
            return json.loads(done.stdout)
    raise _death(script, done)


def run_scorer_lines(
    script: Path,
    python: str | Path,
    request: dict,
    *,
    timeout_s: float,
    mode: str,
    memory_mb: int = 2048,
    hidden: Sequence[Path] = (),
) -> tuple[list, ScorerDied | None]:
    """The replies of a scorer process that answers item by item, one JSON line each.

    Args: as for `run_scorer`.

    Returns:
        The lines that it wrote, and why it died if it did before the end.
    """
    done = _run(script, python, request, timeout_s=timeout_s, mode=mode, memory_mb=memory_mb, hidden=hidden)
    *lines, unfinished = done.stdout.split(b"\n")
    try:
        replies = [json.loads(line) for line in lines]
    except ValueError:
        return [], _death(script, done)
    return replies, None if done.returncode == 0 and not unfinished else _death(script, done)


def run_each(
    call: Callable[[Sequence[Item]], tuple[list[Reply], ScorerDied | None]],
    items: Sequence[Item],
    give_up: Callable[[Item], Reply],
) -> list[Reply]:
    """A reply for each item, from a scorer process that answers them one by one and may die of one.

    The item at which it died is tried once more, alone: it may have been killed by what an earlier item left behind.
    A reply counts, also where the process died afterwards.

    Args:
        call: sends items to a scorer process, see `run_scorer_lines`.
        items: what to score.
        give_up: the reply for an item that kills the process also when it is alone.

    Returns:
        The replies, in the order of `items`.

    Raises:
        ScorerDied: where it dies without any item, or of every item: then it is broken, and no item is to blame.
    """
    replies, blamed = _reply_or_blame(call, items)
    deaths = []
    for number in blamed:
        alone, death = call([items[number]])
        replies[number] = alone[0] if alone else give_up(items[number])
        if not alone:
            deaths.append(death)
    if deaths:
        everything = deaths[-1] if len(deaths) == len(items) > 1 else None
        if broken := call([])[1] or everything:
            raise broken
    return replies


def run_each_parallel(
    call: Callable[[Sequence[Item]], tuple[list[Reply], ScorerDied | None]],
    items: Sequence[Item],
    give_up: Callable[[Item], Reply],
) -> list[Reply]:
    """`run_each` with one scorer process per core, at most 4; each takes every n-th item.

    Args: as for `run_each`.

    Returns:
        The replies, in the order of `items`.
    """
    workers = min(4, os.cpu_count() or 1, len(items) or 1)
    parts = [items[start::workers] for start in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        replies = list(pool.map(lambda part: run_each(call, part, give_up), parts))
    return [replies[number % workers][number // workers] for number in range(len(items))]


def bisect(
    call: Callable[[Sequence[Item]], Reply], items: Sequence[Item], give_up: Callable[[Item], Reply]
) -> list[Reply]:
    """Replies that together cover all items, from a scorer process that answers all of them with one reply.

    Where it dies, it is asked for each half, down to the item that kills it. Without items it is not asked.

    Args:
        call: sends items to a scorer process, see `run_scorer`; it raises ScorerDied.
        items: what to score.
        give_up: the reply for the one item that kills the process.

    Returns:
        One reply for each part that went through, in order.

    Raises:
        ScorerDied: where it dies without any item, or of every item: then it is broken, and no item is to blame.
    """
    if not items:
        return []
    try:
        return [call(items)]
    except ScorerDied:
        call([])
        if len(items) == 1:
            return [give_up(items[0])]
        replies, blamed = _bisected(call, items, give_up)
        if blamed == len(items):
            raise
        return replies


def _bisected(
    call: Callable[[Sequence[Item]], Reply], items: Sequence[Item], give_up: Callable[[Item], Reply]
) -> tuple[list[Reply], int]:
    """(replies that cover both halves of `items`, how many items were given up)."""
    replies: list[Reply] = []
    blamed, middle = 0, len(items) // 2
    for half in (items[:middle], items[middle:]):
        try:
            replies.append(call(half))
        except ScorerDied:
            if len(half) == 1:
                more, culprits = [give_up(half[0])], 1
            else:
                more, culprits = _bisected(call, half, give_up)
            replies, blamed = replies + more, blamed + culprits
    return replies, blamed


def _reply_or_blame(
    call: Callable[[Sequence[Item]], tuple[list[Reply], ScorerDied | None]], items: Sequence[Item]
) -> tuple[list, list[int]]:
    """(a reply per item, None where the process died; the places where it died)."""
    replies: list = []
    blamed = []
    while len(replies) < len(items):
        more, _ = call(items[len(replies) :])
        replies += more
        if len(replies) < len(items):
            blamed.append(len(replies))
            replies.append(None)
    return replies, blamed


def _run(
    script: Path,
    python: str | Path,
    request: dict,
    *,
    timeout_s: float,
    mode: str,
    memory_mb: int,
    hidden: Sequence[Path],
) -> sandbox.Finished:
    interpreter = sandbox.interpreter(python)
    return sandbox.run(
        [*interpreter.command, str(script)],
        readable=[*interpreter.readable, script.parent],
        hidden=hidden,
        env=interpreter.env | {"PYTHONHASHSEED": "0"},  # else the order of a Python set differs from run to run
        stdin=json.dumps(request).encode(),
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        mode=mode,
    )


def _death(script: Path, done: sandbox.Finished) -> ScorerDied:
    last_line = (done.stderr.strip().splitlines() or ["nothing on stderr"])[-1][:300]
    how = f"ended for {done.ended_for}" if done.ended_for else f"exit status {done.returncode}"
    return ScorerDied(f"{script.name} gave no result ({how}): {last_line}; `make setup` mends an environment")
