"""Control tokens of chat templates in texts, whatever the model: found, counted, and shown so that none forms.

Where a tokenizer is at hand, `funreason.srml.controls` keeps a text exact. A server tokenises itself, and a person may
paste what a terminal shows: there the first character of such a mark is escaped, `&lt;|im_end|>`.
"""

import re
from typing import Any

_MODEL_MARKS = r"</?(?:think|tool_call|tool_response|function_call)>"  # a model writes these itself
_CONTROLS = "|".join((
    r"<\|[^<>|\s]{1,60}\|?>",  # <|im_start|>, <|eot_id|>, <|START_OF_TURN_TOKEN|>
    r"<｜[^<>｜\s]{1,60}｜>",  # DeepSeek
    r"</?(?:s|bos|eos|pad|unk|sop|eop|start_of_turn|end_of_turn|start_of_image|end_of_image|unused\d+)>",
    r"<</?SYS>>",
    r"\[/?(?:INST|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|TOOL_CONTENT|SYSTEM_PROMPT|gMASK|BOS|EOS)\]",
))  # fmt: skip
_CONTROL = re.compile(_CONTROLS)
_MODEL_MARK = re.compile(_MODEL_MARKS)
_ANY = re.compile(f"{_CONTROLS}|{_MODEL_MARKS}")
_ESCAPES = {"<": "&lt;", "[": "&#91;"}


def escaped(text: str, *, written_by_model: bool = False) -> str:
    """The text with the first character of each mark escaped.

    Args:
        text: Any text.
        written_by_model: Whether a model wrote it: then `<think>`, `<tool_call>` and such stay.
    """
    return (_CONTROL if written_by_model else _ANY).sub(lambda found: _ESCAPES[found[0][0]] + found[0][1:], text)


def has_marks(value: Any) -> bool:
    """Whether a text, or one in lists and dicts, spells a mark."""
    if isinstance(value, str):
        return ("<" in value or "[" in value) and _ANY.search(value) is not None
    if isinstance(value, dict):
        return any(map(has_marks, value)) or any(map(has_marks, value.values()))
    return isinstance(value, list) and any(map(has_marks, value))


def json_escaped(text: str) -> str:
    """JSON text in which the `<` of marks that a model may write is `\\u003c`: the same JSON, and no mark."""
    return _MODEL_MARK.sub(lambda found: rf"\u003c{found[0][1:]}", text)
