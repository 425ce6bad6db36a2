"""Chat templates: what one takes and shows, found out by trying it, and a chat as the text that a model sees.

Training, generation and judging render by these functions alone, so that a model is trained on the text it is asked
with.
"""

from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from funreason.srml.bounded import require_bounded
from funreason.srml.controls import MARK, OPEN, SERVED, Controls, own_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Message = dict[str, Any]

DATE = "26 Jul 2024"  # the default of Llama-3.2's template; else it writes today's, and no run could be repeated
REFUSALS = (TemplateError, TypeError, ValueError, KeyError, IndexError, AttributeError)
_ASKED, _ANSWER, _RESULT, _SYSTEM, _REASON = "a question", "[f()]", "a result of f", "a system prompt", "a reason for f"
_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")


def _message(role: str, content: str, **more: Any) -> Message:
    return {"role": role, "content": content, **more}


_USER, _ASSISTANT, _TOOL = _message("user", _ASKED), _message("assistant", _ANSWER), _message("tool", _RESULT)


class ChatTemplate:
    """The chat template of a tokenizer. Use `of`, which keeps what was found out.

    Raises EndlessTemplate.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase"):
        self.tokenizer = tokenizer
        texts = {name: str(text) for name, text in tokenizer.special_tokens_map.items() if isinstance(text, str)}
        require_bounded(str(tokenizer.chat_template), tuple(sorted(texts.items())))
        self.controls = Controls(tokenizer)
        # What stands before a model's own template is for the requests of servers, which have other messages.
        self._source = own_template(tokenizer) if SERVED in str(tokenizer.chat_template) else None

    @staticmethod
    def of(tokenizer: "PreTrainedTokenizerBase") -> "ChatTemplate":
        """The template of a tokenizer, tried once; anew where it, the end token or the vocabulary has changed."""
        return _known(tokenizer, str(tokenizer.chat_template), str(tokenizer.eos_token), len(tokenizer))

    @cached_property
    def shows_tool_results(self) -> bool:
        """Whether messages of role `tool` are shown: some templates refuse them, some leave them out."""
        return _RESULT in self._tried([_USER, _ASSISTANT, _TOOL])

    @cached_property
    def shows_texts(self) -> bool:
        """Whether messages whose content is a text are shown; those of some vision models take lists of parts only."""
        return all(text in self._tried([_USER, _ASSISTANT, _USER]) for text in (_ASKED, _ANSWER))

    @cached_property
    def takes_system(self) -> bool:
        """Whether the system message is shown, in a first turn, a later one, and after a result."""
        after = _TOOL if self.shows_tool_results else _USER
        turns = ([_USER], [_USER, _ASSISTANT, _USER], [_USER, _ASSISTANT, after])
        return all(_SYSTEM in self._tried([_message("system", _SYSTEM), *chat]) for chat in turns)

    @cached_property
    def takes_runs(self) -> bool:
        """Whether one role may speak twice in a row."""
        return bool(self._tried([_USER, _USER, _ASSISTANT, _ASSISTANT, _USER]))

    @cached_property
    def reasoning_key(self) -> str | None:
        """The key of a message under which the template shows the reasoning of an earlier call of a running turn."""
        for key in _REASONING_KEYS:
            call = _message("assistant", _ANSWER, **{key: _REASON})
            if self.shows_tool_results and _REASON in self._tried([_USER, call, _TOOL]):
                return key
        return None

    @cached_property
    def opens_think(self) -> bool:
        """Whether the prompt of a first turn ends with `<think>`."""
        return opens_think(self._tried([_USER]))

    @cached_property
    def end_of_turn(self) -> str:
        """What follows the text of the assistant's last turn, up to the token that ends the turn.

        Where the template writes none (GLM-4.5), it is the tokenizer's end token, at which servers stop.
        """
        written = self._tried([_USER, _ASSISTANT], add_generation_prompt=False).rpartition(_ANSWER)
        found = self.controls.first(written[2]) if written[1] else None
        return written[2][: found.end()] if found else str(self.tokenizer.eos_token or "")

    def fit(self, messages: list[Message]) -> list[Message]:
        """The messages in a form that the template takes.

        A system message goes in front of the user's first message where the template has no such role (Gemma,
        Mistral-7B), messages of one role in a row become one where it refuses them, and the reasoning of earlier calls
        goes under the template's own key, or away where it is not shown.
        """
        if any(key in message for message in messages for key in _REASONING_KEYS):
            messages = [self._with_reasoning(message) for message in messages]
        if messages and messages[0]["role"] == "system" and not self.takes_system:
            messages = _folded(messages)
        return messages if _alternates(messages) or self.takes_runs else _merged(messages)

    def text(self, messages: list[Message], *, tools: Any = None, add_generation_prompt: bool = True) -> str:
        """The text of a chat. Control tokens that its texts spell are protected, see `funreason.srml.controls`.

        Args:
            messages: A chat.
            tools: Tools that the template itself shows.
            add_generation_prompt: Whether to begin the assistant's turn.

        Raises:
            TemplateError: The template refuses the chat (or another of REFUSALS, where it was not made to refuse).
        """
        protected = [self._protected(message) for message in self.fit(messages)]
        return self._rendered(protected, self.controls.protect(tools), add_generation_prompt)

    def _rendered(self, messages: list[Message], tools: Any, add_generation_prompt: bool) -> str:
        options: Any = {"tools": tools, "tokenize": False, "date_string": DATE, "strftime_now": fixed_date}
        options["chat_template"] = self._source
        text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, **options)
        return str(text)

    def _tried(self, messages: list[Message], add_generation_prompt: bool = True) -> str:
        """The text of a chat, "" where the template refuses it."""
        try:
            return self._rendered(messages, None, add_generation_prompt)
        except REFUSALS:
            return ""

    def _protected(self, message: Message) -> Message:
        return {**self.controls.protect(message, message["role"]), "role": message["role"]}

    def _with_reasoning(self, message: Message) -> Message:
        reasoning = next((message[key] for key in _REASONING_KEYS if message.get(key)), None)
        kept = {key: value for key, value in message.items() if key not in _REASONING_KEYS}
        return kept if reasoning is None or self.reasoning_key is None else kept | {self.reasoning_key: reasoning}


@lru_cache(maxsize=16)
def _known(tokenizer: "PreTrainedTokenizerBase", *_changeable: str | int) -> ChatTemplate:
    return ChatTemplate(tokenizer)


def opens_think(prompt: str) -> bool:
    """Whether a prompt ends with an opened `<think>`, as those of QwQ, DeepSeek-R1 and Qwen3.5 do."""
    return prompt.rstrip().endswith(OPEN)


def unmarked(text: str) -> str:
    """A rendered text as it reads."""
    return text.replace(MARK, "")


def fixed_date(form: str) -> str:
    """The date of all prompts, in a form of strftime."""
    return datetime.strptime(DATE, "%d %b %Y").strftime(form)


def _folded(messages: list[Message]) -> list[Message]:
    """The system message in front of the user's first one, as Gemma 3's template has it."""
    system, *rest = messages
    at = next((at for at, message in enumerate(rest) if message["role"] == "user"), None)
    if at is None:
        return [{**system, "role": "user"}, *rest]
    return [*rest[:at], _joined(system, rest[at]), *rest[at + 1 :]]


def _merged(messages: list[Message]) -> list[Message]:
    out: list[Message] = []
    for message in messages:
        if out and message["role"] == out[-1]["role"] != "tool":
            out[-1] = _joined(out[-1], message)
        else:
            out.append(message)
    return out


def _joined(first: Message, second: Message) -> Message:
    return {**second, "content": "\n\n".join(filter(None, map(_text_of, (first, second))))}


def _text_of(message: Message) -> str:
    """The content of a message, which may be a list of parts, or nothing beside tool calls."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text") or "" for part in content)


def _alternates(messages: list[Message]) -> bool:
    pairs = zip(messages, messages[1:], strict=False)
    return all(one["role"] != other["role"] or one["role"] == "tool" for one, other in pairs)


def stop_tokens(tokenizer: "PreTrainedTokenizerBase", model_stops: Any) -> set[int]:
    """The tokens at which servers stop: the tokenizer's end token, and those of generation_config.json.

    Args:
        tokenizer: The model's.
        model_stops: `eos_token_id` of the model's generation config: a number, a list of numbers, or None.
    """
    stops = model_stops if isinstance(model_stops, list) else [model_stops]
    return {stop for stop in (*stops, tokenizer.eos_token_id) if stop is not None}
