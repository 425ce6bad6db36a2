"""Which format a row is in, and the row as a `Dialogue`: one form for all of them.

A format is found out row by row, from the names of the fields and from what the texts hold; `prepare.format` sets it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from funreason.data.dialogue import MESSAGES, Dialogue, Row, content_of, read_messages, role_of, tools_field
from funreason.data.fields import BadRow, required, text_field
from funreason.data.formats_text import glaive_messages, toolrl_messages, without_placeholder
from funreason.data.jsontext import unwrapped
from funreason.data.systemtext import tools_of_text

_BLOCKS = ("tool_use", "tool_result", "thinking")
_PAIR = ("user", "assistant")
_SINGLE = ("query", "answers", "response")  # of xLAM's rows; beside messages it is not clear which of them counts


@dataclass(frozen=True)
class Format:
    """A published format of rows.

    Attributes:
        title: Its name for people.
        fits: Whether a row is in it.
        read: The row as a dialogue; None for xLAM, whose rows are read on a shorter way (`xlam`). Raises BadRow.
    """

    title: str
    fits: Callable[[Row], bool]
    read: Callable[[Row], Dialogue] | None


def detect(row: Row) -> str:
    """The name of the format of a row, a key of `FORMATS`.

    Raises:
        BadRow: It is in none, or it could be read in two ways.
    """
    if "query" in row and not _has_messages(row):  # the most common format, and the fastest to tell
        return "xlam"
    given = [name for name in (*MESSAGES, *_SINGLE) if row.get(name) not in (None, "", [])]
    if len(given) > 1 and given[0] in MESSAGES:
        remedy = "keep one of them, or set prepare.format"
        raise BadRow("fields beside messages", f"{given}: not clear which of them the row is; {remedy}")
    for name, candidate in FORMATS.items():
        if candidate.fits(row):
            return name
    shown = ", ".join(map(repr, list(row)[:12])) or "none"
    formats = ", ".join(one.title for one in FORMATS.values())
    raise BadRow("unknown format", f"the fields are {shown}; formats that are read: {formats} (docs/data-formats.md)")


def read(row: Row, name: str) -> Dialogue:
    """A row of a format as a dialogue.

    Args:
        row: The row.
        name: A key of `FORMATS`.

    Raises:
        BadRow: The row is malformed, or not in this format.
    """
    reader = FORMATS[name].read
    if reader is None:
        raise ValueError(f"{name} rows are no dialogues")
    return reader(row)


def _read_glaive(row: Row) -> Dialogue:
    tools, rest = tools_of_text(row["system"] if isinstance(row.get("system"), str) else "")
    if not tools:
        tools = tools_field(row)[0]
    system = [{"role": "system", "content": rest}] if tools and rest else []
    return Dialogue(tools, system + glaive_messages(text_field(row, "chat")), used={"system", "chat", "tools"})


def _read_when2call(row: Row) -> Dialogue:
    if "question" not in row:  # of the training splits
        return read_messages(row)
    question, tools = text_field(row, "question"), tools_field(row)[0]
    answers = unwrapped(required(row, "answers"), "answers")
    kind = required(row, "correct_answer")
    if not isinstance(answers, dict) or not isinstance(kind, str) or kind not in answers:
        raise BadRow("bad answers", f"no answer {kind!r:.80} in {answers!r:.80}")
    turn = {"role": "function_call" if kind == "tool_call" else "assistant", "content": answers[kind]}
    used = {
        "question",
        "tools",
        "answers",
        "correct_answer",
        "target_tool",
        "orig_tools",
        "orig_question",
        "held_out_param",
    }
    return Dialogue(tools, [{"role": "user", "content": question}, turn], only_last=True, used=used)


def _read_toolrl(row: Row) -> Dialogue:
    texts = _toolrl_texts(row) or row
    tools, name = tools_field(row)
    instruction, given = text_field(texts, "instruction"), texts.get("input") or ""
    if not isinstance(given, str):
        raise BadRow("bad input", f"{given!r:.80}, expected a text")
    before: list[Any] = []
    if tools:  # LLaMA-Factory's form of it
        asked = "\n".join(filter(None, (instruction, given)))
        before = [{"role": "system", "content": row["system"]}] if isinstance(row.get("system"), str) else []
        history = texts["history"] if isinstance(texts.get("history"), list) else []
        pairs = [pair for pair in history if isinstance(pair, list) and len(pair) == 2]
        before += [{"role": role, "content": text} for pair in pairs for role, text in zip(_PAIR, pair, strict=True)]
    else:
        tools, rest = tools_of_text(instruction)
        asked = given if given.strip() else rest
    messages = [*before, *toolrl_messages(asked)]
    messages.append({"role": "assistant", "content": without_placeholder(text_field(texts, "output"))})
    used = {
        "instruction",
        "input",
        "output",
        "extra_info",
        "prompt",
        "reward_model",
        "data_source",
        "ability",
        "system",
        "history",
    }
    return Dialogue(tools, messages, only_last=True, used=used | ({name} if name else set()))


def _toolrl_texts(row: Row) -> Row | None:
    """Where a row has ToolRL's texts: the row of the SFT data; in the RL data `extra_info`, or prompt and truth."""
    inner, reward, prompt = (row.get(name) for name in ("extra_info", "reward_model", "prompt"))
    for texts in (row, inner):
        if isinstance(texts, dict) and all(isinstance(texts.get(name), str) for name in ("instruction", "output")):
            return texts
    truth = reward.get("ground_truth") if isinstance(reward, dict) else None
    if not isinstance(truth, str) or not isinstance(prompt, list) or len(prompt) != 2:
        return None
    system, user = (message.get("content") if isinstance(message, dict) else None for message in prompt)
    return {"instruction": system, "input": user, "output": truth}


def _some_messages(row: Row) -> list[Any]:
    for name in (*MESSAGES, "prompt", "chosen"):
        value = row.get(name)
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                value = unwrapped(value, name)
            except BadRow:
                return []
        if isinstance(value, list):
            return value
    return []


def _system_texts(row: Row) -> Iterable[str]:
    yield from (row["system"],) if isinstance(row.get("system"), str) else ()
    for message in _some_messages(row)[:2]:
        if role_of(message) == "system" and isinstance(text := content_of(message), str):
            yield text


def _texts(row: Row) -> Iterable[str]:
    for message in _some_messages(row):
        if isinstance(message, dict) and isinstance(text := content_of(message), str):
            yield text


def _has_messages(row: Row) -> bool:
    return any(row.get(name) is not None for name in MESSAGES) or any(
        isinstance(row.get(name), list) for name in ("prompt", "chosen")
    )


def _is_toolrl(row: Row) -> bool:
    return _toolrl_texts(row) is not None and not any(row.get(name) is not None for name in MESSAGES)


def _is_when2call(row: Row) -> bool:
    if {"question", "correct_answer"} <= row.keys() or row.get("chosen_response") is not None:
        return True
    return any("<TOOLCALL>" in text for text in _texts(row))


def _is_anthropic(row: Row) -> bool:
    contents = [message.get("content") for message in _some_messages(row) if isinstance(message, dict)]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return any(isinstance(block, dict) and block.get("type") in _BLOCKS for block in blocks)


def _is_hermes(row: Row) -> bool:
    if not _has_messages(row):
        return False
    return any("<tools>" in text for text in _system_texts(row)) or any("<tool_call>" in text for text in _texts(row))


def _is_toolace(row: Row) -> bool:
    return _has_messages(row) and not tools_field(row)[1] and any('"name"' in text for text in _system_texts(row))


def _is_sharegpt(row: Row) -> bool:
    return any(isinstance(message, dict) and message.get("from") is not None for message in _some_messages(row))


def _is_xlam(row: Row) -> bool:
    return any(row.get(name) is not None for name in ("query", "answers")) or "tools" in row


FORMATS = {
    "toolrl": Format("ToolRL", _is_toolrl, _read_toolrl),
    "glaive": Format("glaive", lambda row: isinstance(row.get("chat"), str), _read_glaive),
    "when2call": Format("When2Call", _is_when2call, _read_when2call),
    "anthropic": Format("Anthropic messages", _is_anthropic, read_messages),
    "hermes": Format("Hermes", _is_hermes, read_messages),
    "toolace": Format("ToolACE", _is_toolace, read_messages),
    "sharegpt": Format("ShareGPT", _is_sharegpt, read_messages),
    "openai": Format("OpenAI messages", _has_messages, read_messages),
    "xlam": Format("xLAM", _is_xlam, None),
}
