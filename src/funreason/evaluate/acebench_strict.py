"""ACEBench by a checker of our own, beside the official one, which passes most wrong values.

The official checker compares no number and no boolean, takes a text that merely holds the right one, lets parameters be
left out that the possible answer names, and reads a diagnosis out of any text that mentions its words. Here

- calls are the possible answer's: as many, with the same names, the same parameters and the same values;
- texts are equal without case, blanks and `,./-_*^` (BFCL's rule); true is not 1, and "5" is not 5;
- a diagnosis names exactly the parameters, values and API of the possible answer, and no other diagnosis;
- the end of an agent's world is that of the possible answer, in both directions.
"""

import re
from typing import Any

from funreason.calls import CallSyntaxError, parse

_IGNORED = re.compile(r"[ \,\.\/\-\_\*\^]")
_REPEATED = re.compile(r"_\d+$")  # the possible answers hold a second call of f as f_1
_MISSING = re.compile(r"Missing necessary parameters \(([^()]*)\) for the api \(([^()]*)\)")
_INCORRECT = re.compile(r"There is incorrect value \((.*?)\) for the parameters \(([^()]*)\)", re.DOTALL)
_BEYOND = "the limitations of the function"


def calls_right(text: str, gold: dict | list[dict], names: frozenset[str] = frozenset()) -> bool:
    """Whether an answer makes exactly the calls of a possible answer, in any order.

    Args:
        text: an answer without its reasoning.
        gold: {name: {parameter: value}}, or several of these.
        names: of the tools; a possible answer's `f_1` is a second call of f, where no tool has that name.

    Returns:
        Whether one of the possible answers is met; False for a text that is not a list of calls.
    """
    try:
        calls = [(call.name, call.arguments) for call in parse(text.strip())]
    except CallSyntaxError:
        return False
    return any(_meets(calls, _gold_calls(each, names)) for each in (gold if isinstance(gold, list) else [gold]))


def diagnosis_right(text: str, gold: dict | str, category: str) -> bool:
    """Whether an answer makes exactly the diagnosis of a possible answer.

    Args:
        text: an answer without its reasoning.
        gold: {API: [missing parameters]}, {parameter: [incorrect values]}, or a sentence.
        category: special_incomplete, special_error_param or special_irrelevant.
    """
    missing, incorrect, beyond = _MISSING.findall(text), _INCORRECT.findall(text), _BEYOND in text
    if category == "special_irrelevant":
        return beyond and not missing and not incorrect
    if beyond or not isinstance(gold, dict) or (missing if category == "special_error_param" else incorrect):
        return False
    if category == "special_incomplete":
        named = {api.strip(): _names(parameters) for parameters, api in missing}
        return named == {api: set(map(str, parameters)) for api, parameters in gold.items()}
    values = {str(value) for values in gold.values() for value in values}
    keys = {key for _, parameters in incorrect for key in _names(parameters)}
    return keys == set(gold) and _all_named(values, " ".join(value for value, _ in incorrect))


def end_right(end_state: list[dict], gold: list[dict] | dict) -> bool:
    """Whether an agent's world ended as in the possible answer, without more and without less."""
    wanted = gold if isinstance(gold, list) else [gold]
    return _merged(end_state) == _merged(wanted)


def same(value: Any, gold: Any) -> bool:
    """Whether a value is the gold value: same type (an int may stand for a float), texts without case and blanks."""
    if isinstance(value, bool) or isinstance(gold, bool):
        return value is gold
    if isinstance(value, int | float) and isinstance(gold, int | float):
        return value == gold
    if isinstance(value, str) and isinstance(gold, str):
        return _plain(value) == _plain(gold)
    if isinstance(value, list | tuple) and isinstance(gold, list | tuple):
        return len(value) == len(gold) and all(map(same, value, gold))
    if isinstance(value, dict) and isinstance(gold, dict):
        return value.keys() == gold.keys() and all(same(value[key], gold[key]) for key in gold)
    return value is None and gold is None


def gold_name(name: str, names: frozenset[str] | set[str]) -> str:
    """The function that a possible answer calls; it holds a second call of f as `f_1`."""
    return name if name in names else _REPEATED.sub("", name)


def _gold_calls(gold: dict, names: frozenset[str]) -> list[tuple[str, dict]]:
    return [(gold_name(name, names), arguments) for name, arguments in gold.items()]


def _meets(calls: list[tuple[str, dict]], gold: list[tuple[str, dict]]) -> bool:
    left = list(gold)
    for name, arguments in calls:
        match = next((call for call in left if call[0] == name and same(arguments, call[1])), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _names(text: str) -> set[str]:
    return {name.strip().strip("'\"`") for name in text.split(",")}


def _all_named(values: set[str], text: str) -> bool:
    """Whether `text` holds each value, and no other words than these."""
    for value in sorted(values, key=len, reverse=True):
        if value not in text:
            return False
        text = text.replace(value, " ")
    return not re.sub(r"[\s,;'\"`\[\]]|and", "", text)


def _merged(states: list[dict]) -> dict:
    # ReminderApi's possible answers are those of ReminderAPI.
    return {name.lower(): state for each in states for name, state in each.items()}


def _plain(text: str) -> str:
    return _IGNORED.sub("", text).lower().replace("'", '"')
