"""Rewrites params.yaml and profiles that have the keys of earlier versions, once, and adds the keys that are new."""

from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from funreason.config.params import check_params
from funreason.config.profiles import override
from funreason.config.renames import (
    INNERMOST_FIRST,
    KEYS,
    REMEDY,
    is_old_child,
    new_path,
    new_value,
    old_keys,
    old_values,
    walk,
)
from funreason.config.yamlio import read_yaml, yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import atomic

OF_THE_USER = ("rounds", "models.judges", "llm.prices.models")  # blocks whose keys are names that the user gives


def migrate(paths: Iterable[Path], complete: Path) -> dict[Path, list[tuple[str, str]]]:
    """Rewrite files to today's names, keeping comments and layout. All files are checked before one is written.

    A params.yaml gets keys that it lacks, with the values of the complete profile.

    Args:
        paths: params.yaml and profiles.
        complete: the profile that holds every key; profiles beside it hold only what differs, and are checked with it.

    Returns:
        Per file the renames, (old, new) each, and the new keys, ("", "key: value"); [] for a file of today.

    Raises:
        ParamsError: a file has an old and the new name of one key, or is not valid after the renaming.
    """
    renames: dict[Path, list[tuple[str, str]]] = {}
    texts: dict[Path, str] = {}
    for path in paths:
        document = read_yaml(path, "rt")
        renames[path] = [*old_keys(document), *old_values(document)] if isinstance(document, dict) else []
        if renames[path]:
            _rename(document, path)
        if isinstance(document, dict) and not _is_beside(path, complete):
            renames[path] += _add_missing(document, read_yaml(complete))
        if renames[path]:
            texts[path] = _text(document, path)
    for path, text in texts.items():
        _check(yaml("safe").load(text), path, complete, texts.get(complete))
    for path, text in texts.items():
        with atomic(path) as file:
            file.write(text)
    return renames


def _check(values: dict[str, Any], path: Path, complete: Path, rewritten: str | None) -> None:
    """Check the new values of a file, those of a profile together with the complete one. Raises ParamsError."""
    if _is_beside(path, complete):
        base = yaml("safe").load(rewritten) if rewritten else read_yaml(complete)
        override(base, values)
        values = base
    try:
        check_params(values, path)
    except ParamsError as error:
        raise ParamsError(f"{error}; no file was changed: correct this by hand, then {REMEDY} again") from None


def _is_beside(path: Path, complete: Path) -> bool:
    """Whether a file is a profile that holds only what differs from the complete one."""
    return path.resolve().parent == complete.resolve().parent and path.resolve() != complete.resolve()


def _rename(document: CommentedMap, path: Path) -> None:
    """Give a document today's names. Raises ParamsError."""
    keys = {key for key, _ in walk(document)}
    for old, new in old_keys(document):
        mixed = any(not is_old_child(document["rounds"], name) for name in document.get("rounds") or ())
        if mixed if old == "sets" else new in keys and new != "rounds":
            raise ParamsError(f"{path} holds `{old}` and `{new}`, an old and the new name of one key; delete one")
    if any(key.startswith("rounds.") for key, _ in old_keys(document)):
        _split_rounds(document)
    for old, new in INNERMOST_FIRST:
        if not old.startswith("rounds."):
            _rename_key(document, old.split("."), new.rpartition(".")[2])
    for recipe in (document.get("recipes") or {}).values():
        _rename_key(recipe, ["choice"], "selection")
        _rename_key(recipe, ["earlier_share"], "replay_fraction")
    _rename_values(document)


def _add_missing(node: Any, complete: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Add the keys of `complete` that a block lacks, with their values; blocks with names of the user's are left."""
    added: list[tuple[str, str]] = []
    for position, (key, value) in enumerate(complete.items()):
        where = f"{prefix}{key}"
        if where in OF_THE_USER:
            continue
        if key not in node:
            node.insert(min(position, len(node)), key, value)
            added.append(("", f"{where}: {value}"))
        elif isinstance(value, dict) and isinstance(node[key], dict):
            added += _add_missing(node[key], value, f"{where}.")
    return added


def _text(document: CommentedMap, path: Path) -> str:
    """A document as a file's text. Raises ParamsError."""
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
    for name in [name for name in old if is_old_child(old, name)]:
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
        new = new_value(f"{prefix}{key}", value)
        if isinstance(value, dict):
            _rename_values(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            value[:] = new  # in place: a comment after the list hangs on the list
        elif new != value:
            node[key] = new
        if isinstance(key, str):
            _rename_key(node, [key], new_path(key))


def _taken(node: Any, key: str) -> tuple[Any, Any]:
    """Take a value and its comment out of a block, a CommentedMap."""
    return node.pop(key), node.ca.items.pop(key, None)


def _put(node: Any, key: str, value: Any, comment: Any, position: int | None = None) -> None:
    node.insert(len(node) if position is None else position, key, value)
    if comment is not None:
        node.ca.items[key] = comment
