"""From the model to the scorer: how benchmarks ask, and which part of the answer they score."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from funreason.core.paths import descriptor, model_folder
from funreason.llm import Client, ModelRef, Request, Response, load_ref, refusal_reason


@dataclass(frozen=True)
class ScoredAnswer:
    """One answer to a benchmark that asks once.

    Attributes:
        suite: the benchmark's data: bfcl, api_bank, or the name of a folder in BFCL's layout.
        category: its category, or level.
        id: the id of the entry.
        text: what was scored.
        correct: the scorer's verdict.
        error: the scorer's reason, empty if correct.
        form: of the answer, see `forms.form_of`.
    """

    suite: str
    category: str
    id: str
    text: str
    correct: bool = True
    error: str = ""
    form: str = ""


def model_under_test(name: str) -> ModelRef:
    """The model of a round by its name; `base` is the untrained model of models/base.json."""
    return load_ref(descriptor("base") if name == "base" else model_folder(name))


def ask(client: Client, chats: Sequence[list[dict]], desc: str) -> list[Response]:
    """Ask for one response per chat.

    Args:
        client: of the model under test.
        chats: the messages of each chat.
        desc: shown beside the progress.

    Returns:
        The responses, in the order of `chats`.
    """
    return client.run([Request(messages=chat) for chat in chats], desc=desc)


def ask_samples(client: Client, chats: Sequence[list[dict]], count: int, desc: str) -> list[list[Response]]:
    """Draw several independent responses per chat.

    Args:
        client: of the model under test, with a temperature above 0.
        chats: the messages of each chat.
        count: responses per chat.
        desc: shown beside the progress.

    Returns:
        `count` responses for each chat, in the order of `chats`.
    """
    drawn = client.run([Request(messages=chat, index=n) for chat in chats for n in range(count)], desc=desc)
    return [drawn[start : start + count] for start in range(0, len(drawn), count)]


def greedy(max_tokens: int) -> dict:
    """Sampling of every benchmark: pass@1 and AST accuracy are published for the most likely answer."""
    return {"temperature": 0.0, "top_p": 1.0, "max_tokens": max_tokens, "seed": 0}


def without_reasoning(text: str) -> str:
    """What follows the last `</think>`, as BFCL's own handlers of reasoning models cut it.

    Unclosed reasoning stays as it is: no scorer can read it, and an empty text would look like a refusal.
    """
    return text.rpartition("</think>")[2].lstrip("\n")


def too_long(response: Response) -> bool:
    """Whether the prompt left no room for an answer: wrong everywhere, and counted in the metrics."""
    return response.finish_reason == "too_long"


def unanswered(response: Response) -> bool:
    """Whether there is no answer to score: the prompt was too long, or the server refused it. Wrong everywhere."""
    return too_long(response) or refusal_reason(response) is not None


def counted(responses: Iterable[Response]) -> dict[str, int]:
    """{"too_long", "unanswered"}: prompts that left no room, and other requests that got no answer."""
    missing = Counter(too_long(response) for response in responses if unanswered(response))
    return {"too_long": missing[True], "unanswered": missing[False]}


def cut(response: Response) -> bool:
    """Whether the answer ended at max_tokens or at the model's length, so that its end is missing."""
    return response.finish_reason == "length"
