"""The rows of BFCL whose labels are disputed, from disputed.yaml."""

from functools import cache
from pathlib import Path

from funreason.config.yamlio import read_yaml

FILE = Path(__file__).with_name("disputed.yaml")


@cache
def disputed_rows(version: str) -> dict[str, str]:
    """{id: why its possible answers contradict themselves or their tool} of BFCL `version` (v3, v4)."""
    rows: dict[str, str] = read_yaml(FILE)[version]
    return rows
