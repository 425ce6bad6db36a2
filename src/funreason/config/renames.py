"""The one table of the keys, values and paths of params.yaml that were renamed."""

import re
from collections.abc import Iterator
from typing import Any

# Old key → new key; `*` is the name of a round.
KEYS = {
    "desk": "toy",
    "desk.planted_share": "toy.planted_fraction",
    "desk.dialog_rows": "toy.conversation_rows",
    "prepare.max_bad_share": "prepare.max_bad_fraction",
    "llm.keep_s": "llm.keep_alive_s",
    "judge.max_asks": "judge.max_attempts",
    "sets": "rounds",
    "sets.*.kind": "rounds.*.recipe",
    "sets.*.sampler": "rounds.*.generator",
    "sets.*.earlier": "rounds.*.replay",
    "rounds.measure": "gate.measure",
    "rounds.max_regression": "gate.max_regression",
    "rounds.max_hdr": "recipes.hdr.max_rounds",
    "rounds.distil": "recipes.distill",
    "rounds.distil.choice": "recipes.distill.selection",
    "rounds.distil.earlier_share": "recipes.distill.replay_fraction",
    "rounds.refine": "recipes.self_refine",
    "rounds.refine.choice": "recipes.self_refine.selection",
    "rounds.refine.earlier_share": "recipes.self_refine.replay_fraction",
    "rounds.hdr": "recipes.hdr",
    "rounds.hdr.choice": "recipes.hdr.selection",
    "rounds.hdr.earlier_share": "recipes.hdr.replay_fraction",
    "train.max_dropped_share": "train.max_dropped_fraction",
    "train.heldout_share": "train.heldout_fraction",
    "evaluate.desk": "evaluate.toy",
}
# New key → its renamed values.
VALUES = {
    "rounds.*.recipe": {"distil": "distill", "refine": "self_refine"},
    "fcdr.mode": {"rules": "heuristics"},
    "gate.measure": {"desk": "toy"},
    "evaluate.code.benchmarks": {"desk": "toy"},
}
# Old start of a path → new start; the first that fits holds.
PATHS = {
    "data/desk/dialogs": "data/toy/conversations",
    "data/desk/": "data/toy/",
    "desk/models/desk-": "toy/models/toy-",
}
INNERMOST_FIRST = sorted(KEYS.items(), key=lambda item: -item[0].count("."))
_ROUND_KEYS = {"recipe", "tasks", "generator", "init", "replay"}  # of today's `rounds.*`
REMEDY = "run `funreason params migrate`"


def renamed_key(key: str) -> str | None:
    """Today's name of an old dotted key, such as rounds.r0.recipe for sets.r0.kind; None for any other key."""
    parts = key.split(".")
    for old, new in INNERMOST_FIRST:
        pattern = old.split(".")
        if len(pattern) <= len(parts) and all(p in ("*", part) for p, part in zip(pattern, parts, strict=False)):
            if "*" in pattern:
                new = new.replace("*", parts[pattern.index("*")])
            return ".".join([new, *parts[len(pattern) :]])
    return None


def old_names(values: Any) -> list[str]:
    """What is renamed in the values of params.yaml or a profile, as "`old` was renamed to `new`"; [] in a new file."""
    if not isinstance(values, dict):
        return []
    return [f"`{old}` was renamed to `{new}`" for old, new in (*old_keys(values), *old_values(values))]


def old_keys(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(old, new) of every renamed key, by dotted names."""
    for key, _ in walk(values):
        top, *below = key.split(".")
        if top == "rounds" and below and not is_old_child(values["rounds"], below[0]):
            continue
        if key in KEYS or re.fullmatch(r"sets\.[^.]+\.(kind|sampler|earlier)", key):
            yield key, str(renamed_key(key))


def old_values(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(key and old value, new value) of every renamed value and path."""
    for key, value in walk(values):
        new = new_value(renamed_key(key) or key, value)
        if new != value and not isinstance(value, dict):
            yield f"{key}: {_shown(value)}", _shown(new)
        if (name := new_path(key.rpartition(".")[2])) != key.rpartition(".")[2]:  # prices are by model
            yield key, name


def walk(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of all blocks and leaves; `prefix` is the key of the node, with a dot at the end."""
    for key, value in node.items():
        yield f"{prefix}{key}", value
        if isinstance(value, dict):
            yield from walk(value, f"{prefix}{key}.")


def _shown(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def is_old_child(rounds: dict[str, Any], name: str) -> bool:
    """Whether a child of `rounds` belongs to `gate` or `recipes` today. A round may have any name, `hdr` too.

    Args:
        rounds: the block `rounds` of any version.
        name: the name of the child.
    """
    child = rounds[name]
    return f"rounds.{name}" in KEYS and not (isinstance(child, dict) and _ROUND_KEYS & set(child))


def new_value(key: str, value: Any) -> Any:
    """Today's value.

    Args:
        key: today's dotted key.
        value: its value.
    """
    renamed = VALUES.get(re.sub(r"^rounds\.[^.]+\.", "rounds.*.", key), {})
    if isinstance(value, list):
        return [renamed.get(one, one) if isinstance(one, str) else one for one in value]
    return new_path(renamed.get(value, value)) if isinstance(value, str) else value


def new_path(value: str) -> str:
    """Today's path, also of a folder or file that was not renamed."""
    for old, new in PATHS.items():
        if value.startswith(old):
            return new + value.removeprefix(old)
    return value
