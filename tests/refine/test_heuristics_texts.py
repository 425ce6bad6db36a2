"""What the heuristics find in a text: numbers, dates, truth values, words."""

import random

import pytest

from funreason.heuristics.text import Text
from funreason.heuristics.values import date_or_number
from funreason.heuristics.words import boolean_mentions, stem
from funreason.toy.inventory import MONTHS, spelled


@pytest.mark.parametrize("number", [*range(100), 200, 205, 1234, 40_000, 2_000_000, 7_000_000_000])
def test_numbers_are_found_in_digits_and_words(number):
    words = spelled(number) if number < 100 else None
    forms = {str(number), f"{number:,}", f"${number}", f"{number}%", f"{number}.0", f"{number}kg", f"({number})"}
    for form in forms | ({words, words.replace(" ", "-"), words.capitalize()} if words else set()):
        text = Text(f"Take {form}, please.")
        assert text.places(number), form
        assert not text.places(number + 1), form
    # Parts of codes, times and longer numbers do not count.
    for other in (f"x{number}", f"{number}.5", f"v{number}.1.2", f"{number}:30", f"2{number:0>3}"):
        assert not Text(f"Take {other}, please.").places(number), other


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("two hundred and five", [205]),
        ("one thousand two hundred", [1200]),
        ("twenty twenty", [20, 20]),
        ("three and four", [3, 4]),
        ("ninety nine", [99]),
        ("three million", [3_000_000]),
        ("3.5 million", [3_500_000]),
        ("-4 and 3-5", [-4]),
        ("1,200 or 3,5", [1200, 3, 5]),
        ("someone, tenfold, often", []),
    ],
)
def test_number_words(words, numbers):
    assert [value.value for value in Text(words).values if value.kind == "number"] == numbers


def test_dates_are_found_in_every_form():
    rng = random.Random(0)
    for _ in range(200):
        year, month, day = rng.randint(1900, 2100), rng.randint(1, 12), rng.randint(1, 28)
        name, iso = MONTHS[month - 1], f"{year}-{month:02d}-{day:02d}"
        suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
        forms = [
            iso, f"{year}/{month}/{day}", f"{name} {day}, {year}", f"{day} {name} {year}", f"{name[:3]}. {day}, {year}",
            f"{name} {day}{suffix} {year}", f"the {day}{suffix} of {name}, {year}", f"{name.upper()} {day} {year}",
        ]  # fmt: skip
        for form in forms + ([f"{day}/{month}/{year}", f"{month}/{day}/{year}"] if day > 12 else []):
            text = Text(f"Come on {form}.")
            assert text.places(iso), form
            assert not text.places(f"{year}-{month:02d}-{day % 28 + 1:02d}"), form
            assert not text.places(day), form


def test_dates_that_can_be_read_in_two_ways_may_only_be_stated():
    for date in ("3/5/2024", "March 5", "5 March"):
        assert not Text(date).places("2024-03-05")
        assert Text(date).may_state("2024-03-05")
    assert not Text("March 6").may_state("2024-03-05")
    assert date_or_number("may") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("alerts enabled", True),
        ("with alerts", True),
        ("turn on the alerts", True),
        ("alerts: yes", True),
        ("alerts is turned on", True),
        ("with alerts disabled", False),
        ("without any alerts", False),
        ("alerts = False", False),
        ("do not enable alerts", None),
        ("alerts on Monday", None),
        ("without alerts enabled", None),
    ],
)
def test_truth_values_in_words(text, value):
    assert [mention[2] for mention in boolean_mentions(text.lower(), "alerts")] == [value]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("in New York.", "new york", True),
        ("in Newark", "new", False),
        ("version 5.5", "5", False),
        ("come in", "in", False),
        ("tell us", "US", False),
        ("in the US", "US", True),
        ("İstanbul, then Rome", "Rome", True),
    ],
)
def test_whole_words_are_found(text, value, expected):
    assert bool(Text(text).places(value)) is expected


def test_a_plural_has_the_stem_of_its_singular():
    for one, several in (("movie", "movies"), ("city", "cities"), ("class", "class"), ("trip", "trips")):
        assert stem(one) == stem(several)
    assert stem("cities") != stem("cites")
