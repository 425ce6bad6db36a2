"""The ledger of a set as data: its rows, numbers over them, where each row ended, and what two states differ in.

A row is read as a plain dict, so that ledgers of earlier versions (votes as texts, no rules) can be read and compared.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import LEDGER, ledger
from funreason.ledger.pools import FATES, LEFT

WORKSPACE = "workspace"
COMMONEST = 10


@dataclass(frozen=True)
class End:
    """Where a row ended: its fate, and the step and reason that decided it ("" where nothing was found)."""

    fate: str
    check: str
    reason: str


def read_ledger(path: Path) -> Iterator[dict]:
    """The rows of a ledger file. Raises DataError where there is none, or where it is something else."""
    if not path.is_file():
        here = ", ".join(sorted(file.parent.name for file in path.parent.parent.glob(f"*/{LEDGER}"))) or "none"
        name = path.parent.name
        raise DataError(
            f"{path} does not exist; `dvc repro validate@{name}` makes it, `dvc pull validate@{name}` brings it from "
            f"a remote, --set chooses another set (with a ledger here: {here})"
        )
    return _checked(read_jsonl(path), str(path))


def ends(rows: Iterable[dict]) -> dict[str, End]:
    """id → where it ended, by the ledger alone: the last thing that was done to it. Agrees with `pools.fates`."""
    found: dict[str, End] = {}
    for row in rows:
        found[row["id"]] = _after(found.get(row["id"]), row)
    return found


def _after(before: End | None, row: dict) -> End:
    check, action, reason = row["check"], row.get("action"), row.get("reason") or ""
    if action in LEFT:
        return _end(LEFT[action], check, reason)
    if action == "regenerate":
        return _end("regenerated", check, reason or "answer replaced")
    if check == "response" and row.get("verdict") == "fail":
        return _end("statement", check, reason)
    return before if before and before.fate != "kept" else _end("kept", check, "")


@lru_cache(maxsize=4096)
def _end(fate: str, check: str, reason: str) -> End:
    """One object for all rows that ended alike: those of a million rows fit into memory."""
    return End(fate, check, reason)


def stats(rows: Iterable[dict]) -> dict:
    """The numbers of a set: one entry a step in the order of the chain, the fates, the commonest reasons.

    In one pass: the texts of a large judge do not all fit into memory.
    """
    steps: dict[str, dict] = {}
    reasons: Counter[tuple[str, str]] = Counter()

    def counted() -> Iterator[dict]:
        for row in rows:
            _count(steps.setdefault(row["check"], _nothing(row["check"])), row)
            if row.get("reason") and _telling(row):
                reasons[row["check"], row["reason"]] += 1
            yield row

    found = Counter(end.fate for end in ends(counted()).values())
    commonest = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]
    return {
        "rows": found.total(),
        "steps": list(steps.values()),
        "fates": {name: found[name] for name in FATES},
        "reasons": [{"step": step, "reason": reason, "rows": count} for (step, reason), count in commonest],
    }


def _nothing(step: str) -> dict:
    names = ("in", "pass", "fail", "undecided", "skip", "regenerated", "spare", "dropped", "hard", "asks")
    return {"step": step, **dict.fromkeys(names, 0), "rules": {"both": 0, "agree": 0}}


def _count(entry: dict, row: dict) -> None:
    entry["in"] += 1
    entry["asks"] += row.get("asks") or 0
    if (verdict := row.get("verdict")) in entry:
        entry[verdict] += 1
    if name := {"regenerate": "regenerated", **LEFT}.get(row.get("action")):
        entry[name] += 1
    ruled, judged = (row.get("rules") or {}).get("value"), judge_value(row)
    if ruled is not None and judged is not None:
        entry["rules"]["both"] += 1
        entry["rules"]["agree"] += ruled == judged


def _telling(row: dict) -> bool:
    """Whether the reason is one for leaving, mending or doubting; that a statement skipped a check is none."""
    return row.get("action") != "keep" or row.get("verdict") in ("fail", "undecided")


def judge_value(row: dict) -> bool | None:
    """What most judges said about the row as it came in; None where none was readable, or as many said the contrary.

    Where the answer was replaced, the new one was voted on as well: only each judge's first word counts.
    """
    readable = [vote for vote in row.get("votes") or [] if isinstance(vote, dict) and vote.get("value") is not None]
    if row.get("new_answer") is not None:
        readable = list({vote.get("judge"): vote for vote in reversed(readable)}.values())
    for_it = sum(vote["value"] for vote in readable)
    return None if 2 * for_it == len(readable) else 2 * for_it > len(readable)


def diff(before: dict[str, End], after: dict[str, End]) -> dict:
    """Which rows changed their fate from one state (a) to another (b), with the deciding step and reason of each."""
    changed = [
        {"id": name, "a": asdict(end), "b": asdict(after[name])}
        for name, end in before.items()
        if name in after and after[name].fate != end.fate
    ]
    moves = Counter((row["a"]["fate"], row["b"]["fate"]) for row in changed)
    removed = [name for name in before if name not in after]
    return {
        "rows": {"a": len(before), "b": len(after)},
        "unchanged": len(before) - len(changed) - len(removed),
        "transitions": [
            {"from": old, "to": new, "rows": count}
            for (old, new), count in sorted(moves.items(), key=lambda item: (-item[1], item[0]))
        ],
        "changed": changed,
        "added": [name for name in after if name not in before],
        "removed": removed,
    }


def state(side: str, name: str) -> dict[str, End]:
    """The ends of a set in a folder (a checkout's or the set's own), here, or at a revision. Raises DataError."""
    if side == WORKSPACE:
        return ends(read_ledger(Path(ledger(name))))
    folder = Path(side)
    if not folder.is_dir():
        return _at_revision(side, name)
    if (folder / LEDGER).is_file():
        return ends(read_ledger(folder / LEDGER))
    if not (folder / ledger(name)).is_file():
        raise DataError(
            f"{side}: neither {LEDGER} nor {ledger(name)} is in this folder; run `dvc pull validate@{name}` in "
            f"that checkout; for a branch write refs/heads/{side}, for an experiment its hash (`dvc exp list`)"
        )
    return ends(read_ledger(folder / ledger(name)))


def _at_revision(revision: str, name: str) -> dict[str, End]:
    import dvc.api
    from dvc.exceptions import DvcException, PathMissingError
    from dvc.scm import RevError, SCMError

    path = ledger(name)
    try:
        with dvc.api.open(path, repo=".", rev=revision, encoding="utf-8") as file:
            return ends(_checked(_objects(file, f"{path} at {revision}"), f"{path} at {revision}"))
    except RevError:
        names = "`git log --oneline`, `git branch` and `dvc exp list` name what there is"
        raise DataError(f"{revision!r} is no folder, and no Git revision or DVC experiment here; {names}") from None
    except SCMError:
        raise DataError(f"{revision!r} is no folder, and this one is no Git repository to look it up in") from None
    except PathMissingError:
        raise DataError(_absent(path, revision, name)) from None
    except (DvcException, OSError) as error:
        raise DataError(f"{path} at {revision} cannot be read: {error}") from None


def _absent(path: str, revision: str, name: str) -> str:
    """DVC raises the same error for what a revision never had and for what it has, but not on this machine."""
    import dvc.api
    from dvc.exceptions import DvcException

    try:
        made = f"path: {path}\n" in dvc.api.read("dvc.lock", repo=".", rev=revision)
    except DvcException:
        made = False
    if not made:
        return f"{path} was not made at {revision} (its dvc.lock does not name it); compare another revision or --set"
    remedy = f"`dvc fetch --all-commits validate@{name}` brings it from a remote (`dvc pull` the present one)"
    return f"{path} at {revision} is not on this machine; {remedy}"


def _objects(lines: Iterable[str], where: str) -> Iterator[dict]:
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise DataError(f"{where}, line {number} is not JSON ({error}); compare another revision") from None


def _checked(rows: Iterable[dict], where: str) -> Iterator[dict]:
    for number, row in enumerate(rows, 1):
        if not (isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("check"), str)):
            raise DataError(f"{where}, row {number} has no `id` and `check`: this is not a ledger")
        yield row
