"""The remote store: a folder for shards on a DVC remote or at a URL.

DVC and fsspec open it. What is added here: a file has its name only once it is whole (DVC uploads under the final name
where a server has no atomic upload), and whatever a file system's library raises becomes one line with a remedy.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from funreason.core.errors import FunReasonError

if TYPE_CHECKING:
    from dvc_objects.fs.base import FileSystem
    from fsspec import AbstractFileSystem

FOLDER = "funreason/responses"  # beside DVC's own files/ and runs/; `dvc gc --cloud` looks into folders of two letters


class RemoteError(FunReasonError):
    """A remote that is not set up, cannot be reached, or refuses."""


@contextmanager
def reached(where: str) -> Iterator[None]:
    """Turn what is raised inside into a RemoteError that names the place."""
    try:
        yield
    except RemoteError:
        raise
    except ImportError as error:  # a plugin that is not installed, which the message names
        raise RemoteError(f"{where}: {error}") from error
    except Exception as error:  # each filesystem's library has errors of its own
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        remedy = "check address, rights and credentials (`dvc remote modify --local NAME …`, docs/sharing.md)"
        raise RemoteError(f"{where}: {reason}; {remedy}") from error


@dataclass
class RemoteStore:
    """Files in one folder of an fsspec file system. Each method raises RemoteError.

    Attributes:
        files: The file system.
        folder: The path there.
        shown: The address, as messages show it.
        atomic_uploads: Whether a file appears only once it is whole (S3 and its like). Elsewhere it is uploaded under
            another name and renamed.
    """

    files: "AbstractFileSystem"
    folder: str
    shown: str
    atomic_uploads: bool

    def names(self) -> dict[str, int | None]:
        """The files in the folder with their sizes (None: unknown); none where there is no folder yet.

        What is not a file is left out: to read a fifo never ends.
        """
        with reached(self.shown):
            self.files.invalidate_cache()
            try:
                entries = self.files.ls(self.folder, detail=True)
            except FileNotFoundError:
                return {}
            names = {posixpath.basename(entry["name"].rstrip("/")): entry for entry in entries}
            return {name: entry.get("size") for name, entry in names.items() if entry.get("type", "file") == "file"}

    def read(self, name: str, most: int) -> bytes:
        """The content of a file, at most so many bytes and one."""
        with reached(self.shown), self.files.open(self._path(name), "rb") as file:
            return file.read(most + 1)

    def get(self, name: str, path: Path) -> None:
        """Download a file to a path of this machine."""
        with reached(self.shown):
            self.files.get_file(self._path(name), str(path))

    def put(self, path: Path, name: str) -> None:
        """Upload a file, so that under its name it is whole or not there.

        A file of that name may stay, since the name is a digest of the content.

        Args:
            path: On this machine.
            name: In the store.
        """
        with reached(self.shown):
            if self.atomic_uploads:
                self.files.put_file(str(path), self._path(name))
                return
            self.files.makedirs(self.folder, exist_ok=True)
            temporary = self._path(f".{name}.{token_hex(8)}.tmp")
            try:
                self.files.put_file(str(path), temporary)
                self._rename(temporary, self._path(name))
            except BaseException:
                with suppress(Exception):
                    self.files.rm_file(temporary)
                raise

    def _rename(self, old: str, new: str) -> None:
        try:
            self.files.mv(old, new)
        except Exception:  # WebDAV refuses a name that exists: another push was faster
            if not self.files.exists(new):
                raise
            self.files.rm_file(old)

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}"


def open_store(place: str | None) -> RemoteStore:
    """The store on the DVC remote of that name (None: the default remote), or at a URL or path, which has a slash.

    URLs of kinds that DVC knows are opened as DVC opens them, all others by fsspec. Raises RemoteError.
    """
    with reached(re.sub("//[^/@]*@", "//", place or "the default remote")):  # without a password
        return _of_url(place) if place and "/" in place else _of_dvc(*_named(place))


def _named(name: str | None) -> tuple["FileSystem", str]:
    """DVC's file system for a remote, and the path there."""
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            known = sorted(repo.config["remote"])
            if name is None and not repo.config["core"].get("remote"):
                raise RemoteError(f"no remote is named, and none is DVC's default; {_remedy(known)}")
            if name is not None and name.lower() not in known:
                raise RemoteError(f"there is no remote {name!r}; {_remedy(known)}")
            remote = repo.cloud.get_remote(name)
            return remote.fs, remote.path
    except NotDvcRepoError:
        raise RemoteError("this folder is not in a DVC project; run in one, or give a URL or a path with a /") from None


def _remedy(known: list[str]) -> str:
    here = f"name one of {', '.join(known)}" if known else "`dvc remote add -d team URL` sets one up"
    return f"{here}, or give a URL or a path with a / (docs/sharing.md)"


def _of_url(url: str) -> RemoteStore:
    import fsspec
    from dvc.fs import get_cloud_fs, registry

    scheme = urlsplit(url).scheme
    if scheme in set(registry) - {"local", "memory"}:
        file_system, config, path = get_cloud_fs({}, url=url)
        return _of_dvc(file_system(**config), path)
    files, path = fsspec.core.url_to_fs(url)
    return _store(files, path, files.unstrip_protocol, atomic_uploads=False)


def _of_dvc(files: "FileSystem", path: str) -> RemoteStore:
    from dvc_objects.fs.base import ObjectFileSystem

    return _store(files.fs, path, files.unstrip_protocol, isinstance(files, ObjectFileSystem))


def _store(files: "AbstractFileSystem", path: str, shown: Callable[[str], str], atomic_uploads: bool) -> RemoteStore:
    folder = posixpath.join(path, FOLDER)
    return RemoteStore(files, folder, shown(folder), atomic_uploads)
