"""The three tiers of tests, and fixtures shared by all folders.

`make test-fast` leaves out what is marked `model`, `slow` or `long`, `make test` what is marked `long`. `model` is set
here for tests that import torch or use a fixture that starts a model (tiers.py). A test that does so in its own code or
in another process is marked by hand.
"""

import os
import sys
from pathlib import Path

import pytest
from tiers import MODEL_FIXTURES, SLOW_FIXTURES, imports_torch

# Before anything imports torch or vLLM: the machines that run the tests are small and have no hub.
for name, value in {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}.items():
    os.environ.setdefault(name, value)


def fast(config: pytest.Config) -> bool:
    return "not model" in config.option.markexpr


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The fast tier does not import a test module that imports torch."""
    is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_test and fast(config) and imports_torch(collection_path) else None


@pytest.hookimpl(tryfirst=True)  # before pytest selects by mark
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(item.fixturenames)
        if fixtures & MODEL_FIXTURES or (not fast(config) and imports_torch(item.path)):
            item.add_marker("model")
        if fixtures & SLOW_FIXTURES:
            item.add_marker("slow")


def pytest_collection_finish(session: pytest.Session) -> None:
    if fast(session.config) and "torch" in sys.modules:
        raise pytest.UsageError(
            "collecting the fast tier imported torch: a conftest.py or a stage imports it at its top level"
        )


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """In the fast tier the first test that imports torch fails, so that none slips in."""
    if fast(item.config) and "torch" in sys.modules and not item.session.stash.get(TORCH_SEEN, False):
        item.session.stash[TORCH_SEEN] = True
        pytest.fail("this test imports torch: mark it with @pytest.mark.model", pytrace=False)


TORCH_SEEN = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A folder with a random Qwen2 of two layers, a byte-level BPE tokenizer and a ChatML template."""
    from tiny import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("tiny-model"))
