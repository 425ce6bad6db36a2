"""A completion is reasoning and answer, `<think>{cot}</think>\\n\\n{answer}`, or just the answer."""

from funreason.core.errors import DataError

OPEN, CLOSE = "<think>", "</think>"


class CompletionError(DataError):
    """A completion whose reasoning marks are unclosed, repeated or out of order."""


def join_completion(cot: str | None, answer: str) -> str:
    """The completion text of a reasoning and an answer; `None` stands for no reasoning at all."""
    return answer if cot is None else f"{OPEN}{cot}{CLOSE}\n\n{answer}"


def split_completion(text: str, *, opened: bool = False) -> tuple[str | None, str]:
    """(cot, answer) of a completion, both without outer white space; cot is `None` where there are no marks.

    `opened`: the prompt already ends with `<think>` (the chat templates of QwQ and DeepSeek-R1 do), so the
    text must close it. A lone `</think>` is read that way in any case: what stands before it is reasoning.
    Raises `CompletionError` on an unclosed or repeated `<think>`, and on text in front of it.
    """
    opens, closes = text.count(OPEN), text.count(CLOSE)
    if not (opens or closes or opened):
        return None, text.strip()
    if closes == 0:
        raise CompletionError(_message(text, f"{OPEN} is never closed", "give the sampler more max_tokens"))
    if opens > 1 or closes > 1:
        raise CompletionError(_message(text, f"{opens} {OPEN}, {closes} {CLOSE}", "write one of each"))
    cot, answer = text.split(CLOSE)
    if opens:
        before, mark, cot = cot.partition(OPEN)
        if not mark or before.strip():
            raise CompletionError(_message(text, f"{OPEN} is not the beginning", "start with the reasoning"))
    return cot.strip(), answer.strip()


def _message(text: str, problem: str, remedy: str) -> str:
    """One line with the problem, both ends of the text, and the way out."""
    shown = text if len(text) <= 120 else f"{text[:60]} … {text[-60:]}"
    return f"completion {shown!r}: {problem}; {remedy}"
