"""The rows that travel between the stages."""

from dataclasses import MISSING, dataclass, field, fields
from typing import ClassVar, Self

from funreason.core.errors import DataError
from funreason.core.jsonio import JsonObject

KINDS = ("call", "statement")


@dataclass(frozen=True)
class Row:
    """A row as a dataclass, from and to a JSON object.

    Unknown and missing fields and values that are not allowed raise DataError, so that a renamed field is noticed.
    """

    id: str

    _allowed: ClassVar[dict[str, tuple[str, ...]]] = {}
    _left_out: ClassVar[tuple[str, ...]] = ()  # fields that are not written where they are empty

    def to_row(self) -> JsonObject:
        """The JSON object, a shallow copy: rows are not changed, and deep copies took most of a stage's time."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in self._left_out:
            if not row[name]:
                del row[name]
        return row

    @classmethod
    def from_row(cls, row: JsonObject) -> Self:
        """The row of a JSON object. Raises DataError where a field is missing, unknown or has a wrong value."""
        required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
        known = [f.name for f in fields(cls)]
        missing, unknown = [n for n in required if n not in row], [n for n in row if n not in known]
        if missing or unknown:
            raise DataError(
                f"not a {cls.__name__} row (id {row.get('id')!r}): missing {missing}, unknown {unknown}; "
                f"fields are {known}; rerun the stage that wrote the file"
            )
        return cls(**row)

    def __post_init__(self) -> None:
        for name, allowed in self._allowed.items():
            if (value := getattr(self, name)) not in allowed:
                who = f"{type(self).__name__} {self.id!r}"
                raise DataError(f"{who}: {name} is {value!r}, allowed are {list(allowed)}")


@dataclass(frozen=True)
class Task(Row):
    """A query with its tools (in xLAM's format) and the reference calls; `answers` is [] where no call fits.

    `response` is {"cot", "answer"} where the source is already distilled: generate keeps it and asks no model.
    In a conversation `query` is the user's last message, `history` the messages before it and `steps` those after it
    (calls and their results), each {"role": user | assistant | tool, "content"}. `names` is the row of the `NameMap`
    where a tool or parameter of the source has a name that calls cannot write: all else has identifiers in its place.
    """

    query: str
    tools: list[JsonObject]
    answers: list[JsonObject]
    response: JsonObject | None = None
    history: list[JsonObject] = field(default_factory=list)
    steps: list[JsonObject] = field(default_factory=list)
    names: JsonObject = field(default_factory=dict)

    _left_out: ClassVar = ("history", "steps", "names")


@dataclass(frozen=True)
class Sample(Row):
    """A task with one reasoning and one answer text, on its way through the checks.

    `history`, `steps` and `names` are those of the Task; `kind` says whether the answer holds calls.
    """

    query: str
    tools: list[JsonObject]
    cot: str
    answer: str
    kind: str = "call"
    regenerated: bool = False
    history: list[JsonObject] = field(default_factory=list)
    steps: list[JsonObject] = field(default_factory=list)
    names: JsonObject = field(default_factory=dict)

    _allowed: ClassVar = {"kind": KINDS}
    _left_out: ClassVar = ("history", "steps", "names")
