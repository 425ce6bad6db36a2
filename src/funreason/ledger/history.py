"""The ledger of a round as data: its lines, numbers over them, where each row ended, and how two states differ.

A line is read as a plain dict, so that ledgers of earlier versions (votes as texts, no heuristics, or these under their
old names) can be read and compared.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import LEDGER, ledger
from funreason.ledger.outcomes import LEFT, OUTCOMES, Outcome

WORKSPACE = "workspace"
COMMONEST = 10

# What earlier versions wrote, and its name now.
_OLD_FIELDS = {"asks": "attempts", "rules": "heuristics"}
_OLD_ACTIONS = {"spare": "not_selected"}


def read_ledger(path: Path) -> Iterator[dict]:
    """The lines of a ledger file. Raises DataError where there is none, or where it is something else."""
    if not path.is_file():
        here = ", ".join(sorted(file.parent.name for file in path.parent.parent.glob(f"*/{LEDGER}"))) or "none"
        name = path.parent.name
        raise DataError(
            f"{path} does not exist; `dvc repro validate@{name}` makes it, `dvc pull validate@{name}` brings it from "
            f"a remote, --round chooses another round (with a ledger here: {here})"
        )
    return _checked(read_jsonl(path), str(path))


def row_outcomes(lines: Iterable[dict]) -> dict[str, Outcome]:
    """id → outcome, by the ledger alone: the last thing that was done to the row. Agrees with `RowHistory.outcome`."""
    outcomes: dict[str, Outcome] = {}
    for line in lines:
        outcomes[line["id"]] = _outcome_after(outcomes.get(line["id"]), line)
    return outcomes


def _outcome_after(before: Outcome | None, line: dict) -> Outcome:
    check, action, reason = line["check"], line.get("action") or "", line.get("reason") or ""
    if action in LEFT:
        return _outcome(LEFT[action], check, reason)
    if action == "regenerate":
        return _outcome("regenerated", check, reason or "answer replaced")
    if check == "response" and line.get("verdict") == "fail":
        return _outcome("statement", check, reason)
    return before if before and before.name != "kept" else _outcome("kept", check, "")


@lru_cache(maxsize=4096)
def _outcome(name: str, check: str, reason: str) -> Outcome:
    """One object for all rows that ended alike: those of a million rows fit into memory."""
    return Outcome(name, check, reason)


def stats(lines: Iterable[dict]) -> dict:
    """The numbers of a round: one entry per step in the order of the chain, the outcomes, the commonest reasons.

    In one pass: the texts of a large judge do not all fit into memory.
    """
    steps: dict[str, dict] = {}
    reasons: Counter[tuple[str, str]] = Counter()

    def counting() -> Iterator[dict]:
        for line in lines:
            _count(steps.setdefault(line["check"], _no_counts(line["check"])), line)
            if line.get("reason") and _is_telling(line):
                reasons[line["check"], line["reason"]] += 1
            yield line

    outcomes = Counter(outcome.name for outcome in row_outcomes(counting()).values())
    commonest = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]
    return {
        "rows": outcomes.total(),
        "steps": list(steps.values()),
        "outcomes": {name: outcomes[name] for name in OUTCOMES},
        "reasons": [{"step": step, "reason": reason, "rows": count} for (step, reason), count in commonest],
    }


def _no_counts(step: str) -> dict:
    names = ("in", "pass", "fail", "undecided", "skip", "regenerated", "not_selected", "dropped", "hard", "attempts")
    return {"step": step, **dict.fromkeys(names, 0), "heuristics": {"both": 0, "agree": 0}}


def _count(entry: dict, line: dict) -> None:
    entry["in"] += 1
    entry["attempts"] += line.get("attempts") or 0
    if (verdict := line.get("verdict")) in entry:
        entry[verdict] += 1
    if name := {"regenerate": "regenerated", **LEFT}.get(line.get("action") or ""):
        entry[name] += 1
    heuristic, judges = (line.get("heuristics") or {}).get("value"), judges_value(line)
    if heuristic is not None and judges is not None:
        entry["heuristics"]["both"] += 1
        entry["heuristics"]["agree"] += heuristic == judges


def _is_telling(line: dict) -> bool:
    """Whether the reason is one for leaving, mending or doubting, and not that a statement skipped a check."""
    return line.get("action") != "keep" or line.get("verdict") in ("fail", "undecided")


def judges_value(line: dict) -> bool | None:
    """What most judges said about the row as it came in; None where no vote was readable, or as many said the contrary.

    Where the answer was replaced, the judges voted on the new one as well: only the first vote of each counts.
    """
    readable = [vote for vote in line.get("votes") or [] if isinstance(vote, dict) and vote.get("value") is not None]
    if line.get("new_answer") is not None:
        readable = list({vote.get("judge"): vote for vote in reversed(readable)}.values())
    in_favour = sum(vote["value"] for vote in readable)
    return None if 2 * in_favour == len(readable) else 2 * in_favour > len(readable)


def diff(before: dict[str, Outcome], after: dict[str, Outcome]) -> dict:
    """Which rows have another outcome in one state than in another, with the deciding step and reason of each.

    Args:
        before: id → outcome in state a.
        after: id → outcome in state b.
    """
    changed = [
        (name, outcome, after[name])
        for name, outcome in before.items()
        if name in after and after[name].name != outcome.name
    ]
    moves = Counter((old.name, new.name) for _, old, new in changed)
    removed = [name for name in before if name not in after]
    return {
        "rows": {"a": len(before), "b": len(after)},
        "unchanged": len(before) - len(changed) - len(removed),
        "transitions": [
            {"from": old, "to": new, "rows": count}
            for (old, new), count in sorted(moves.items(), key=lambda item: (-item[1], item[0]))
        ],
        "changed": [{"id": name, "a": old.to_row(), "b": new.to_row()} for name, old, new in changed],
        "added": [name for name in after if name not in before],
        "removed": removed,
    }


def state(side: str, name: str) -> dict[str, Outcome]:
    """Where the rows of a round ended, in one state of the project.

    A name that is both a revision and a folder is the revision; `./name` is the folder.

    Args:
        side: `workspace`, a Git revision, a DVC experiment, or a folder: a checkout or data/<round> of one.
        name: the round.

    Raises:
        DataError: `side` is none of these, or it has no ledger of the round here.
    """
    if side == WORKSPACE:
        return row_outcomes(read_ledger(Path(ledger(name))))
    is_path = side in (".", "..") or side.startswith(("./", "../", "/"))
    at_revision = None if is_path else _at_revision(side, name)
    return _in_folder(Path(side), name) if at_revision is None else at_revision


def _in_folder(folder: Path, name: str) -> dict[str, Outcome]:
    if not folder.is_dir():
        here = Path.cwd()
        if not any((parent / ".git").exists() for parent in (here, *here.parents)):
            raise DataError(f"{str(folder)!r} is not a folder, and this one is not a Git repository to look it up in")
        names = "`git log --oneline`, `git branch` and `dvc exp list` show the names there are"
        raise DataError(f"{str(folder)!r} is not a folder, nor a Git revision or DVC experiment here; {names}")
    for path in (folder / LEDGER, folder / ledger(name)):
        if path.is_file():
            return row_outcomes(read_ledger(path))
    raise DataError(
        f"{folder}: neither {LEDGER} nor {ledger(name)} is in this folder; run `dvc pull validate@{name}` in that "
        f"checkout, or choose another round with --round"
    )


def _at_revision(revision: str, name: str) -> dict[str, Outcome] | None:
    """None where this is not a revision. Raises DataError where the revision has no ledger of the round here."""
    import dvc.api
    from dvc.exceptions import DvcException, NotDvcRepoError, PathMissingError
    from dvc.scm import RevError, SCMError

    path = ledger(name)
    try:
        with dvc.api.open(path, repo=".", rev=revision, encoding="utf-8") as file:
            return row_outcomes(_checked(_objects(file, f"{path} at {revision}"), f"{path} at {revision}"))
    except (RevError, SCMError, NotDvcRepoError):
        return None
    except PathMissingError:
        folder = f"; for the folder of this name write ./{revision}" if Path(revision).is_dir() else ""
        raise DataError(f"{_absent(path, revision, name)}{folder}") from None
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
        return f"{path} was not made at {revision} (its dvc.lock does not name it); compare another revision or --round"
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
        yield _renamed(row)


def _renamed(line: dict) -> dict:
    """A line of an earlier version under the names of this one."""
    line = {_OLD_FIELDS.get(key, key): value for key, value in line.items()}
    action = line.get("action")
    return line | {"action": _OLD_ACTIONS[action]} if action in _OLD_ACTIONS else line
