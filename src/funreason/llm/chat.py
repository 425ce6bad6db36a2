"""Messages → the text and the tokens that a model sees, by its own chat template and tokenizer."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from funreason.calls.results import for_template
from funreason.core.errors import ModelError, load_reason
from funreason.llm.refs import ModelRef
from funreason.llm.request import Request
from funreason.srml.bounded import EndlessTemplate
from funreason.srml.controls import CLOSE
from funreason.srml.template import REFUSALS, ChatTemplate, opens_think

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ChatRenderer:
    """The chat template and the tokenizer of a model; loads nothing before it is used. Raises ModelError."""

    def __init__(self, ref: ModelRef):
        self.ref = ref

    def render(self, request: Request) -> str:
        """The text of the prompt, up to where the model continues.

        What the messages spell of the model's control tokens is protected in it (see `funreason.srml.controls`), and
        is text to `encode`.
        """
        messages = for_template(request.messages, self.tokenizer)
        try:
            text = ChatTemplate.of(self.tokenizer).text(messages, tools=request.tools)
        except REFUSALS as error:
            roles = ", ".join(dict.fromkeys(message["role"] for message in messages))
            refusal = f"the chat template of {self.ref.name_or_path!r} refuses a chat of {roles} ({error})"
            raise ModelError(f"{refusal}; take another model or template") from None
        return f"{text}{self._begun(text, request.prefix)}"

    @staticmethod
    def _begun(text: str, prefix: str | None) -> str:
        """The beginning of the answer, after the reasoning that the prompt may have opened."""
        return f"{CLOSE}\n\n{prefix}" if prefix and opens_think(text) else prefix or ""

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids of rendered prompts (fast tokenizers encode a list on all cores)."""
        # The template has written the special tokens: adding them again would double a BOS.
        return ChatTemplate.of(self.tokenizer).controls.encode_all(texts)

    @cached_property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The model's own tokenizer, which has a chat template."""
        from transformers import AutoTokenizer

        name = self.ref.name_or_path
        try:
            tokenizer = AutoTokenizer.from_pretrained(name, revision=self.ref.revision, trust_remote_code=False)
        except (OSError, ValueError) as error:
            remedy = "correct models.* in params.yaml, or download it first"
            if Path(name).is_dir() and not any(Path(name).glob("tokenizer*")):
                remedy = f"copy tokenizer.json and tokenizer_config.json into it, or {remedy}"
            raise ModelError(f"tokenizer of model {name!r} cannot be loaded: {load_reason(error)}; {remedy}") from None
        if not tokenizer.chat_template:
            remedy = "use an instruct model, or add a chat_template.jinja"
            raise ModelError(f"model {name!r} has no chat template; {remedy}")
        try:
            ChatTemplate.of(tokenizer)
        except EndlessTemplate as error:
            raise ModelError(f"model {name!r}: {error}") from None
        return tokenizer
