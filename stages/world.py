"""Write the toy world: refine pool, hidden labels, judge cases, held-out sets, code tasks, conversations.

Run as: python stages/world.py
"""

from pathlib import Path

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core.paths import TOY
    from funreason.toy.conversations import write_conversations
    from funreason.toy.world import write_world

    toy, folder = load_params().toy, Path(TOY)
    write_world(folder, **toy.model_dump(exclude={"conversation_rows"}))
    write_conversations(folder, toy.seed, toy.conversation_rows, toy.planted_fraction)


if __name__ == "__main__":
    run(main)
