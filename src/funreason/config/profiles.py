"""Profiles: named states of params.yaml. toy.yaml holds every key, any other file only what differs."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from funreason.config.params import check_params
from funreason.config.yamlio import read_yaml, yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import atomic
from funreason.core.paths import PARAMS, PROFILES

FOLDER = Path(PROFILES)
COMPLETE = "toy"
OWN_NAMES = ("rounds", "judges", "quantization")  # blocks whose keys the user chooses
SHOWN = 10  # edited values in a message
REMOVED = "(removed)"


def names() -> list[str]:
    """The available profiles. Raises ParamsError where there is no profiles/ folder."""
    if not FOLDER.is_dir():
        raise ParamsError(f"no folder {FOLDER}/ in {Path.cwd().name}/; run in the folder that holds dvc.yaml")
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def description(name: str) -> str:
    """The first comment line of a profile's file; "" where it has none."""
    first, _, _ = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def values(name: str) -> CommentedMap:
    """The complete, checked values of a profile. Raises ParamsError naming the file and the wrong key."""
    if name not in names():
        raise ParamsError(f"no profile named {name!r}; available are {', '.join(names())}")
    result = read_yaml(FOLDER / f"{COMPLETE}.yaml", "rt")
    path = FOLDER / f"{name}.yaml"
    if name != COMPLETE:
        override(result, read_yaml(path, "rt"))
    check_params(result, path)
    return result


def active(source: str | Path = PARAMS) -> tuple[str, dict[str, Any]]:
    """The profile that params.yaml holds, or is nearest to.

    Args:
        source: params.yaml.

    Returns:
        The name of the profile and, by dotted key, the values of `source` that are not the profile's: none where it
        holds exactly a profile, `REMOVED` for a round or judge of the profile that it does not have.
    """
    current = _flat(read_yaml(source))
    base = read_yaml(FOLDER / f"{COMPLETE}.yaml")
    nearest, edited = COMPLETE, _edited(_flat(base), current)
    for name in names():
        profile = deepcopy(base)
        override(profile, read_yaml(FOLDER / f"{name}.yaml") if name != COMPLETE else None)
        if len(changes := _edited(_flat(profile), current)) < len(edited):
            nearest, edited = name, changes
    return nearest, edited


def use(name: str, target: str | Path = PARAMS, force: bool = False) -> int:
    """Give every value of `target` the profile's value, keeping comments and layout.

    The result does not depend on the state before, so that a profile's name says what ran.

    Args:
        name: the profile.
        target: params.yaml.
        force: overwrite values that are in no profile.

    Returns:
        How many values changed.

    Raises:
        ParamsError: `target` has a key that no profile knows, or without `force` values that would be lost.
    """
    wanted = values(name)
    document = read_yaml(target, "rt")
    changed = _assign(document, wanted, str(target))
    if not force:
        _refuse_loss(wanted, target)
    check_params(document, target)
    with atomic(target) as file:
        yaml().dump(document, file)
        file.flush()
        if read_yaml(file.name) != wanted:  # ruamel has lost line breaks beside comments
            raise ParamsError(f"{target}: its comments cannot be kept; `cp {FOLDER}/{COMPLETE}.yaml {target}` first")
    return changed


def save(name: str, source: str | Path = PARAMS) -> Path:
    """Keep the values of params.yaml as a profile. The complete profile is brought up to date, no other is replaced.

    Args:
        name: the profile.
        source: params.yaml.

    Returns:
        The file that was written.

    Raises:
        ParamsError: `source` is not valid, or there is a profile of this name.
    """
    current, path = read_yaml(source), FOLDER / f"{name}.yaml"
    check_params(current, source)
    if name == COMPLETE:
        result = read_yaml(path, "rt")
        _assign(result, current, str(path), drop=True)
    elif name in names():
        raise ParamsError(f"{path} exists; choose another name, or delete it first")
    else:
        result = _difference(read_yaml(FOLDER / f"{COMPLETE}.yaml"), current)
    with atomic(path) as file:
        yaml().dump(result, file)
    return path


def override(base: dict[str, Any], changes: dict[str, Any] | None) -> None:
    """Write the values of a profile into complete ones, block by block; a block of `OWN_NAMES` is replaced as a whole.

    Args:
        base: complete values, which are changed.
        changes: what the profile's file holds; None for an empty file.
    """
    for key, value in (changes or {}).items():
        if isinstance(value, dict) and isinstance(base.get(key), dict) and key not in OWN_NAMES:
            override(base[key], value)
        else:
            base[key] = value


def _refuse_loss(wanted: dict[str, Any], target: str | Path) -> None:
    """Raise ParamsError where `target` has values that belong to no profile and that `wanted` would replace."""
    nearest, edited = active(target)
    new = _flat(wanted)
    lost = [f"{key}: {_shown(value)}" for key, value in edited.items() if new.get(key, REMOVED) != value]
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        raise ParamsError(
            f"{target} is profile {nearest} with edited values, which would be lost: {', '.join(lost[:SHOWN])}{more}; "
            f"keep them with `funreason profile save NEW-NAME`, or give --force"
        )


def _edited(profile: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """The values of `current` that differ from a profile's, both flat."""
    return {
        key: current.get(key, REMOVED)
        for key in {**current, **profile}
        if current.get(key, REMOVED) != profile.get(key, REMOVED)
    }


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values by dotted key; a round or a judge is one value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value and prefix.rstrip(".").rpartition(".")[2] not in OWN_NAMES:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _shown(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))


def _difference(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What `override` needs to make `values` of `base`."""
    result = {}
    for key, value in values.items():
        if isinstance(value, dict) and key not in OWN_NAMES:
            if inner := _difference(base[key], value):
                result[key] = inner
        elif value != base[key]:
            result[key] = value
    return result


def _assign(node: dict[str, Any], wanted: dict[str, Any], where: str, drop: bool = False) -> int:
    for key in [key for key in node if key not in wanted]:
        if not drop and not where.endswith(OWN_NAMES):
            raise ParamsError(f"{where}: unknown key `{key}`; correct it (`funreason params check`) or delete it")
        del node[key]
    changed = 0
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(node.get(key), dict):
            changed += _assign(node[key], value, f"{where}: {key}", drop)
        elif key not in node or node[key] != value:
            if isinstance(value, list) and isinstance(node.get(key), list):
                node[key][:] = value  # in place: a comment after the list hangs on the old object
            else:
                node[key] = value
            changed += 1
    return changed
