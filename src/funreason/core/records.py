"""The rows that travel between the stages."""

from dataclasses import MISSING, dataclass, field, fields

from funreason.core.errors import DataError

KINDS = ("call", "statement")
VERDICTS = ("pass", "fail", "undecided", "skip")
ACTIONS = ("keep", "drop", "hard", "regenerate", "spare")


class _Row:
    """dict ⇄ dataclass. Unknown, missing and out-of-list values raise: no renamed field slips by."""

    _allowed: dict[str, tuple[str, ...]] = {}
    _left_out: tuple[str, ...] = ()  # fields that are not written where they are empty

    def to_row(self) -> dict:
        """Shallow: a row is written, not changed, and copies of its tools took most of a stage's time."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in self._left_out:
            if not row[name]:
                del row[name]
        return row

    @classmethod
    def from_row(cls, row: dict):
        required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
        known = [f.name for f in fields(cls)]
        missing, unknown = [n for n in required if n not in row], [n for n in row if n not in known]
        if missing or unknown:
            raise DataError(
                f"not a {cls.__name__} row (id {row.get('id')!r}): missing {missing}, unknown {unknown}; "
                f"fields are {known}; rerun the stage that wrote the file"
            )
        return cls(**row)

    def __post_init__(self):
        for name, allowed in self._allowed.items():
            if (value := getattr(self, name)) not in allowed:
                who = f"{type(self).__name__} {self.id!r}"
                raise DataError(f"{who}: {name} is {value!r}, allowed are {list(allowed)}")


@dataclass(frozen=True)
class Task(_Row):
    """A query with its tools (xLAM's form) and the reference calls; `answers` [] means that no call fits.

    `response` is {"cot", "answer"} where the source is already distilled: generate keeps it, asks nobody.
    In a conversation `query` is the user's last message, `history` the messages before it and `steps` those after it
    (calls and their results), each {"role": user | assistant | tool, "content"}.
    """

    id: str
    query: str
    tools: list[dict]
    answers: list[dict]
    response: dict | None = None
    history: list[dict] = field(default_factory=list)
    steps: list[dict] = field(default_factory=list)

    _left_out = ("history", "steps")


@dataclass(frozen=True)
class Sample(_Row):
    """A task with one reasoning and one answer text, on its way through the checks; `history` and `steps` as there."""

    id: str
    query: str
    tools: list[dict]
    cot: str
    answer: str
    kind: str = "call"
    regenerated: bool = False
    history: list[dict] = field(default_factory=list)
    steps: list[dict] = field(default_factory=list)

    _allowed = {"kind": KINDS}
    _left_out = ("history", "steps")


@dataclass(frozen=True)
class Verdict(_Row):
    """What one check decided about one row, and why.

    `votes` are the judges' raw texts in asking order, {"judge", "value" (null: unreadable), "text"}; `rules` is what
    the rules found in the row as it came in, {"value" (null: unclear), "reason", "evidence"}.
    """

    id: str
    check: str
    verdict: str
    action: str
    reason: str
    asks: int = 0
    votes: list[dict] = field(default_factory=list)
    old_answer: str | None = None
    new_answer: str | None = None
    rules: dict | None = None

    _allowed = {"verdict": VERDICTS, "action": ACTIONS}
