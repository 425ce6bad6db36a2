"""ACEBench's possible answers as the texts that a perfect model would write."""

from funreason.evaluate.acebench_data import AceRow
from funreason.evaluate.acebench_strict import gold_name

FINISH = "finish conversation"  # ends an agent's row


def gold_text(row: AceRow) -> str:
    """The answer that the official prompt asks for, made of the possible answer of a row that is asked once."""
    gold = row.gold["ground_truth"]
    if row.category == "special_irrelevant":
        return f'["{gold}"]'
    if row.category == "special_incomplete":
        sentences = [
            f"Missing necessary parameters ({', '.join(map(str, names))}) for the api ({api})"
            for api, names in gold.items()
        ]
        return "[" + ", ".join(f'"{sentence}"' for sentence in sentences) + "]"
    if row.category == "special_error_param":
        return "[" + ", ".join(f'"{_incorrect(name, values)}"' for name, values in gold.items()) + "]"
    return calls_text(gold[0] if isinstance(gold, list) else gold, {tool["name"] for tool in row.data["function"]})


def calls_text(gold: dict, names: set[str]) -> str:
    """{name: {parameter: value}} as a list of calls; `names` of the tools, see `acebench_strict.gold_name`."""
    calls = [
        f"{gold_name(name, names)}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        for name, arguments in gold.items()
    ]
    return f"[{', '.join(calls)}]"


def gold_steps(row: AceRow) -> list[str]:
    """The answers of an agent that takes exactly the steps of the first list of milestones, and then ends."""
    milestones = row.gold["mile_stone"]
    first = milestones[0] if milestones and isinstance(milestones[0], list) else milestones
    return [*map(str, first), FINISH]


def _incorrect(name: str, values: list) -> str:
    return (
        f"There is incorrect value ({', '.join(map(str, values))}) for the parameters ({name}) in the conversation "
        "history."
    )
