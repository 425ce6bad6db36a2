"""Tokens of prompts and answers by the tokenizers of the models, without loading a model or asking the hub."""

from pathlib import Path
from typing import Any

from funreason.config import ModelParams, Params
from funreason.core.errors import ModelError
from funreason.doctor.weights import model_folder, named_models
from funreason.llm.chat import ChatRenderer
from funreason.llm.refs import ModelRef
from funreason.llm.request import Request

FILES = ("tokenizer_config.json", "tokenizer.json", "tokenizer.model", "vocab.json")


class TokenCounter:
    """Counts as a model does that sees the prompts.

    Args:
        where: The model's name in params.yaml, for messages.
        folder: Has its tokenizer and chat template.
    """

    def __init__(self, where: str, folder: Path):
        self.where, self.folder = where, folder
        self._renderer = ChatRenderer(ModelRef(str(folder), None, ""))

    def prompt(self, messages: list[dict[str, Any]]) -> int:
        """Tokens of a rendered chat. Raises ModelError."""
        try:
            return len(self._renderer.encode([self._renderer.render(Request(messages))])[0])
        except ModelError as problem:
            raise ModelError(f"{self.where}: {problem}") from None

    def text(self, text: str) -> int:
        """Tokens of a text inside an answer."""
        return len(self._renderer.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else 0


class Counters:
    """The counters of the models of params.yaml; models with the same folder share one.

    Args:
        params: All parameters.
        instead: A folder with the tokenizer to count with where that of a model is not here; None refuses.

    Attributes:
        replaced: Models that are counted with `instead`.
    """

    def __init__(self, params: Params, instead: str | Path | None = None):
        self._models = named_models(params)
        self._instead = Path(instead) if instead else None
        self._made: dict[Path, TokenCounter] = {}
        self.replaced: list[str] = []

    def of(self, where: str) -> TokenCounter:
        """The counter of a model, by its name in params.yaml. Raises ModelError with the remedy if it is not here."""
        folder = _tokenizer_folder(self._models[where])
        if folder is None:
            folder = self._other(where)
            if where not in self.replaced:
                self.replaced.append(where)
        return self._made.setdefault(folder, TokenCounter(where, folder))

    def _other(self, where: str) -> Path:
        if self._instead and _has_tokenizer(self._instead):
            return self._instead
        model = self._models[where]
        other = "give --tokenizer FOLDER with one of the same family"
        if self._instead:
            raise ModelError(f"--tokenizer {self._instead} holds none of {', '.join(FILES)}; correct the folder")
        if model.hub:
            revision = f" --revision {model.revision}" if model.revision else ""
            fetch = f"`hf download {model.hub}{revision} --include '*.json' '*.jinja' '*.txt' '*.model'`"
            raise ModelError(f"{where}: the tokenizer of {model.hub} is not in the hub's cache; {fetch}, or {other}")
        if model.path:
            raise ModelError(f"{where}: {model.path} has no tokenizer; correct the path, or {other}")
        raise ModelError(f"{where} is the server's model, whose tokenizer is not known here; {other}")


def _tokenizer_folder(model: ModelParams) -> Path | None:
    folder = model_folder(model)
    return folder if folder and _has_tokenizer(folder) else None


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES)
