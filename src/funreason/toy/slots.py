"""Kinds of parameters: how each is declared in a tool and worded in a query, and what value the call must hold.

A value is *verbatim* when the query writes it as the call does ("3"), and *converted* when the call needs
another form ("three" -> 3, "March 5, 2024" -> "2024-03-05", "alerts enabled" -> True).

The word right before a value belongs to one kind alone ("in Rome" is a city, "from Rome" an origin), because the toy
models are too small to read on to the word after it, and a small world that is mastered shows more than a large one
that is not. For the same reason most values are one to three tokens long, and two calls of one tool use different
wordings ("in Rome" in the first, "around Oslo" in the second).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from funreason.toy import inventory as inv


@dataclass(frozen=True)
class Value:
    """One value.

    Attributes:
        text: The value in the query.
        value: The value in the call.
        converted: Whether the two differ in form.
        wording: The words around `text` in the query, with {} in its place.
    """

    text: str
    value: object
    converted: bool = False
    wording: str = "{}"

    @property
    def phrase(self) -> str:
        """The value in the query with the words around it."""
        return self.wording.format(self.text)


Sampler = Callable[[Random, bool], Value]  # the second argument: whether to convert


@dataclass(frozen=True)
class Kind:
    """A parameter kind: its xLAM type and description, two wordings around `{}`, and a sampler of values."""

    type: str
    description: str
    wordings: tuple[str, str]
    sample: Sampler
    default: object = None
    enum: tuple[str, ...] | None = None


def word(options: list[str] | tuple[str, ...]) -> Sampler:
    """One of the words."""

    def sample(rng: Random, convert: bool) -> Value:
        chosen = rng.choice(options)
        return Value(chosen, chosen)

    return sample


def pair(first: list[str], second: list[str]) -> Sampler:
    """Two words, one of each list."""

    def sample(rng: Random, convert: bool) -> Value:
        chosen = f"{rng.choice(first)} {rng.choice(second)}"
        return Value(chosen, chosen)

    return sample


def integer(low: int, high: int) -> Sampler:
    """Whole numbers, written out up to 99 where conversion is asked for."""

    def sample(rng: Random, convert: bool) -> Value:
        if convert and rng.random() < 0.5:
            number = rng.randint(low, min(high, 99))
            return Value(inv.spelled(number), number, converted=True)
        number = rng.randint(low, high)
        return Value(str(number), number)

    return sample


def decimal(low: int, high: int) -> Sampler:
    """Numbers with one decimal."""

    def sample(rng: Random, convert: bool) -> Value:
        number = round(rng.uniform(low, high), 1) if rng.random() < 0.5 else float(rng.randint(low, high)) + 0.5
        return Value(str(number), number)

    return sample


def date(rng: Random, convert: bool) -> Value:
    """A date, in the call always YYYY-MM-DD."""
    year, month, day = rng.randint(2020, 2029), rng.randint(1, 12), rng.randint(1, 28)
    iso = f"{year}-{month:02d}-{day:02d}"
    if not convert or rng.random() < 0.4:
        return Value(iso, iso)
    name = inv.MONTHS[month - 1]
    return Value(f"{name} {day}, {year}" if rng.random() < 0.7 else f"{day} {name} {year}", iso, converted=True)


def clock(rng: Random, convert: bool) -> Value:
    """A time as HH:MM."""
    text = f"{rng.randint(7, 21):02d}:{rng.choice((0, 10, 15, 20, 30, 45)):02d}"
    return Value(text, text)


def code(rng: Random, convert: bool) -> Value:
    """Two letters and two digits."""
    text = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(2)) + str(rng.randint(10, 99))
    return Value(text, text)


def flag(rng: Random, convert: bool) -> Value:
    """`enabled` or `disabled`, a boolean in the call."""
    chosen = rng.random() < 0.5
    return Value("enabled" if chosen else "disabled", chosen, converted=True)


def joined(items: list[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def tags(rng: Random, convert: bool) -> Value:
    """A list of two or three words."""
    chosen = rng.sample(inv.TAGS, rng.randint(2, 3))
    return Value(joined(chosen), chosen)


def numbers(rng: Random, convert: bool) -> Value:
    """A list of two to four numbers."""
    chosen = [rng.randint(1, 99) for _ in range(rng.randint(2, 4))]
    return Value(joined([str(number) for number in chosen]), chosen)


def filters(rng: Random, convert: bool) -> Value:
    """An object with a brand and a year."""
    brand, year = rng.choice(inv.BRANDS), rng.randint(2000, 2029)
    return Value(f"brand is {brand} and year is {year}", {"brand": brand, "year": year})


UNITS = ("metric", "imperial")
SIZES = ("small", "medium", "large")
LEVELS = ("low", "normal", "high")
LANGUAGES = ("French", "German", "Spanish", "Italian", "Dutch")
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
FORMATS = ("pdf", "csv", "html")

KINDS: dict[str, Kind] = {
    "city": Kind("str", "Name of the city", ("in {}", "around {}"), word(inv.CITIES), "Paris"),
    "origin": Kind("str", "City where it starts", ("from {}", "leaving {}"), word(inv.CITIES), "Paris"),
    "destination": Kind("str", "City where it ends", ("to {}", "reaching {}"), word(inv.CITIES), "Rome"),
    "person": Kind(
        "str", "Full name of the person", ("for {}", "under the name {}"), pair(inv.FIRST_NAMES, inv.LAST_NAMES), ""
    ),
    "contact": Kind(
        "str", "Full name of the receiver", ("notifying {}", "copying {}"), pair(inv.FIRST_NAMES, inv.LAST_NAMES), ""
    ),
    "title": Kind("str", "Title of the item", ("called {}", "titled {}"), pair(inv.ADJECTIVES, inv.NOUNS), ""),
    "topic": Kind("str", "Topic in one word", ("about {}", "on the topic {}"), word(inv.TOPICS), ""),
    "code": Kind("str", "Reference code", ("with code {}", "with reference {}"), code, ""),
    "date": Kind("str", "Date as YYYY-MM-DD", ("on {}", "dated {}"), date, "2024-01-01"),
    "deadline": Kind("str", "Last day as YYYY-MM-DD", ("by {}", "due {}"), date, "2024-12-31"),
    "time": Kind("str", "Time as HH:MM", ("at {}", "starting {}"), clock, "09:00"),
    "days": Kind("int", "Number of days", ("lasting {} days", "over {} days"), integer(2, 60), 7),
    "hours": Kind("int", "Number of hours", ("during {} hours", "within {} hours"), integer(2, 48), 1),
    "limit": Kind("int", "Largest number of results", ("listing {} results", "showing {} results"), integer(2, 99), 10),
    "people": Kind("int", "Number of people", ("hosting {} people", "seating {} people"), integer(2, 40), 2),
    "quantity": Kind("int", "How many", ("with quantity {}", "numbering {}"), integer(2, 99), 1),
    "amount": Kind("float", "Amount of money", ("worth {} dollars", "paying {} dollars"), decimal(5, 99), 10.5),
    "budget": Kind("float", "Highest price", ("under {} dollars", "below {} dollars"), decimal(5, 99), 100.5),
    "rate": Kind("float", "Rate in percent", ("at rate {}", "with interest {}"), decimal(1, 60), 5.5),
    "weight": Kind("float", "Weight in kilograms", ("weighing {} kilograms", "with weight {}"), decimal(1, 99), 1.5),
    "units": Kind("str", "Unit system", ("using {} units", "with units {}"), word(UNITS), "metric", UNITS),
    "size": Kind("str", "Size", ("sized {}", "with size {}"), word(SIZES), "medium", SIZES),
    "level": Kind("str", "Level", ("at level {}", "with priority {}"), word(LEVELS), "normal", LEVELS),
    "language": Kind("str", "Language", ("speaking {}", "with language {}"), word(LANGUAGES), "French", LANGUAGES),
    "currency": Kind("str", "Currency code", ("with currency {}", "priced {}"), word(CURRENCIES), "USD", CURRENCIES),
    "format": Kind("str", "File format", ("as {}", "with format {}"), word(FORMATS), "pdf", FORMATS),
    "alerts": Kind("bool", "Whether to send alerts", ("alerts {}", "with notifications {}"), flag, False),
    "details": Kind("bool", "Whether to show details", ("details {}", "with extras {}"), flag, False),
    "tags": Kind("List[str]", "List of tags", ("tagged {}", "with tags {}"), tags, ["Local"]),
    "values": Kind("List[int]", "List of numbers", ("given {}", "with numbers {}"), numbers, [1]),
    "filters": Kind("Dict[str, Any]", "Conditions by field", ("where {}", "provided {}"), filters, {"year": 2000}),
}


def sample_value(slot: str, rng: Random, convert: bool, wording: int | None = None) -> Value:
    """A value of the kind `slot` in one of its two wordings (None: either)."""
    kind = KINDS[slot]
    return replace(kind.sample(rng, convert), wording=kind.wordings[rng.randrange(2) if wording is None else wording])
