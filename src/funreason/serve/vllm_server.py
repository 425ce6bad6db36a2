"""vLLM's own chat rendering without its engine: what `vllm serve` would ask the model."""

import asyncio
import os
from typing import Any

from funreason.core.errors import DataError, EngineError
from funreason.serve.parity import Prompt
from funreason.serve.requests import ChatRequest


class VllmServer:
    """Renders requests by the code that answers them in `vllm serve`: its checks, its template, its tokens.

    Args:
        model: A folder with config.json and the tokenizer, or a hub id.
        plugin: Whether FunReason's parsers and renderer are loaded, as `funreason serve` does.

    Raises:
        EngineError: vLLM is not installed, or does not take the model.
    """

    def __init__(self, model: str, plugin: bool = True):
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        try:
            from vllm.config import ModelConfig, VllmConfig
            from vllm.renderers.hf import HfRenderer
            from vllm.renderers.online_renderer import OnlineRenderer
            from vllm.tokenizers.registry import cached_tokenizer_from_config
        except ImportError as error:
            raise EngineError(f"vLLM cannot be imported ({error}): install it, or compare with --template") from None
        try:
            config = ModelConfig(model=model)
        except (ValueError, OSError) as error:
            raise EngineError(f"vLLM does not take {model}: {' '.join(str(error).split())[:300]}") from None
        renderer_class: Any = HfRenderer
        if plugin:
            from funreason.serve.renderer import TrainingRenderer

            renderer_class = TrainingRenderer
        self._tokenizer = cached_tokenizer_from_config(config)
        renderer = renderer_class(VllmConfig(model_config=config), self._tokenizer)
        self._renderer = OnlineRenderer(
            config, renderer, request_logger=None, chat_template=None, chat_template_content_format="auto",
            enable_auto_tools=True, tool_parser="pythonic",
        )  # fmt: skip
        self._loop = asyncio.new_event_loop()

    def prompt(self, request: ChatRequest) -> Prompt:
        """See `funreason.serve.parity.Server`."""
        from pydantic import ValidationError
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
        from vllm.exceptions import VLLMValidationError

        body: dict[str, Any] = {"model": "model", "messages": request.messages}
        body |= {"tools": request.tools} if request.tools is not None else {}
        try:
            done = self._loop.run_until_complete(self._renderer.render_chat(ChatCompletionRequest(**body)))
        except (ValidationError, VLLMValidationError, ValueError) as error:
            raise DataError(" ".join(str(error).split())[:300]) from None
        if not isinstance(done, tuple):
            raise DataError(str(done))
        prompt: Any = done[1][0]
        ids = list(prompt["prompt_token_ids"])
        return Prompt(prompt.get("prompt") or self._tokenizer.decode(ids), ids)
