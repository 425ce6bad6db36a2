"""Rows to train on, of every shape the labelling knows."""


def row(completion: str, question: str = "weather?", key: int = 0) -> dict:
    return {
        "id": str(key),
        "prompt": [{"role": "system", "content": "Call tools."}, {"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": completion}],
    }


def eight() -> list[dict]:
    """Lengths differ; one without think, one without a call."""
    thoughts = [f"<think>{'The user asks. ' * (1 + i % 3)}</think>" for i in range(6)]
    rows = [row(f"{t}\n\n[get_weather(days={i})]", "x" * i) for i, t in enumerate(thoughts)]
    return [
        *rows,
        row("[get_weather(city='Bern')]"),
        row("<think>Nothing fits here, so no call.</think>\n\n."),
    ]
