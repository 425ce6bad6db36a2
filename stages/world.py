"""Writes the desk world: refine pool, hidden labels, judge cases, held-out sets, code tasks.

Run as: python stages/world.py
"""

from pathlib import Path

from funreason import stage


def main() -> None:
    from funreason.desk.world import write_world
    from funreason.params import load_params

    write_world(Path("data/desk"), **load_params().desk.model_dump())


if __name__ == "__main__":
    stage.run(main)
