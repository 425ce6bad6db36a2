"""A ledger written by hand: a row for each outcome, and what the tests of the command expect of it."""

from funreason.ledger.outcomes import Outcome

OSLO, GHENT = "[get_weather(city='Oslo')]", "[get_weather(city='Ghent')]"
TOOLS = [{"name": "get_weather"}, {"name": "book_table"}]


def line(name: str, check: str, verdict: str = "pass", action: str = "keep", reason: str = "", **fields) -> dict:
    attempts = {"attempts": len(fields.get("votes", []))}
    return {"id": name, "check": check, "verdict": verdict, "action": action, "reason": reason, **attempts, **fields}


def vote(value: bool | None, judge: str = "small", text: str = "I looked.") -> dict:
    return {"judge": judge, "value": value, "text": text}


def heuristic(value: bool | None, reason: str = "", **evidence) -> dict:
    return {"value": value, "reason": reason, "evidence": evidence}


LINES = [
    line("1", "generate", reason="sampled"),
    line("2", "generate", "fail", "drop", "empty answer", votes=[vote(None, "generator", "<think>\x1b[2Jhm</think>")]),
    line("12#0", "generate", reason="sampled"),
    line("12#1", "generate", reason="sampled"),
    line("1", "response", votes=[vote(True)]),
    line("12#0", "response", "fail", "keep", "statement", votes=[vote(False), vote(False, "large")]),
    line("12#1", "response", votes=[vote(True)]),
    line("1", "cot", "fail", "drop", "reasoning leads elsewhere", votes=[vote(False)],
         heuristics=heuristic(False, "no city")),
    line("12#0", "cot", "skip", "keep", "statement"),
    line("12#1", "cot", votes=[vote(None), vote(True)], heuristics=heuristic(False)),
    line("12#0", "call", "skip", "keep", "statement"),
    line("12#1", "call", "pass", "regenerate", votes=[vote(False, text="It is Ghent."), vote(True)], attempts=2,
         old_answer=OSLO, new_answer=GHENT, heuristics=heuristic(False, "value not in the query", city="Oslo")),
    line("12#0", "validate", "skip", "keep", "statement"),
    line("12#1", "validate"),
]  # fmt: skip
OUTCOMES = {
    "1": Outcome("dropped", "cot", "reasoning leads elsewhere"),
    "2": Outcome("dropped", "generate", "empty answer"),
    "12#0": Outcome("statement", "response", "statement"),
    "12#1": Outcome("regenerated", "call", "answer replaced"),
}


def changed() -> list[dict]:
    """LINES with row 1 kept to the end, 12#0 gone and 3 new."""
    kept = [line("1", check) for check in ("cot", "call", "validate")]
    rest = [row for row in LINES if row["id"] != "12#0" and (row["id"], row["check"]) != ("1", "cot")]
    return [*rest, *kept, line("3", "generate", "fail", "drop", "empty answer")]


def refused(done: tuple[int, str, str]) -> str:
    """The one line of an error."""
    assert done[:2] == (1, "") and done[2].startswith("error: ") and done[2].count("\n") == 1
    return done[2]
