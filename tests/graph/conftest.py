"""The copied pipeline, and what dvc.yaml declares of its stages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .pipeline_copy import Declared, declared_stages, make_copy, put_back


@pytest.fixture(scope="session")
def committed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_copy(folder)
    return folder


@pytest.fixture(scope="session")
def stages(committed) -> list[Declared]:
    return declared_stages(committed)


@pytest.fixture
def project(committed, monkeypatch) -> Iterator[Path]:
    """The copy as the current folder; what a test `edit`s is put back after it."""
    monkeypatch.chdir(committed)
    yield committed
    put_back()
