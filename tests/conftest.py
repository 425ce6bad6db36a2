"""Fixtures shared by all rooms."""

import os
from pathlib import Path

import pytest

# Before anything imports torch or vLLM: the machines that run the tests are small and have no hub.
for name, value in {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}.items():
    os.environ.setdefault(name, value)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A folder with a random Qwen2 of two layers, a byte-level BPE tokenizer and a ChatML template."""
    from tiny import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("tiny-model"))
