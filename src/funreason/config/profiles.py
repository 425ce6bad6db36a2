"""Profiles: named states of params.yaml. toy.yaml is complete, any other file says what differs."""

from pathlib import Path

from funreason.config.params import check_params, read_yaml, yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import atomic

FOLDER = Path("profiles")
COMPLETE = "toy"
OWN_NAMES = ("rounds", "judges")  # blocks whose keys are the user's own


def names() -> list[str]:
    """The available profiles. Raises ParamsError where there is no profiles/ folder."""
    if not FOLDER.is_dir():
        raise ParamsError(f"no folder {FOLDER}/ in {Path.cwd().name}/; run in the folder that holds dvc.yaml")
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def values(name: str):
    """The complete, checked values of a profile. Raises ParamsError naming the file and key at fault."""
    if name not in names():
        raise ParamsError(f"no profile named {name!r}; available are {', '.join(names())}")
    result = read_yaml(FOLDER / f"{COMPLETE}.yaml", "rt")
    path = FOLDER / f"{name}.yaml"
    if name != COMPLETE:
        _override(result, read_yaml(path, "rt"))
    check_params(result, path)
    return result


def use(name: str, target: str | Path = "params.yaml") -> int:
    """Give every value of `target` the profile's value, keeping comments and layout; return how many changed.

    The result does not depend on the state before, so that a profile's name says what ran. Raises ParamsError
    for a key that no profile knows: deleting it would lose what its writer meant.
    """
    wanted = values(name)
    document = read_yaml(target, "rt")
    changed = _assign(document, wanted, str(target))
    check_params(document, target)
    with atomic(target) as file:
        yaml().dump(document, file)
        file.flush()
        if read_yaml(file.name) != wanted:  # ruamel has lost line breaks beside comments
            raise ParamsError(f"{target}: its comments cannot be kept; `cp {FOLDER}/{COMPLETE}.yaml {target}` first")
    return changed


def save(name: str, source: str | Path = "params.yaml") -> Path:
    """Keep the state of `source` as a profile; the default is brought up to date, no other replaced."""
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


def _difference(base: dict, values: dict) -> dict:
    """What `_override` needs to make `values` of `base`."""
    result = {}
    for key, value in values.items():
        if isinstance(value, dict) and key not in OWN_NAMES:
            if inner := _difference(base[key], value):
                result[key] = inner
        elif value != base[key]:
            result[key] = value
    return result


def _override(base, changes) -> None:
    """Write `changes` into `base`, block by block; those of `OWN_NAMES` are one value each."""
    for key, value in (changes or {}).items():
        if isinstance(value, dict) and isinstance(base.get(key), dict) and key not in OWN_NAMES:
            _override(base[key], value)
        else:
            base[key] = value


def _assign(node, wanted, where: str, drop: bool = False) -> int:
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
