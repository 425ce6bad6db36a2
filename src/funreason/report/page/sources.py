"""Where the files of a state come from: a folder, or a Git revision or DVC experiment through DVC."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from funreason.core.errors import DataError
from funreason.core.jsonio import JsonObject, unwrapped

WORKSPACE = "workspace"


class Source(Protocol):
    """A state of the project; paths are relative to the folder of its dvc.yaml."""

    name: str

    def open(self, path: str) -> IO[str] | None:
        """The file as text; None where the state has none, or where its content is not on this machine."""

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; none where there is no such folder."""


class Folder:
    """The files of a folder that holds dvc.yaml."""

    def __init__(self, root: str | Path = ".", name: str = WORKSPACE):
        self.root, self.name = Path(root), name

    def open(self, path: str) -> IO[str] | None:
        """See Source."""
        whole = self.root / path
        return whole.open(encoding="utf-8") if whole.is_file() else None

    def names(self, folder: str) -> list[str]:
        """See Source."""
        whole = self.root / folder
        return sorted(path.name for path in whole.iterdir()) if whole.is_dir() else []


class Revision:
    """The files of a Git revision or DVC experiment; contents come from DVC's cache, not from a remote."""

    def __init__(self, revision: str):
        from dvc.api import DVCFileSystem
        from dvc.repo import Repo
        from dvc.scm import resolve_rev

        self.name = revision
        with Repo(".") as repo:
            resolve_rev(repo.scm, revision)  # the file system would look it up later, and fail there
        self._files = DVCFileSystem(repo=".", rev=revision)

    def open(self, path: str) -> IO[str] | None:
        """See Source."""
        try:
            return io.StringIO(self._files.read_bytes(path).decode("utf-8"))
        except OSError:  # FileNotFoundError, and DVC's own errors for what is in no cache
            return None

    def names(self, folder: str) -> list[str]:
        """See Source."""
        try:
            return sorted(Path(path).name for path in self._files.ls(folder, detail=False))
        except OSError:
            return []


def source(side: str) -> Source:
    """The state that a user names.

    Args:
        side: `workspace`, a Git revision, a DVC experiment, or a folder that holds a dvc.yaml. A name that is both a
            revision and a folder is the revision; `./name` is the folder.

    Raises:
        DataError: It is none of these.
    """
    if side == WORKSPACE:
        return Folder()
    if not (side in (".", "..") or side.startswith(("./", "../", "/"))):
        from dvc.exceptions import DvcException
        from dvc.scm import RevError, SCMError

        try:
            return Revision(side)
        except (RevError, SCMError, DvcException):
            pass
    if (Path(side) / "dvc.yaml").is_file():
        return Folder(side, side)
    names = "`git log --oneline`, `git branch` and `dvc exp list` show the names there are"
    raise DataError(f"{side!r} is not a Git revision, a DVC experiment or a folder with a dvc.yaml; {names}")


def json_of(files: Source, path: str) -> JsonObject:
    """The object in a JSON file; {} where there is none. Raises DataError where it is something else."""
    file = files.open(path)
    if file is None:
        return {}
    with file:
        try:
            value = unwrapped(json.load(file))
        except ValueError as error:
            raise DataError(
                f"{path} of {files.name} is not JSON ({error}); run the stage again that wrote it"
            ) from None
    if not isinstance(value, dict):
        raise DataError(f"{path} of {files.name} holds no object; run the stage again that wrote it")
    return value


def lines_of(files: Source, path: str) -> Iterator[JsonObject]:
    """The objects of a JSONL file; none where there is no file. Raises DataError where a line is something else."""
    file = files.open(path)
    if file is None:
        return
    with file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"{path}:{number} of {files.name} is not JSON ({error})") from None
            if isinstance(row, dict):
                yield row


def table_of(files: Source, path: str) -> list[dict[str, Any]]:
    """The rows of a CSV file with numbers as numbers and empty cells as None; [] where there is no file."""
    file = files.open(path)
    if file is None:
        return []
    with file:
        return [{key: _number(cell) for key, cell in row.items()} for row in csv.DictReader(file)]


def _number(cell: str | None) -> float | str | None:
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return cell
