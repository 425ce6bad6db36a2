"""A completion: reasoning and answer, `<think>{cot}</think>\\n\\n{answer}`, or only the answer."""

from funreason.core.errors import DataError

OPEN, CLOSE = "<think>", "</think>"


class CompletionError(DataError):
    """A completion whose `<think>` tags are unclosed, repeated or out of order."""


def join_completion(cot: str | None, answer: str) -> str:
    """Join a reasoning and an answer into one completion.

    Args:
        cot: The reasoning. None means that the completion has none; an empty text is an empty `<think></think>`.
        answer: The text after the reasoning.

    Returns:
        The text of the completion.
    """
    return answer if cot is None else f"{OPEN}{cot}{CLOSE}\n\n{answer}"


def split_completion(text: str, *, opened: bool = False) -> tuple[str | None, str]:
    """Split a completion into its reasoning and its answer.

    Args:
        text: The completion. Text before a lone `</think>` is reasoning, since the prompt may have opened it.
        opened: Whether the prompt ends with `<think>`, as the chat templates of QwQ and DeepSeek-R1 do. The text must
            then close it.

    Returns:
        The reasoning and the answer, both without outer white space. The reasoning is None where there are no tags.

    Raises:
        CompletionError: `<think>` is never closed, is repeated, or has text in front of it.
    """
    opens, closes = text.count(OPEN), text.count(CLOSE)
    if not (opens or closes or opened):
        return None, text.strip()
    if closes == 0:
        raise CompletionError(_message(text, f"{OPEN} is never closed", "give the generator more max_tokens"))
    if opens > 1 or closes > 1:
        raise CompletionError(_message(text, f"{opens} {OPEN}, {closes} {CLOSE}", "write one of each"))
    cot, answer = text.split(CLOSE)
    if opens:
        before, mark, cot = cot.partition(OPEN)
        if not mark or before.strip():
            raise CompletionError(_message(text, f"{OPEN} is not the beginning", "start with the reasoning"))
    return cot.strip(), answer.strip()


def _message(text: str, problem: str, remedy: str) -> str:
    """One line: both ends of the text, the problem, the remedy."""
    shown = text if len(text) <= 120 else f"{text[:60]} … {text[-60:]}"
    return f"completion {shown!r}: {problem}; {remedy}"
