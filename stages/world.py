"""Writes the toy world: refine pool, hidden labels, judge cases, held-out sets, code tasks, conversations.

Run as: python stages/world.py
"""

from pathlib import Path

from funreason.core import runtime as stage


def main() -> None:
    from funreason.config.params import load_params
    from funreason.toy.conversations import write_dialogs
    from funreason.toy.world import write_world

    toy, folder = load_params().toy, Path("data/toy")
    write_world(folder, **toy.model_dump(exclude={"conversation_rows"}))
    write_dialogs(folder, toy.seed, toy.conversation_rows, toy.planted_fraction)


if __name__ == "__main__":
    stage.run(main)
