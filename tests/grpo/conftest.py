"""The helpers of the trainer's tests: rows, train_stage."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "srml"))
