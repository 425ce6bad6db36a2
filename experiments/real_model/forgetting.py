"""What was forgotten: the loss on plain English and on Python code that come with Python itself."""

import pydoc_data.topics
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

CODE = ("json/decoder.py", "textwrap.py", "heapq.py", "statistics.py", "fractions.py", "csv.py")
CHUNK, CHUNKS = 256, 32  # tokens of a chunk, chunks of a text


def text_losses(folder: str | Path) -> dict[str, float]:
    """{"english", "code"}: mean loss per token (nats) of a model on texts that it was not trained on here."""
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False).eval()
    return {name: round(loss(model, chunks(tokenizer, text)), 4) for name, text in texts().items()}


def texts() -> dict[str, str]:
    """Python's language reference, which the package `pydoc_data` holds as text, and modules of its library."""
    topics = pydoc_data.topics.topics
    library = Path(sysconfig.get_paths()["stdlib"])
    return {
        "english": "\n".join(topics[name] for name in sorted(topics)),
        "code": "\n".join((library / name).read_text(encoding="utf-8") for name in CODE),
    }


def chunks(tokenizer: object, text: str) -> Iterator[torch.Tensor]:
    ids = torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"])
    yield from ids[: CHUNK * CHUNKS].split(CHUNK)


@torch.no_grad()
def loss(model: torch.nn.Module, parts: Iterator[torch.Tensor]) -> float:
    losses = [model(input_ids=part[None], labels=part[None]).loss.item() for part in parts]
    return sum(losses) / len(losses)
