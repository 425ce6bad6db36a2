"""A line of the doctor, and what to do about it."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Diagnosis:
    """`level`: ok, warning (it may fail, or be slow), error (it will fail). Only an ok needs no remedy."""

    level: str
    what: str
    remedy: str = ""

    def __post_init__(self):
        # Messages of other libraries come with line ends of their own.
        object.__setattr__(self, "what", " ".join(self.what.split()))

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what

    def to_row(self) -> dict:
        """As JSON."""
        return asdict(self)


def ok(what: str) -> Diagnosis:
    """All is well."""
    return Diagnosis("ok", what)


def warning(what: str, remedy: str) -> Diagnosis:
    """It may fail, or be slow."""
    return Diagnosis("warning", what, remedy)


def error(what: str, remedy: str) -> Diagnosis:
    """It will fail."""
    return Diagnosis("error", what, remedy)


def from_error(raised: Exception) -> Diagnosis:
    """Our own errors end with the remedy, after a semicolon."""
    what, _, remedy = str(raised).rpartition("; ")
    return error(what or str(raised), remedy if what else "see above")


def gb(amount: float) -> str:
    """Bytes for people; 1 GB is 10^9."""
    return f"{amount / 1e9:,.1f} GB" if amount >= 5e7 else f"{amount / 1e6:,.1f} MB"
