"""Benchmarks: prompts out, answers in, scored by the official scorers inside the sandbox.

`drivers/` is the code that runs in a scorer's own environment: plain scripts that import the standard library and that
scorer, nothing of funreason.
"""

from pathlib import Path

DRIVERS = Path(__file__).parent / "drivers"
