"""Where metrics to compare come from: the workspace, Git revisions and DVC experiments, whose metrics are in Git."""

import json
import os
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import unwrapped

WORKSPACE = "workspace"
FILES = ("bfcl", "code")
Metrics = dict[str, dict[str, dict]]  # {round: {file: its contents}}


def read_metrics(side: str) -> Metrics:
    """The contents of metrics/<round>/<file>.json at a side, for every round that it has. Raises DataError."""
    if side == WORKSPACE:
        texts = {str(path): path.read_text(encoding="utf-8") for name in FILES for path in _files(name)}
    else:
        texts = _at_revision(side)
    rounds: Metrics = {}
    for path, text in texts.items():
        rounds.setdefault(Path(path).parent.name, {})[Path(path).stem] = _read(text, path, side)
    return rounds


def experiments() -> list[str]:
    """The DVC experiments that started from the present commit, in order; none outside a repository."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        with Repo(".") as repo:
            return sorted(name for names in repo.experiments.ls().values() for name, _ in names if name)
    except (DvcException, SCMError):
        return []


def _files(name: str) -> list[Path]:
    return sorted(Path("metrics").glob(f"*/{name}.json"))


def _at_revision(side: str) -> dict[str, str]:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import RevError, SCMError, resolve_rev

    try:
        with Repo(".") as repo:
            files = repo.scm.get_fs(resolve_rev(repo.scm, side))
            here = Path(os.path.relpath(Path.cwd(), repo.scm.root_dir)).as_posix()
            pattern = os.path.normpath(f"{here}/metrics/*/") + "/{}.json"
            paths = sorted(path for name in FILES for path in files.glob(pattern.format(name)))
            return {path: files.cat_file(path).decode() for path in paths}
    except (RevError, SCMError, DvcException) as error:
        remedy = "`git log --oneline`, `git branch` and `dvc exp list` list what there is"
        raise DataError(f"{side!r} is not a Git revision or DVC experiment here ({error}); {remedy}") from None


def _read(text: str, path: str, side: str) -> dict:
    try:
        value = unwrapped(json.loads(text))
    except ValueError as error:
        raise DataError(f"{path} at {side} is not JSON ({error}); {_remedy(side)}") from None
    if not isinstance(value, dict):
        raise DataError(f"{path} at {side} holds a {type(value).__name__}, expected an object; {_remedy(side)}")
    return value


def _remedy(side: str) -> str:
    return "run `dvc repro` to write it anew" if side == WORKSPACE else "name another revision"
