"""The certificate that training and serving agree: its rows, its text, and the check before a training."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.serve.checkpoint import Checkpoint
from funreason.serve.drawn import drawn
from funreason.serve.parity import Parity, Server, TemplateServer, compare
from funreason.serve.requests import ChatRequest
from funreason.serve.template import served_template
from funreason.srml.formats import TrainingDataError, prompt_completion
from funreason.srml.template import stop_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FIRST_ROWS = 50  # compared before a training
_SHOWN = 5
_NO_CHAT = "a text or with tools beside the chat, which no server is asked"


@dataclass(frozen=True)
class Certificate:
    """The result of a comparison for people and programs.

    Attributes:
        model: The name of the model.
        server: What rendered the requests.
        source: Where the rows come from.
        parity: The result.
    """

    model: str
    server: str
    source: str
    parity: Parity

    def text(self) -> str:
        """The certificate, or the first differences."""
        parity = self.parity
        unusable = "".join(f", {count} dropped as {reason}" for reason, count in sorted(parity.unusable.items()))
        head = f"{self.model}: {parity.rows} conversations of {self.source}, rendered by {self.server}{unusable}"
        if not parity.differences:
            return f"{head}\ntrained = served: all {parity.tokens} tokens, masks and segments are the same"
        kinds = ", ".join(f"{count} {kind}" for kind, count in parity.kinds().items())
        shown = "\n".join(f"  {difference}" for difference in parity.differences[:_SHOWN])
        return f"{head}\n{len(parity.differences)} differ ({kinds}); the first:\n{shown}"

    def to_row(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "model": self.model,
            "server": self.server,
            "source": self.source,
            "rows": self.parity.rows,
            "tokens": self.parity.tokens,
            "unusable": dict(sorted(self.parity.unusable.items())),
            "kinds": self.parity.kinds(),
            "differences": [vars(difference) for difference in self.parity.differences[:_SHOWN]],
        }


def certify(
    name: str, *, rows: str | None, count: int, seed: int, drawn_only: bool, template_only: bool
) -> Certificate:
    """Compare a model's training with its serving.

    Args:
        name: A round, a folder or a hub id.
        rows: A file of training rows; None for those of the round, or drawn conversations where there are none.
        count: How many rows, chosen by `seed`.
        seed: Of the choice, and of the drawing.
        drawn_only: Whether to draw conversations although there are rows.
        template_only: Whether only the chat template is rendered, as a server without FunReason does.

    Raises:
        DataError: There are no rows, or none that a training would use.
    """
    model = Checkpoint.of(name)
    tokenizer = model.tokenizer()
    server: Server
    if template_only:
        server, shown = TemplateServer(tokenizer), "its chat template alone"
    else:
        from funreason.serve.vllm_server import VllmServer

        server, shown = VllmServer(model.path), "vLLM as `funreason serve` starts it"
    source, chosen, requests = _rows(None if drawn_only else rows or model.rows, count, seed, not template_only)
    stops = stop_tokens(tokenizer, model.generation().get("eos_token_id"))
    chats = [row for row in chosen if _is_chat(row)]
    parity = compare(chats, tokenizer, server, stops, requests)
    if len(chats) < len(chosen):
        parity.unusable[_NO_CHAT] = len(chosen) - len(chats)
    if not parity.rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(parity.unusable.items()))
        raise DataError(f"{source}: no row can be compared, so nothing is proved ({reasons}); give other rows")
    return Certificate(name, shown, source, parity)


def check_before_training(rows: Iterable[dict[str, Any]], tokenizer: "PreTrainedTokenizerBase") -> None:
    """Compare the first rows of a training with what the template of its checkpoint will ask.

    Args:
        rows: The training rows.
        tokenizer: The start model's.

    Raises:
        DataError: A server would ask the model with other tokens than it is trained on.
    """
    first = [row for _, row in zip(range(FIRST_ROWS), rows, strict=False)]
    chats = [row for at, row in enumerate(prompt_completion(one, at) for at, one in enumerate(first)) if _is_chat(row)]
    parity = compare(chats, tokenizer, TemplateServer(tokenizer, served_template(tokenizer)))
    differences = [one for one in parity.differences if not one.kind.startswith("control tokens")]
    if differences:
        raise DataError(
            f"{len(differences)} of {parity.rows} rows would be served with other tokens than they are trained with; "
            f"{differences[0]}; correct the row, or give the start model another chat_template.jinja"
        )


def _is_chat(row: dict[str, Any]) -> bool:
    return isinstance(row["prompt"], list) and not row.get("tools")


def _rows(
    path: str | Path | None, count: int, seed: int, forged: bool
) -> tuple[str, list[dict[str, Any]], list[ChatRequest] | None]:
    if path is None:
        half = count // 2 if forged else 0  # a template alone cannot keep texts that spell control tokens
        pairs = [*drawn(count - half, seed), *drawn(half, seed, forged=True)]
        return f"the drawing {seed}", [row for row, _ in pairs], [request for _, request in pairs]
    every = list(read_jsonl(path))
    if not every:
        raise DataError(f"{path} holds no rows; give another file, or leave it out for drawn conversations")
    chosen = every if len(every) <= count else random.Random(seed).sample(every, count)
    try:
        return str(path), [prompt_completion(row, at) for at, row in enumerate(chosen)], None
    except TrainingDataError as error:
        raise DataError(f"{path}: {error}") from None
