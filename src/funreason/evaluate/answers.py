"""From the model to the scorer: how benchmarks ask, and what of the answer they score."""

from collections.abc import Sequence

from funreason.core.paths import descriptor, model_folder
from funreason.llm import Client, ModelRef, Request, Response, load_ref


def subject(name: str) -> ModelRef:
    """The model under test: `base` is the untrained one of models/base.json, any other name a trained set."""
    return load_ref(descriptor("base") if name == "base" else model_folder(name))


def ask(client: Client, chats: Sequence[list[dict]], desc: str) -> list[Response]:
    """One response a chat, in order."""
    return client.run([Request(messages=chat) for chat in chats], desc=desc)


def ask_samples(client: Client, chats: Sequence[list[dict]], count: int, desc: str) -> list[list[Response]]:
    """`count` responses to each chat, drawn independently; in order."""
    drawn = client.run([Request(messages=chat, index=n) for chat in chats for n in range(count)], desc=desc)
    return [drawn[start : start + count] for start in range(0, len(drawn), count)]


def greedy(max_tokens: int) -> dict:
    """Sampling of every benchmark: pass@1 and AST accuracy are published for the most likely answer."""
    return {"temperature": 0.0, "top_p": 1.0, "max_tokens": max_tokens, "seed": 0}


def without_reasoning(text: str) -> str:
    """What follows the last `</think>`, as BFCL's own handlers of reasoning models cut it.

    Unclosed reasoning stays as it is: no scorer can read it, and emptying it would look like a refusal.
    """
    return text.rpartition("</think>")[2].lstrip("\n")


def too_long(response: Response) -> bool:
    """Whether the prompt left no room for an answer: wrong everywhere, and counted in the metrics."""
    return response.finish_reason == "too_long"
