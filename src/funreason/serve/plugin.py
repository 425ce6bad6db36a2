"""What `vllm serve --tool-parser-plugin funreason.serve.plugin` loads: parsers of the call language and of reasoning.

vLLM's own `pythonic` reads neither dotted names nor keywords of Python as parameters, and it streams the beginning of
calls that turn out to be broken; its reasoning parsers need `<think>` as one token. See docs/serving.md.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from vllm.entrypoints.generate.base.protocol import (
    DeltaFunctionCall,
    DeltaMessage,
    DeltaToolCall,
    ExtractedToolCallInformation,
    FunctionCall,
    ToolCall,
)
from vllm.exceptions import VLLMValidationError
from vllm.reasoning import ReasoningParser, ReasoningParserManager
from vllm.renderers.chat_utils import make_tool_call_id
from vllm.renderers.registry import RENDERER_REGISTRY
from vllm.tool_parsers.abstract_tool_parser import ToolParser, ToolParserManager

from funreason.calls import Call
from funreason.calls.names import NameMap
from funreason.calls.results import for_template
from funreason.core.errors import DataError
from funreason.serve.answers import ContentStream, ReasoningStream, read_answer, split_reasoning
from funreason.serve.conversation import names_of
from funreason.srml.controls import CLOSE
from funreason.srml.template import ChatTemplate, opens_think

NAME = "funreason"
_LAST_TOKENS = 16  # of a prompt, decoded to see whether it opens the reasoning

_log = logging.getLogger("vllm.funreason")


class CallParser(ToolParser):
    """Calls of the call language; a list that is not whole is a text. Its names are the user's."""

    supports_required_and_named = False  # vLLM would force JSON on a model that writes the call language
    engine_based_streaming = True  # vLLM then asks for what is held back, at the end of a stream

    def __init__(self, tokenizer: Any, tools: list[Any] | None = None):
        super().__init__(tokenizer, tools)
        self._names = _names(json.dumps([tool.model_dump() for tool in self.tools]))
        self._stream = ContentStream(self._names)

    def adjust_request(self, request: Any) -> Any:
        """The request as it is.

        Raises:
            VLLMValidationError: It wants to force a call, which nothing does here; the client gets status 400.
        """
        if request.tool_choice not in (None, "auto", "none"):
            shown = request.tool_choice if isinstance(request.tool_choice, str) else "of one function"
            raise VLLMValidationError(
                f"tool_choice {shown!r} is not supported: the model decides itself whether it calls; use 'auto', and "
                "send the tools that it may call",
                parameter="tool_choice",
            )
        return request

    def extract_tool_calls(self, model_output: str, request: Any) -> ExtractedToolCallInformation:
        """The calls of a whole answer without its reasoning, or its text."""
        text, calls = read_answer(model_output, self._names)
        if not calls:
            return ExtractedToolCallInformation(tools_called=False, tool_calls=[], content=model_output)
        functions = [FunctionCall(name=call.name, arguments=_arguments(call)) for call in calls]
        tool_calls = [ToolCall(id=make_tool_call_id(), function=function) for function in functions]
        return ExtractedToolCallInformation(tools_called=True, tool_calls=tool_calls, content=text or None)

    def extract_tool_calls_streaming(
        self,
        previous_text: str,
        current_text: str,
        delta_text: str,
        previous_token_ids: Sequence[int],
        current_token_ids: Sequence[int],
        delta_token_ids: Sequence[int],
        request: Any,
    ) -> DeltaMessage | None:
        """The text of a part that is no call; None while the answer may be calls."""
        if request.tool_choice == "none" or not request.tools:
            return DeltaMessage(content=delta_text) if delta_text else None
        content = self._stream.feed(delta_text)
        return DeltaMessage(content=content) if content else None

    def finish_streaming(self) -> DeltaMessage | None:
        """At the end of a stream: all calls, or the text that was held back."""
        content, calls = self._stream.finish()
        deltas = [_delta(number, call) for number, call in enumerate(calls)]
        return DeltaMessage(content=content or None, tool_calls=deltas) if content or deltas else None


class ThinkParser(ReasoningParser):
    """Reasoning between `<think>` and `</think>`, in a prompt that opens it and in one that does not, token or text."""

    engine_based_streaming = True

    def __init__(self, tokenizer: Any, *args: Any, **kwargs: Any):
        super().__init__(tokenizer, *args, **kwargs)
        self._stream = ReasoningStream()

    def extract_reasoning(self, model_output: str, request: Any) -> tuple[str | None, str | None]:
        """The reasoning and the rest of a whole answer."""
        last = request.messages[-1] if getattr(request, "messages", None) else {}
        self._stream.opened = _opens_think(self.model_tokenizer, last.get("role") == "tool")
        reasoning, content = split_reasoning(model_output, opened=self._stream.opened)
        return reasoning, content or None

    def extract_reasoning_streaming(
        self,
        previous_text: str,
        current_text: str,
        delta_text: str,
        previous_token_ids: Sequence[int],
        current_token_ids: Sequence[int],
        delta_token_ids: Sequence[int],
    ) -> DeltaMessage | None:
        """What a part adds to the reasoning, and what stands after it."""
        reasoning, content = self._stream.feed(delta_text)
        return DeltaMessage(reasoning=reasoning or None, content=content or None) if reasoning or content else None

    def finish_streaming(self) -> DeltaMessage | None:
        """The part of a mark that was held back at the end of a stream."""
        reasoning, content = self._stream.finish()
        return DeltaMessage(reasoning=reasoning or None, content=content or None) if reasoning or content else None

    def adjust_initial_state_from_prompt(self, prompt_token_ids: Sequence[int]) -> None:
        """Note whether the prompt opens the reasoning."""
        self._stream.opened = opens_think(self.model_tokenizer.decode(list(prompt_token_ids)[-_LAST_TOKENS:]))

    def has_engine_confirmed_reasoning_end(self) -> bool:
        """Whether what comes now is not reasoning."""
        return self._stream.ended

    def is_reasoning_end(self, input_ids: Sequence[int]) -> bool:
        """Never by a prompt: the answer itself shows whether it begins with a reasoning."""
        return False

    def is_reasoning_end_streaming(self, input_ids: Sequence[int], delta_ids: Iterable[int]) -> bool:
        """Whether the answer has closed its reasoning; vLLM's structured output asks, without the text."""
        return self._stream.ended or CLOSE in self.model_tokenizer.decode(list(input_ids)[-_LAST_TOKENS:])

    def extract_content_ids(self, input_ids: list[int]) -> list[int]:
        """The tokens are looked at as text."""
        return []

    def count_reasoning_tokens(self, token_ids: Sequence[int]) -> int:
        """The number of tokens up to the end of the reasoning; about, where a mark is not a token."""
        text = self.model_tokenizer.decode(list(token_ids))
        reasoning, _ = split_reasoning(text, opened=self._stream.opened)
        return len(self.model_tokenizer.encode(reasoning, add_special_tokens=False)) if reasoning else 0


@lru_cache(maxsize=256)
def _names(tools: str) -> NameMap | None:
    """The identifiers of a request's tools; None where they cannot be read, which the renderer refuses."""
    try:
        return names_of(json.loads(tools)) or None
    except DataError as error:
        _log.warning("tools without identifiers: %s", error)
        return None


@lru_cache(maxsize=8)
def _opens_think(tokenizer: Any, after_result: bool) -> bool:
    """Whether the template opens the reasoning; some do not after a result."""
    chat = [{"role": "user", "content": "q"}]
    if after_result:
        chat += [{"role": "assistant", "content": "[f()]"}, {"role": "tool", "content": "r"}]
    return opens_think(ChatTemplate.of(tokenizer).text(for_template(chat, tokenizer)))


def _arguments(call: Call) -> str:
    return json.dumps(call.arguments, ensure_ascii=False)


def _delta(number: int, call: Call) -> DeltaToolCall:
    function = DeltaFunctionCall(name=call.name, arguments=_arguments(call))
    return DeltaToolCall(id=make_tool_call_id(), type="function", index=number, function=function)


def register() -> None:
    """Make the parsers known to vLLM as `funreason`, and its chats rendered as training renders them."""
    ToolParserManager.register_module(NAME, module=CallParser)
    ReasoningParserManager.register_module(NAME, module=ThinkParser)
    RENDERER_REGISTRY.renderers["hf"] = ("funreason.serve.renderer", "TrainingRenderer")


register()
