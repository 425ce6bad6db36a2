"""vLLM's renderer of chats, with the code that renders training rows: the same tokens, whatever the texts spell.

A server that renders the checkpoint's template sees one text, in which `<|im_end|>` of a query looks like that of the
template, which therefore breaks it by a blank of no width. This renderer makes the tokens of training, and reads tools
in all forms that `prepare` reads.
"""

import logging
from typing import Any

from vllm.exceptions import VLLMValidationError
from vllm.renderers.hf import HfRenderer, safe_apply_chat_template
from vllm.utils.async_utils import make_async

from funreason.calls.results import for_template
from funreason.core.errors import DataError
from funreason.serve.conversation import training_chat
from funreason.srml.template import REFUSALS, ChatTemplate

_log = logging.getLogger("vllm.funreason")
_USUAL: dict[str, Any] = {"add_generation_prompt": True, "continue_final_message": False, "return_dict": False}


class TrainingRenderer(HfRenderer):
    """Renders chats as training does; requests with options for the template, or one of their own, as vLLM does."""

    def __init__(self, config: Any, tokenizer: Any):
        super().__init__(config, tokenizer)
        render: Any = rendered
        self._apply_chat_template_async = make_async(render, executor=self._executor)


def rendered(
    model_config: Any,
    tokenizer: Any,
    conversation: list[Any],
    *,
    tools: list[dict[str, Any]] | None = None,
    chat_template: str | None = None,
    **options: Any,
) -> Any:
    """The tokens of a chat; vLLM's own rendering where the request asks for more than a chat.

    Args:
        model_config: vLLM's.
        tokenizer: The model's.
        conversation: The messages, as vLLM hands them to a template.
        tools: OpenAI's tools.
        chat_template: A template in the place of the tokenizer's own.
        **options: What else a template may be given.

    Raises:
        VLLMValidationError: A message or a tool cannot be read; the client gets status 400 and the reason.
    """
    template = str(tokenizer.chat_template)  # vLLM hands over options that no template but Cohere's knows
    special = {key for key, value in options.items() if value and key not in ("tokenize", *_USUAL) and key in template}
    unusual = any(options.get(key, value) != value for key, value in _USUAL.items())
    own = bool(chat_template) and chat_template != tokenizer.chat_template
    if special or unusual or own:
        _log.warning("a chat is rendered by vLLM: options %s, own template %s", sorted(special), own)
        return safe_apply_chat_template(
            model_config, tokenizer, conversation, tools=tools, chat_template=chat_template, **options
        )
    try:
        messages = for_template(training_chat(conversation, tools), tokenizer)
        own_template = ChatTemplate.of(tokenizer)
        return own_template.controls.encode(own_template.text(messages))[0]
    except (DataError, *REFUSALS) as error:
        raise VLLMValidationError(" ".join(str(error).split())) from error
