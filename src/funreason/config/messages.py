"""The errors of pydantic about params.yaml on one line: key, value, allowed values, nearest known key."""

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_TYPES = {
    "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "string_type": "a text", "list_type": "a list",
    "dict_type": "a block of keys", "model_type": "a block of keys",
    "string_pattern_mismatch": "lower-case letters, digits and hyphens",
}  # fmt: skip
_BOUNDS = {"greater_than_equal": "{ge} or more", "greater_than": "more than {gt}",
           "less_than_equal": "{le} or less", "less_than": "less than {lt}"}  # fmt: skip
_NOT_KEYS = ("[key]", "literal[", "constrained-")  # what pydantic puts into a location beside keys


def describe(error: ValidationError, model: type[BaseModel], pattern: str = "profiles/toy.yaml") -> str:
    """All problems, in the order of the file, separated by semicolons.

    Args:
        error: what pydantic found.
        model: the schema, for the nearest known key.
        pattern: a complete file, from which a missing key can be copied.
    """
    known = list(known_keys(model))
    problems: dict[str, str] = {}
    for item in error.errors(include_url=False):
        problem = _problem(item, known, pattern)
        start, _, expected = problem.partition(", expected ")
        # A value of which several types are allowed has an error for each of them.
        problems[start] = f"{problems[start]} or {expected}" if expected and start in problems else problem
    return "; ".join(problems.values())


def nearest(key: str, known: list[str]) -> str:
    """The known key that is most like `key`; the same name in another block counts as near.

    Args:
        key: a dotted key that is not known.
        known: the dotted keys, with `*` for the name of a round.
    """
    last = key.rsplit(".", 1)[-1]
    same = [k for k in known if k.rsplit(".", 1)[-1] == last]
    if key.startswith("rounds.") and key.count(".") > 1:
        known = [k.replace("*", key.split(".")[1]) for k in known]
    return (same or difflib.get_close_matches(key, known, n=1, cutoff=0))[0]


def known_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted names of all keys and blocks of a schema; `*` stands for a name that the user chooses, such as a round's.

    Args:
        model: the schema.
        prefix: the dotted key of the schema itself, with a dot at the end.
    """
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        yield key
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from known_keys(field.annotation, f"{key}.")
        for inner in get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from known_keys(inner, f"{key}.*.")


def _problem(item: ErrorDetails, known: list[str], pattern: str) -> str:
    key = ".".join(str(part) for part in item["loc"] if not str(part).startswith(_NOT_KEYS))
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key `{key}`, the nearest known key is `{nearest(key, known)}`"
    if kind == "missing":
        adds = " (`funreason params migrate` does)" if pattern.startswith("profiles/") else ""
        return f"`{key}` is missing; copy it from {pattern}{adds}"
    if kind == "value_error":
        return f"`{key}`: {context['error']}" if key else str(context["error"])
    return f"`{key}` is {item['input']!r}, expected {_expected(item, kind, context)}"


def _expected(item: ErrorDetails, kind: str, context: dict[str, Any]) -> str:
    if kind == "literal_error":
        return str(context["expected"])
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _TYPES.get(kind, item["msg"])
