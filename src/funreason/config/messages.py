"""Pydantic's findings about params.yaml on one line: key, value seen, values allowed, nearest known key."""

import difflib
from typing import get_args

from pydantic import BaseModel, ValidationError

_TYPES = {
    "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "string_type": "a text", "list_type": "a list",
    "dict_type": "a block of keys", "model_type": "a block of keys",
    "string_pattern_mismatch": "small letters, digits and hyphens",
}  # fmt: skip
_BOUNDS = {"greater_than_equal": "{ge} or more", "greater_than": "more than {gt}",
           "less_than_equal": "{le} or less", "less_than": "less than {lt}"}  # fmt: skip


_NO_KEYS = ("[key]", "literal[", "constrained-")  # what pydantic puts into a location beside keys


def describe(error: ValidationError, model: type[BaseModel], pattern: str = "profiles/toy.yaml") -> str:
    """All findings, in the order of the file, separated by semicolons; `pattern` is a file that is complete."""
    known = list(known_keys(model))
    found: dict[str, str] = {}
    for item in error.errors(include_url=False):
        finding = _finding(item, known, pattern)
        start, _, expected = finding.partition(", expected ")
        # A value that may be of several types is refused once for each of them.
        found[start] = f"{found[start]} or {expected}" if expected and start in found else finding
    return "; ".join(found.values())


def nearest(key: str, known: list[str]) -> str:
    """The known key most like `key`; a right name in the wrong block counts as near."""
    last = key.rsplit(".", 1)[-1]
    same = [k for k in known if k.rsplit(".", 1)[-1] == last]
    if key.startswith("rounds.") and key.count(".") > 1:
        known = [k.replace("*", key.split(".")[1]) for k in known]
    return (same or difflib.get_close_matches(key, known, n=1, cutoff=0))[0]


def known_keys(model: type[BaseModel], prefix: str = ""):
    """Dotted names of all keys and blocks; `*` stands for a free key (the name of a set)."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        yield key
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from known_keys(field.annotation, f"{key}.")
        for inner in get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from known_keys(inner, f"{key}.*.")


def _finding(item: dict, known: list[str], pattern: str) -> str:
    key = ".".join(str(part) for part in item["loc"] if not str(part).startswith(_NO_KEYS))
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key `{key}`, the nearest known key is `{nearest(key, known)}`"
    if kind == "missing":
        return f"`{key}` is missing; take it over from {pattern}"
    if kind == "value_error":
        return f"`{key}`: {context['error']}" if key else str(context["error"])
    return f"`{key}` is {item['input']!r}, expected {_expected(item, kind, context)}"


def _expected(item: dict, kind: str, context: dict) -> str:
    if kind == "literal_error":
        return context["expected"]
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _TYPES.get(kind, item["msg"])
