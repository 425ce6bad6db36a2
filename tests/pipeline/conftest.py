"""One real run of the small toy profile, for all tests of this folder."""

from pathlib import Path

import pytest

from .small_project import TARGETS, copy_project, dvc


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("toy") / "project")
    dvc(folder, "repro", *TARGETS)
    return folder
