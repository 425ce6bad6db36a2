"""Tokenizers of the model families, from tests/srml."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "srml")]
