"""DVC's cache against dvc.lock.

Not left to DVC: its own check skips read-only objects (`dvc_data.hashfile.db.local`), and those are all. A run would go
on with a damaged file, and even a stage that writes it anew gets the old object linked in its place.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from funreason.config import read_yaml
from funreason.core.errors import ParamsError
from funreason.doctor.diagnosis import Diagnosis, error, ok
from funreason.doctor.space import dvc_cache


def objects(deep: bool = False) -> Iterator[Diagnosis]:
    """Objects of another size than dvc.lock says; with `deep`, every object is read and compared with its name."""
    folder = dvc_cache() / "files" / "md5"
    try:
        outs = _outs()
    except (ParamsError, AttributeError, KeyError, TypeError):
        yield error(
            "dvc.lock is damaged", "`git checkout dvc.lock` (delete it if it was never committed), then `dvc repro`"
        )
        return
    names = {_place(folder, md5): md5 for md5 in outs}
    if deep:
        names |= {path: path.parent.name + path.name for path in sorted(folder.glob("??/*")) if path.is_file()}
    damaged = [path for path, md5 in names.items() if path.is_file() and _damaged(path, md5, outs.get(md5, {}), deep)]
    for path in damaged:
        users = sorted(outs.get(names[path], {})) or ["what holds it (`dvc data status`)"]
        remedy = f"delete it and {', '.join(users)}, then `dvc fetch` or `dvc repro`"
        yield error(f"{path} in DVC's cache is damaged", remedy)
    if names and not damaged:
        state = "what their names say" if deep else "as long as dvc.lock says (--deep reads them)"
        yield ok(f"the objects of DVC's cache are {state}")


def locks() -> Iterator[Diagnosis]:
    """DVC writes .dvc/tmp/rwlock in place: killed meanwhile, it leaves half a file and refuses to start."""
    path = Path(".dvc/tmp/rwlock")
    try:
        json.loads(path.read_text())
    except FileNotFoundError:
        return
    except ValueError:
        yield error(f"{path} is damaged", f"`rm {path}`, where no other dvc runs")


def _outs() -> dict[str, dict[str, int]]:
    """md5 → {path: size} of all outs of dvc.lock that are files."""
    sizes: dict[str, dict[str, int]] = defaultdict(dict)
    lock = Path("dvc.lock")
    for stage in read_yaml(lock)["stages"].values() if lock.exists() else ():
        for out in stage.get("outs", ()):
            if not out["md5"].endswith(".dir"):
                sizes[out["md5"]][out["path"]] = out["size"]
    return sizes


def _place(folder: Path, md5: str) -> Path:
    return folder / md5[:2] / md5[2:]


def _damaged(path: Path, md5: str, users: dict[str, int], deep: bool) -> bool:
    if any(path.stat().st_size != size for size in users.values()):
        return True
    if not deep:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() != md5.removesuffix(".dir")
