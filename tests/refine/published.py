"""A project folder with what the stage publish reads: two own rows, one of the round before, a real tokenizer."""

from pathlib import Path

from tiny import tiny_tokenizer

from funreason.calls import join_completion
from funreason.core.jsonio import write_details, write_json, write_jsonl
from funreason.prompts import calling_messages

from .rows import GHENT, OSLO, TOOLS

OUTCOMES = {"kept": 1, "regenerated": 0, "statement": 1, "not_selected": 0, "dropped": 1, "hard": 0}
TEACHER = "models/teacher.json"


def trained(name: str, cot: str | None, answer: str) -> dict:
    completion = [{"role": "assistant", "content": join_completion(cot, answer)}]
    return {"id": name, "prompt": calling_messages(f"Query of {name}: Gött?", TOOLS), "completion": completion}


ROWS = [
    trained("r0/1", "It asks for Ghent, so I call for Ghent.", GHENT),
    trained("r1/1", "Oslo.", OSLO),
    trained("r1/2", None, "None of the functions can sing."),
]


def verdict(name: str, check: str, verdict: str = "pass", action: str = "keep") -> dict:
    return {"id": name, "check": check, "verdict": verdict, "action": action, "reason": "", "attempts": 1}


LEDGER = [
    *(verdict(name, "response") for name in "13"),
    verdict("2", "response", "fail"),
    *(verdict(name, "cot") for name in "1"),
    verdict("2", "cot", "skip"),
    verdict("3", "cot", "fail", "drop"),
]


def write_round(folder: Path, rows: list[dict] | None = None) -> Path:
    """Write round r1 into `folder`, all of its paths absolute where a user may write an absolute one."""
    write_jsonl(folder / "data/r1/train.jsonl", ROWS if rows is None else rows)
    write_jsonl(folder / "data/r1/ledger.jsonl", LEDGER)
    write_details(folder / "metrics/r1/6_validate.json", {"rows": 3, "outcomes": OUTCOMES})
    tiny_tokenizer().save_pretrained(folder / "student")
    write_json(folder / "data/source.json", local(folder / "rows.jsonl", "sha256:aaa"))
    write_json(folder / TEACHER, {"kind": "hub", "hub": "own/teacher", "revision": "c0ffee", "identity": "hub:bbb"})
    write_json(folder / "models/judges.json", {"judge": local(folder / "judge", "sha256:ccc")})
    write_json(folder / "models/base.json", local(folder / "student", "sha256:ddd"))
    return folder


def local(path: Path, identity: str) -> dict:
    return {"kind": "local", "path": str(path), "revision": None, "identity": identity}


def read_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}
