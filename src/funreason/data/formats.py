"""Which format a row is in, and the row as a `Dialogue`: one form for all of them.

A format is found out row by row, from the names of the fields and from what the texts hold; `prepare.format` sets it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from funreason.data.fields import BadRow, required, text_field
from funreason.data.formats_text import glaive_messages, toolrl_messages, without_placeholder
from funreason.data.jsontext import unwrapped
from funreason.data.messages import REASONING
from funreason.data.systemtext import tool_name, tools_of_text

Row = dict[str, Any]
MESSAGES = ("messages", "conversations", "conversation")
TOOLS = ("tools", "functions", "tools_json")
_PAIR = ("user", "assistant")
_SINGLE = ("query", "answers", "response")  # of xLAM's rows; beside messages it is not clear which of them counts


@dataclass
class Dialogue:
    """A row in the one form that all formats are read into.

    Attributes:
        tools: The tools as published, decoded.
        messages: The messages as published, decoded; the first may be of the system.
        only_last: Whether only the last turn is to be learned (see `turns`).
        used: The fields of the row that were read.
    """

    tools: list[Any]
    messages: list[Any]
    only_last: bool = False
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Format:
    """A published format of rows.

    Attributes:
        title: Its name for people.
        fits: Whether a row is in it.
        read: The row as a dialogue. Raises BadRow.
    """

    title: str
    fits: Callable[[Row], bool]
    read: Callable[[Row], Dialogue]


def detect(row: Row) -> str:
    """The name of the format of a row, a key of `FORMATS`. Raises BadRow where it is in none."""
    if "query" in row and not _has_messages(row):  # the most common format, and the fastest to tell
        return "xlam"
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
    return FORMATS[name].read(row)


def tools_field(row: Row) -> tuple[list[Any], str | None]:
    """The tools of a row and the field that holds them; none and None where there is no such field."""
    name = next((name for name in TOOLS if row.get(name) is not None), None)
    value = _items(unwrapped(row[name], name)) if name else None
    if value is not None and not isinstance(value, list):
        raise BadRow(f"{name} not a list", f"it is a {type(value).__name__}")
    return [unwrapped(tool, "tool") if isinstance(tool, str) else tool for tool in value or ()], name


def _items(value: Any) -> Any:
    """A list that Hugging Face holds as one object of lists, as a list; a single object as a list of it."""
    if not isinstance(value, dict):
        return value
    lists = list(value.values())
    if lists and all(isinstance(one, list) and len(one) == len(lists[0]) for one in lists):
        return [dict(zip(value, one, strict=True)) for one in zip(*lists, strict=True)]
    return [value] if "name" in value or "function" in value else value


def _messages_field(row: Row) -> tuple[list[Any], set[str]]:
    names = [name for name in (*MESSAGES, "prompt") if row.get(name) is not None]
    given = [name for name in (*names, *_SINGLE) if row.get(name) not in (None, "", [])]
    if len([name for name in given if name != "prompt"]) > 1:
        remedy = "keep one of them, or set prepare.format"
        raise BadRow("fields beside messages", f"{given}: not clear which of them the row is; {remedy}")
    value = _items(unwrapped(required(row, names[0]), names[0]))
    if not isinstance(value, list):
        raise BadRow(f"{names[0]} not a list", f"it is a {type(value).__name__}")
    after = next((name for name in ("completion", "chosen_response", "chosen") if row.get(name) is not None), None)
    used = {names[0]} | ({after} if after else set())
    more = unwrapped(row[after], after) if after and not isinstance(row[after], str) else row[after] if after else []
    if isinstance(more, str):
        more = [{"role": "assistant", "content": more}]
    more = more if isinstance(more, list) else [more]
    whole = more[: len(value)] == value and len(more) > len(value)  # `chosen` may repeat the prompt
    return (more if whole else [*value, *more]), used


def _read_messages(row: Row) -> Dialogue:
    """A conversation as a list of messages; tools in a field, or in the text of the system."""
    messages, used = _messages_field(row)
    messages = list(messages)
    tools, name = tools_field(row)
    if isinstance(row.get("system"), str) and row["system"].strip():
        messages = [{"role": "system", "content": row["system"]}, *messages]
    reasoning = next((key for key in REASONING if isinstance(row.get(key), str)), None)
    turns = [at for at, message in enumerate(messages) if _role(message) in ("assistant", "gpt")]
    if reasoning and len(turns) == 1:
        messages[turns[0]] = {**messages[turns[0]], reasoning: row[reasoning]}
        used.add(reasoning)
    in_text: list[Any] = []
    named = {tool_name(tool) for tool in tools}
    for at, message in enumerate(messages):
        if _role(message) == "system" and isinstance(text := _content(message), str):
            more, rest = tools_of_text(text)
            if {tool_name(tool) for tool in more} <= named or not tools:  # else it is JSON of something else
                in_text += more
                messages[at] = {"role": "system", "content": rest}
    return Dialogue(tools or in_text, messages, used=used | {"system", *([name] if name else [])})


def _read_xlam(row: Row) -> Dialogue:
    raise NotImplementedError


def _read_glaive(row: Row) -> Dialogue:
    tools, rest = tools_of_text(row["system"] if isinstance(row.get("system"), str) else "")
    if not tools:
        tools = tools_field(row)[0]
    system = [{"role": "system", "content": rest}] if tools and rest else []
    return Dialogue(tools, system + glaive_messages(text_field(row, "chat")), used={"system", "chat", "tools"})


def _read_when2call(row: Row) -> Dialogue:
    if "question" not in row:  # of the training splits
        return _read_messages(row)
    question, tools = text_field(row, "question"), tools_field(row)[0]
    answers = unwrapped(required(row, "answers"), "answers")
    kind = required(row, "correct_answer")
    if not isinstance(answers, dict) or kind not in answers:
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
    instruction, history = text_field(texts, "instruction"), texts.get("input") or ""
    if not isinstance(history, str):
        raise BadRow("bad input", f"{history!r:.80}, expected a text")
    before: list[Any] = []
    if tools:  # LLaMA-Factory's form of it
        asked = "\n".join(filter(None, (instruction, history)))
        before = [{"role": "system", "content": row["system"]}] if isinstance(row.get("system"), str) else []
        pairs = [pair for pair in texts.get("history") or () if isinstance(pair, list) and len(pair) == 2]
        before += [{"role": role, "content": text} for pair in pairs for role, text in zip(_PAIR, pair, strict=True)]
    else:
        tools, rest = tools_of_text(instruction)
        asked = history if history.strip() else rest
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


def _role(message: Any) -> Any:
    role = (message.get("role") or message.get("from")) if isinstance(message, dict) else None
    return role.lower() if isinstance(role, str) else role


def _content(message: dict[str, Any]) -> Any:
    return message["content"] if message.get("content") is not None else message.get("value")


def _some_messages(row: Row) -> list[Any]:
    for name in (*MESSAGES, "prompt"):
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
        if _role(message) == "system" and isinstance(text := _content(message), str):
            yield text


def _texts(row: Row) -> Iterable[str]:
    for message in _some_messages(row):
        if isinstance(message, dict) and isinstance(text := _content(message), str):
            yield text


def _has_messages(row: Row) -> bool:
    return any(row.get(name) is not None for name in MESSAGES) or isinstance(row.get("prompt"), list)


def _is_toolrl(row: Row) -> bool:
    return _toolrl_texts(row) is not None and not any(row.get(name) is not None for name in MESSAGES)


def _is_when2call(row: Row) -> bool:
    if {"question", "correct_answer"} <= row.keys() or row.get("chosen_response") is not None:
        return True
    return any("<TOOLCALL>" in text for text in _texts(row))


def _is_anthropic(row: Row) -> bool:
    kinds = {
        block.get("type")
        for message in _some_messages(row)
        if isinstance(message, dict) and isinstance(message.get("content"), list)
        for block in message["content"]
        if isinstance(block, dict)
    }
    return bool(kinds & {"tool_use", "tool_result", "thinking"})


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
    "anthropic": Format("Anthropic messages", _is_anthropic, _read_messages),
    "hermes": Format("Hermes", _is_hermes, _read_messages),
    "toolace": Format("ToolACE", _is_toolace, _read_messages),
    "sharegpt": Format("ShareGPT", _is_sharegpt, _read_messages),
    "openai": Format("OpenAI messages", _has_messages, _read_messages),
    "xlam": Format("xLAM", _is_xlam, _read_xlam),
}
