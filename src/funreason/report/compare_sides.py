"""Where metrics to compare come from: the workspace, Git revisions, DVC experiments. All of them lie in Git."""

import json
import os
from pathlib import Path

from funreason.core.errors import DataError

WORKSPACE = "workspace"
KINDS = ("bfcl", "code")
Metrics = dict[str, dict[str, dict]]  # {set: {kind: the metrics file}}


def metrics(side: str) -> Metrics:
    """What metrics/<set>/<kind>.json hold at a side, for every set that it has. Raises DataError."""
    if side == WORKSPACE:
        texts = {str(path): path.read_text(encoding="utf-8") for kind in KINDS for path in _files(kind)}
    else:
        texts = _at_revision(side)
    found: Metrics = {}
    for path, text in texts.items():
        found.setdefault(Path(path).parent.name, {})[Path(path).stem] = _read(text, path, side)
    return found


def experiments() -> list[str]:
    """The DVC experiments that started from the present commit, in order; none outside of a repository."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        with Repo(".") as repo:
            return sorted(name for names in repo.experiments.ls().values() for name, _ in names if name)
    except (DvcException, SCMError):
        return []


def _files(kind: str) -> list[Path]:
    return sorted(Path("metrics").glob(f"*/{kind}.json"))


def _at_revision(side: str) -> dict[str, str]:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import RevError, SCMError, resolve_rev

    try:
        with Repo(".") as repo:
            files = repo.scm.get_fs(resolve_rev(repo.scm, side))
            here = Path(os.path.relpath(Path.cwd(), repo.scm.root_dir)).as_posix()
            pattern = os.path.normpath(f"{here}/metrics/*/") + "/{}.json"
            paths = sorted(path for kind in KINDS for path in files.glob(pattern.format(kind)))
            return {path: files.cat_file(path).decode() for path in paths}
    except (RevError, SCMError, DvcException) as error:
        names = "`git log --oneline`, `git branch` and `dvc exp list` name what there is"
        raise DataError(f"{side!r} is no Git revision or DVC experiment here ({error}); {names}") from None


def _read(text: str, path: str, side: str) -> dict:
    try:
        return json.loads(text)
    except ValueError as error:
        remedy = "run `dvc repro` to write it anew" if side == WORKSPACE else "name another revision"
        raise DataError(f"{path} at {side} is not JSON ({error}); {remedy}") from None
