"""A folder with all that a model needs elsewhere: weights, tokenizer, templates, card, and a Modelfile for Ollama."""

import os
import shutil
from pathlib import Path

from funreason.core.errors import DataError, ModelError
from funreason.llm.refs import MODEL_FILES
from funreason.serve.checkpoint import Checkpoint
from funreason.serve.ollama import modelfile
from funreason.serve.template import plain_template, served_template

CARD, MODELFILE = "README.md", "Modelfile"
LLAMA_TEMPLATE = "llama.cpp.jinja"  # llama.cpp's own Jinja does not take the template with the part for servers
GGUF = "model.gguf"


def export(model: Checkpoint, out: Path, card: str) -> list[str]:
    """Write the folder; the weights are links to those of the model where the file system allows.

    Args:
        model: The model, in a folder here. Adapters are merged by the train stage already.
        out: The new folder.
        card: The text of the card.

    Returns:
        Notes: what could not be written, and why.

    Raises:
        DataError: `out` exists and is not empty.
        ModelError: The model is not in a folder here.
    """
    source = Path(model.path)
    if not source.is_dir():
        raise ModelError(f"{model.name} is not a folder here: `hf download {model.path}` brings it")
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not empty; give another folder, or delete it")
    out.mkdir(parents=True, exist_ok=True)
    for name in sorted({file.name for pattern in MODEL_FILES for file in source.glob(pattern) if file.is_file()}):
        _linked(source / name, out / name)
    tokenizer = model.tokenizer()
    template = out / "chat_template.jinja"
    template.unlink(missing_ok=True)  # a link to the model's own
    template.write_text(served_template(tokenizer), encoding="utf-8")
    (out / LLAMA_TEMPLATE).write_text(plain_template(tokenizer), encoding="utf-8")
    (out / CARD).write_text(card, encoding="utf-8")
    try:
        (out / MODELFILE).write_text(modelfile(tokenizer, f"./{GGUF}"), encoding="utf-8")
    except ModelError as error:
        return [f"no {MODELFILE}: {error}"]
    return []


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
