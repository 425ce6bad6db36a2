"""The rows of BFCL and ACEBench whose labels are disputed, from disputed.yaml."""

from functools import cache
from pathlib import Path

from funreason.config.yamlio import read_yaml

FILE = Path(__file__).with_name("disputed.yaml")


@cache
def disputed_rows(version: str) -> dict[str, str]:
    """{id: why its possible answers contradict themselves or their tool}.

    Args:
        version: v3 or v4 of BFCL, acebench_en or acebench_zh.
    """
    rows: dict[str, str] = read_yaml(FILE)[version]
    return rows
