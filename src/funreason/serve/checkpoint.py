"""A trained model as a command names it: a round, a folder or a hub id, with its tokenizer and its stop tokens."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from funreason.core.errors import ModelError, load_reason
from funreason.core.paths import model_folder, train_rows
from funreason.srml.bounded import EndlessTemplate, require_bounded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Checkpoint:
    """A model to be served.

    Attributes:
        name: As the command names it.
        path: The folder, or the id on the hub.
        round: The round, None where it is another model.
    """

    name: str
    path: str
    round: str | None

    @classmethod
    def of(cls, name: str) -> "Checkpoint":
        """The model of a round (`r0`), of a folder (`models/r0`) or of the hub (`OWNER/NAME`).

        Raises:
            ModelError: There is no such folder.
        """
        own = Path(model_folder(name))
        if own.is_dir():
            return cls(name, str(own), name)
        if Path(name).is_dir():
            parts = Path(name).parts
            return cls(name, name, parts[1] if parts[:1] == ("models",) and len(parts) == 2 else None)
        if name.count("/") == 1 and not name.startswith((".", "models/")):
            return cls(name, name, None)
        remedy = f"`dvc pull train@{name}` brings it, `dvc repro train@{name}` trains it"
        raise ModelError(f"{own} does not exist and {name!r} is not a folder with a model; {remedy}")

    @property
    def rows(self) -> Path | None:
        """The rows that the model was trained on, where they are here."""
        rows = Path(train_rows(self.round)) if self.round else None
        return rows if rows and rows.exists() else None

    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The model's tokenizer. Raises ModelError where it cannot be loaded or has no chat template."""
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.path, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ModelError(f"the tokenizer of {self.name} cannot be loaded: {load_reason(error)}") from None
        if not tokenizer.chat_template:
            raise ModelError(f"{self.name} has no chat template; train from an instruct model")
        try:
            require_bounded(str(tokenizer.chat_template))
        except EndlessTemplate as error:
            raise ModelError(f"{self.name}: {error}") from None
        return tokenizer

    def generation(self) -> dict[str, Any]:
        """The content of generation_config.json, {} where the folder has none."""
        file = Path(self.path, "generation_config.json")
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
