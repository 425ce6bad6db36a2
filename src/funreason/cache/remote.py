"""The folder of packs on a DVC remote or at a URL. Whatever a filesystem's library raises becomes one line."""

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from funreason.core.errors import FunReasonError

FOLDER = "funreason/responses"  # beside DVC's own files/ and runs/; `dvc gc --cloud` looks into folders of two letters


class RemoteError(FunReasonError):
    """A remote that is not set up, cannot be reached, or refuses."""


@contextmanager
def reached(where: str) -> Iterator[None]:
    """Turns what is raised inside into a RemoteError that names the place."""
    try:
        yield
    except RemoteError:
        raise
    except ImportError as error:  # a plugin that is not installed, which the message names
        raise RemoteError(f"{where}: {error}") from error
    except Exception as error:  # each filesystem's library has errors of its own
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        remedy = "check address, rights and credentials (`dvc remote modify --local NAME …`, docs/sharing.md)"
        raise RemoteError(f"{where}: {said}; {remedy}") from error


@dataclass
class Shelf:
    """Files in one folder of an fsspec filesystem.

    `whole_puts`: the store shows an upload once it is whole (S3 and its like); elsewhere it gets its name at the end.
    """

    files: Any  # fsspec's AbstractFileSystem
    folder: str
    shown: str
    whole_puts: bool

    def names(self) -> set[str]:
        """The names in the folder; none where there is no folder yet."""
        with reached(self.shown):
            self.files.invalidate_cache()
            try:
                paths = self.files.ls(self.folder, detail=False)
            except FileNotFoundError:
                return set()
            return {posixpath.basename(path.rstrip("/")) for path in paths}

    def read(self, name: str) -> bytes:
        with reached(self.shown):
            return self.files.cat_file(self._path(name))

    def get(self, name: str, path: Path) -> None:
        with reached(self.shown):
            self.files.get_file(self._path(name), str(path))

    def put(self, path: Path, name: str) -> None:
        """Upload a file: under its name it is whole, or not there.

        What is there already may stay: a name says what is in its file.
        """
        with reached(self.shown):
            if self.whole_puts:
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
        except Exception:  # WebDAV refuses a name that is taken: another push was faster
            if not self.files.exists(new):
                raise
            self.files.rm_file(old)

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}"


def open_shelf(place: str | None) -> Shelf:
    """The packs on the DVC remote of that name (None: the default remote), or at a URL or path, which has a slash.

    URLs of kinds that DVC knows are opened as DVC opens them, all others by fsspec. Raises RemoteError.
    """
    with reached(re.sub("//[^/@]*@", "//", place or "the default remote")):  # without a password
        return _of_url(place) if place and "/" in place else _of_dvc(*_named(place))


def _named(name: str | None) -> tuple:
    """DVC's filesystem for a remote, and its path there."""
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
        raise RemoteError("this folder is in no DVC project; run in one, or give a URL or a path with a /") from None


def _remedy(known: list[str]) -> str:
    here = f"name one of {', '.join(known)}" if known else "`dvc remote add -d team URL` sets one up"
    return f"{here}, or give a URL or a path with a / (docs/sharing.md)"


def _of_url(url: str) -> Shelf:
    import fsspec
    from dvc.fs import get_cloud_fs, registry

    scheme = urlsplit(url).scheme
    if scheme in set(registry) - {"local", "memory"}:
        kind, config, path = get_cloud_fs({}, url=url)
        return _of_dvc(kind(**config), path)
    files, path = fsspec.core.url_to_fs(url)
    return _shelf(files, path, files.unstrip_protocol, whole_puts=False)


def _of_dvc(files, path: str) -> Shelf:
    from dvc_objects.fs.base import ObjectFileSystem

    return _shelf(files.fs, path, files.unstrip_protocol, isinstance(files, ObjectFileSystem))


def _shelf(files, path: str, shown: Callable[[str], str], whole_puts: bool) -> Shelf:
    folder = posixpath.join(path, FOLDER)
    return Shelf(files, folder, shown(folder), whole_puts)
