"""Is there room for what a run will write? Estimates, their numbers what; by file system, since places share one."""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from funreason.config import Params
from funreason.doctor.diagnosis import Diagnosis, error, gb, ok, warning
from funreason.doctor.weights import DamagedWeights, model_size
from funreason.llm.cache import cache_folder
from funreason.train.checkpoints import checkpoint_bytes, checkpoint_root

TOKEN = 4  # bytes of text
_CHECKS = 5
UNKNOWN = "models and checkpoints of a size that is not known (models.base is not here)"


def disk(params: Params) -> Iterator[Diagnosis]:
    """A warning where the estimate does not fit, an error where not even checkpoints and trained models do."""
    surely, perhaps = _surely(params), _perhaps(params)
    for device, places in _by_device([*surely, *perhaps]).items():
        free = shutil.disk_usage(device).free
        least, most = (sum(need.get(place, 0) for place in places) for need in (surely, perhaps))
        names = ", ".join(f"{name} at {folder}" for name, folder in places)
        known = least or any(surely.values()) or not surely.keys() & set(places)
        takes = [f"{gb(least)} of models and checkpoints"] if least else [] if known else [UNKNOWN]
        takes += [f"up to {gb(most)} of rows"] if most else []
        what = f"{gb(free)} free for {names}; a run takes {' and '.join(takes) or 'nothing there'}"
        remedy = "free some, or move the places: FUNREASON_CACHE, `dvc cache dir`, the clone"
        if free < least:
            yield error(what, remedy)
        else:
            yield warning(what, remedy) if free < least + most else ok(what)


def _surely(params: Params) -> dict[tuple, float]:
    """(name, folder) → bytes: of the trained models, here and in DVC's cache, and of one training's checkpoints."""
    try:
        size = model_size(params.models.base)
    except (DamagedWeights, OSError):
        size = None
    weights, parameters = (size.bytes, size.parameters) if size else (0, 0)
    trained = 0 if params.train.lora.rank else parameters
    models = len(params.rounds) * weights
    return {
        ("workspace", Path("models")): models,
        ("DVC cache", dvc_cache()): models,
        ("checkpoints", checkpoint_root()): checkpoint_bytes(params.train.launcher, params.train.keep, trained),
    }


def _perhaps(params: Params) -> dict[tuple, float]:
    """What the rows take if every answer is as long as it may be: in the response cache, the workspace, DVC's cache."""
    rows = _rows(params)
    samples = sum(params.recipe_of(name).samples for name in params.rounds)
    judged = 0 if params.fcdr.mode == "heuristics" else params.judge.max_tokens
    text = rows * samples * TOKEN * (params.generate.max_tokens + _CHECKS * judged)
    return {
        ("responses", cache_folder()): text,
        ("workspace", Path("models")): text,
        ("DVC cache", dvc_cache()): text,
    }


def dvc_cache() -> Path:
    """DVC's cache folder."""
    from dvc.config import Config, ConfigError

    try:
        chosen = Config.from_cwd(validate=False).get("cache", {}).get("dir")
    except ConfigError:
        chosen = None
    return Path(chosen or ".dvc/cache")


def _rows(params: Params) -> int:
    """Rows that are refined: of the source; of the toy for a file not written yet, of the paper for the hub."""
    path = Path(params.data.path)
    if params.data.hub:
        return params.prepare.limit or 60_000
    if not path.exists():
        return params.prepare.limit or params.toy.pool_rows
    with open(path, "rb") as file:
        head = file.read(1 << 20)
    lines = max(1, head.count(b"\n"))
    return min(params.prepare.limit or 10**12, path.stat().st_size * lines // max(1, len(head)))


def _by_device(places: list[tuple]) -> dict[Path, list[tuple]]:
    """A folder of each file system → the places on it; one that is not there yet is made where its parents are."""
    by_device: dict[Path, list[tuple]] = defaultdict(list)
    first: dict[int, Path] = {}
    for name, folder in dict.fromkeys(places):
        near = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
        by_device[first.setdefault(os.stat(near).st_dev, near)].append((name, folder))
    return by_device
