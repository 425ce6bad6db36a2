"""One finished project for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import serve
from .team import Shared, dvc, finish_project, set_up


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    project = tmp_path_factory.mktemp("ann") / "project"
    finish_project(project)
    return project


def push_to(kind: str, project: Path, tmp_path_factory) -> Iterator[Shared]:
    """The project with a remote of that kind as its default, pushed to."""
    folder = tmp_path_factory.mktemp(kind)
    (folder / "served").mkdir()
    with serve(kind, folder / "served") as remote:
        set_up(project, remote)
        dvc(project, "push", "--run-cache")
        yield Shared(remote, project, folder)
    (project / ".dvc/config.local").unlink(missing_ok=True)  # the next remote has other credentials


@pytest.fixture(scope="module")
def in_a_folder(finished, tmp_path_factory):
    """The project pushed to a folder, as over NFS."""
    yield from push_to("folder", finished, tmp_path_factory)
