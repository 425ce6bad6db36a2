"""Writes the desk world: refine pool, hidden labels, judge cases, held-out sets, code tasks, conversations.

Run as: python stages/world.py
"""

from pathlib import Path

from funreason import stage


def main() -> None:
    from funreason.desk.dialogs import write_dialogs
    from funreason.desk.world import write_world
    from funreason.params import load_params

    desk, folder = load_params().desk, Path("data/desk")
    write_world(folder, **desk.model_dump(exclude={"dialog_rows"}))
    write_dialogs(folder, desk.seed, desk.dialog_rows, desk.planted_share)


if __name__ == "__main__":
    stage.run(main)
