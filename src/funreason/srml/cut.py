"""Where the segments of a completion begin: FunReason's cut into reasoning and result, and the form of any other."""

from collections.abc import Callable, Sequence

from funreason.calls.completion import CLOSE, OPEN

# completion → [(segment, index of its first character)], the first at 0, in order, no two alike. Raises Refused.
Cut = Callable[[str], Sequence[tuple[str, int]]]


class Refused(Exception):
    """A row that cannot be labelled; the message is the reason it is counted under."""


def think_and_result(completion: str) -> list[tuple[str, int]]:
    """The reasoning runs through `</think>` and the blanks behind it, the result from there. Raises Refused.

    Without think marks all is result. A lone `</think>` closes a `<think>` that the prompt opened, as the chat
    templates of QwQ and DeepSeek-R1 do.
    """
    opens, closes = completion.count(OPEN), completion.count(CLOSE)
    if opens > 1 or closes > 1:
        raise Refused("repeated_think")
    if opens > closes:
        raise Refused("unclosed_think")
    if opens and completion[: completion.index(OPEN)].strip():
        raise Refused("text_before_think")
    end = completion.index(CLOSE) + len(CLOSE) if closes else 0
    result = completion[end:]
    if not result.strip():
        raise Refused("empty_result")
    return [("think", 0), ("result", end + len(result) - len(result.lstrip()))] if closes else [("result", 0)]


def checked(cuts: Sequence[tuple[str, int]], completion: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """`cuts` if they tile the completion with segments of `names`. Raises ValueError: the cut itself is wrong."""
    starts = [start for _, start in cuts]
    tiles = bool(starts) and starts[0] == 0 and starts == sorted(set(starts)) and starts[-1] < len(completion)
    if not tiles or not {name for name, _ in cuts} <= set(names):
        raise ValueError(
            f"the cut of a completion of {len(completion)} characters is {list(cuts)}; wanted are segments of "
            f"{', '.join(names)}, the first at 0, the others in ascending order before the end"
        )
    return list(cuts)
