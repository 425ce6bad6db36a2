"""The sandbox mode of this machine, and a small folder in BFCL's layout."""

from pathlib import Path

import pytest

from funreason.sandbox import isolation as sandbox

from .suite import write_folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_folder(tmp_path / "suite")


@pytest.fixture(scope="session")
def mode() -> str:
    """Attacks run in here: no test may fall back to `none`."""
    mode = sandbox.resolve("auto")
    assert mode != "none"
    return mode
