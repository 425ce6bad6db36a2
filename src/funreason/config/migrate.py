"""The keys and values of params.yaml that were renamed, and the rewriting of files that still have the old ones."""

import re
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from funreason.config.yamlio import read_yaml, yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import atomic

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
_INNERMOST_FIRST = sorted(KEYS.items(), key=lambda item: -item[0].count("."))
_ROUND_KEYS = {"recipe", "tasks", "generator", "init", "replay"}  # of today's `rounds.*`
REMEDY = "run `funreason params migrate`"


def renamed_key(key: str) -> str | None:
    """Today's name of an old dotted key, such as rounds.r0.recipe for sets.r0.kind; None for any other key."""
    parts = key.split(".")
    for old, new in _INNERMOST_FIRST:
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
    return [f"`{old}` was renamed to `{new}`" for old, new in (*_old_keys(values), *_old_values(values))]


def migrate(paths: Iterable[Path], complete: Path) -> dict[Path, list[tuple[str, str]]]:
    """Rewrite files to today's names, keeping comments and layout. All files are checked before one is written.

    Args:
        paths: params.yaml and profiles.
        complete: the profile that holds every key; profiles beside it hold only what differs, and are checked with it.

    Returns:
        Per file the renames, (old, new) each; [] for a file that has today's names.

    Raises:
        ParamsError: a file has an old and the new name of one key, or is not valid after the renaming.
    """
    renames: dict[Path, list[tuple[str, str]]] = {}
    texts: dict[Path, str] = {}
    for path in paths:
        document = read_yaml(path, "rt")
        renames[path] = [*_old_keys(document), *_old_values(document)] if isinstance(document, dict) else []
        if renames[path]:
            texts[path] = _rewritten(document, path)
    for path, text in texts.items():
        _check(yaml("safe").load(text), path, complete, texts.get(complete))
    for path, text in texts.items():
        with atomic(path) as file:
            file.write(text)
    return renames


def _check(values: dict[str, Any], path: Path, complete: Path, rewritten: str | None) -> None:
    """Check the new values of a file, those of a profile together with the complete one. Raises ParamsError."""
    # These modules import this one.
    from funreason.config.params import check_params
    from funreason.config.profiles import override

    if path.resolve().parent == complete.resolve().parent and path.resolve() != complete.resolve():
        base = yaml("safe").load(rewritten) if rewritten else read_yaml(complete)
        override(base, values)
        values = base
    try:
        check_params(values, path)
    except ParamsError as error:
        raise ParamsError(f"{error}; no file was changed: correct this by hand, then {REMEDY} again") from None


def _old_keys(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, _ in _walk(values):
        top, *below = key.split(".")
        if top == "rounds" and below and not _is_old_child(values["rounds"], below[0]):
            continue
        if key in KEYS or re.fullmatch(r"sets\.[^.]+\.(kind|sampler|earlier)", key):
            yield key, str(renamed_key(key))


def _old_values(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in _walk(values):
        new = _new_value(renamed_key(key) or key, value)
        if new != value and not isinstance(value, dict):
            yield f"{key}: {_shown(value)}", _shown(new)
        if (name := _new_path(key.rpartition(".")[2])) != key.rpartition(".")[2]:  # prices are by model
            yield key, name


def _walk(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        yield f"{prefix}{key}", value
        if isinstance(value, dict):
            yield from _walk(value, f"{prefix}{key}.")


def _shown(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _is_old_child(rounds: dict[str, Any], name: str) -> bool:
    """Whether a child of `rounds` belongs to `gate` or `recipes` today. A round may have any name, `hdr` too."""
    child = rounds[name]
    return f"rounds.{name}" in KEYS and not (isinstance(child, dict) and _ROUND_KEYS & set(child))


def _new_value(key: str, value: Any) -> Any:
    """Today's value; `key` is today's."""
    renamed = VALUES.get(re.sub(r"^rounds\.[^.]+\.", "rounds.*.", key), {})
    if isinstance(value, list):
        return [renamed.get(one, one) if isinstance(one, str) else one for one in value]
    return _new_path(renamed.get(value, value)) if isinstance(value, str) else value


def _new_path(value: str) -> str:
    for old, new in PATHS.items():
        if value.startswith(old):
            return new + value.removeprefix(old)
    return value


def _rewritten(document: CommentedMap, path: Path) -> str:
    """The text of a file with today's names. Raises ParamsError."""
    keys = {key for key, _ in _walk(document)}
    for old, new in _old_keys(document):
        mixed = any(not _is_old_child(document["rounds"], name) for name in document.get("rounds") or ())
        if mixed if old == "sets" else new in keys and new != "rounds":
            raise ParamsError(f"{path} holds `{old}` and `{new}`, an old and the new name of one key; delete one")
    if any(key.startswith("rounds.") for key, _ in _old_keys(document)):
        _split_rounds(document)
    for old, new in _INNERMOST_FIRST:
        if not old.startswith("rounds."):
            _rename_key(document, old.split("."), new.rpartition(".")[2])
    for recipe in (document.get("recipes") or {}).values():
        _rename_key(recipe, ["choice"], "selection")
        _rename_key(recipe, ["earlier_share"], "replay_fraction")
    _rename_values(document)
    stream = StringIO()
    yaml().dump(document, stream)
    text = stream.getvalue()
    if yaml("safe").load(text) != document:  # ruamel has lost line breaks beside comments
        raise ParamsError(f"{path}: its comments cannot be kept; delete those beside values, then {REMEDY} again")
    return text


def _split_rounds(document: CommentedMap) -> None:
    """The old block `rounds` becomes `gate` and `recipes`, in its place and with its comments."""
    position, comment = list(document).index("rounds"), document.ca.items.pop("rounds", None)
    old, gate, recipes = document["rounds"], CommentedMap(), CommentedMap()
    last = KEYS.get(f"rounds.{list(old)[-1]}", "")
    max_rounds = _taken(old, "max_hdr") if "max_hdr" in old else None
    for name in [name for name in old if _is_old_child(old, name)]:
        target, _, new = KEYS[f"rounds.{name}"].partition(".")
        _put(gate if target == "gate" else recipes, new, *_taken(old, name))
    if max_rounds:
        # First in its block: the comment after the last key of a block belongs to the block that follows.
        _put(recipes.setdefault("hdr", CommentedMap()), "max_rounds", *max_rounds, position=0)
    blocks = {"recipes": recipes, "gate": gate} if last.startswith("gate.") else {"gate": gate, "recipes": recipes}
    if not old:
        del document["rounds"]
    for block_name, block in reversed(blocks.items()):
        if block:
            document.insert(position, block_name, block)
    if comment:
        document.ca.items[list(document)[position]] = comment


def _rename_key(node: Any, path: list[str], new: str) -> None:
    """Rename the key at a path (`*` is any key) in the place where it is."""
    first, *rest = path
    for key in list(node or ()) if first == "*" else [first]:
        if isinstance(node, dict) and key in node:
            if rest:
                _rename_key(node[key], rest, new)
            elif key != new:
                position = list(node).index(key)
                _put(node, new, *_taken(node, key), position=position)


def _rename_values(node: Any, prefix: str = "") -> None:
    for key, value in list(node.items()):
        new = _new_value(f"{prefix}{key}", value)
        if isinstance(value, dict):
            _rename_values(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            value[:] = new  # in place: a comment after the list hangs on the list
        elif new != value:
            node[key] = new
        _rename_key(node, [key], _new_path(key))


def _taken(node: Any, key: str) -> tuple[Any, Any]:
    """Take a value and its comment out of a block, a CommentedMap."""
    return node.pop(key), node.ca.items.pop(key, None)


def _put(node: Any, key: str, value: Any, comment: Any, position: int | None = None) -> None:
    node.insert(len(node) if position is None else position, key, value)
    if comment is not None:
        node.ca.items[key] = comment
