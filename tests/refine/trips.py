"""Rows for the tests of the heuristics: trips and tables, and planted cases of the toy world."""

import random

from funreason.calls import render
from funreason.core.records import Sample
from funreason.toy.judging import sample_judged
from funreason.toy.tools import split

from .rows import TABLE, WEATHER

TRAIN = {
    "name": "search_train_trips",
    "description": "Search the train trips.",
    "parameters": {
        "origin": {"description": "City where it starts", "type": "str"},
        "destination": {"description": "City where it ends", "type": "str"},
        "date": {"description": "Date as YYYY-MM-DD", "type": "str, optional", "default": "2024-01-01"},
        "units": {"description": "Unit system", "type": "str, optional", "default": "km", "enum": ["km", "miles"]},
        "alerts": {"description": "Whether to warn", "type": "bool, optional", "default": False},
    },
}
LAMP = {"name": "lamp.turn_on", "description": "Light.", "parameters": {}}
TOOLS = [WEATHER, TABLE, TRAIN, LAMP]
TRIP = "[search_train_trips(origin='Ghent', destination='Rome')]"
ASKED = "Find the train trips from Ghent to Rome."


def row(answer: str = TRIP, query: str = ASKED, cot: str = "", tools=TOOLS) -> Sample:
    return Sample("0", query, tools, cot, answer)


def trip(**arguments) -> str:
    """The trip of `ASKED` with other or more arguments."""
    return render([{"name": "search_train_trips", "arguments": {"origin": "Ghent", "destination": "Rome"} | arguments}])


def toy_rows(check: str, count: int, tools=None):
    """(row, right verdict) pairs, half of them to pass."""
    rng, known = random.Random(f"rules/{check}"), tools or split()[0]
    for number in range(count):
        _, _, case = sample_judged(check, number % 2 == 0, known, known, rng)
        yield row(case.answer, case.episode.query, case.cot, case.episode.xlam_tools()), number % 2 == 0
