"""A reply of a server → a response, whatever the server sent.

Servers differ in where they put what a model wrote, and some send what no specification knows. Reading never fails:
what is not a chat completion becomes a `Fault`, with its reason.
"""

import json
import re
from typing import Any

from funreason.calls.completion import CLOSE, OPEN
from funreason.calls.text import Call, render
from funreason.core.errors import DataError
from funreason.llm.budget import tokens_of
from funreason.llm.engines.faults import Fault, Kind, fault_of
from funreason.llm.engines.scrub import Scrubber
from funreason.llm.engines.transport import MAX_REPLY, Reply
from funreason.llm.request import CUT, FILTERED, STOP, Response

_REASONING = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
_TEXTS = ("text", "content", "refusal", *_REASONING, "summary", "output_text", "value", "parts")
_CALLS = ("tool_use", "tool_call", "function_call", "function")
# Why a model did not end its turn by itself. Any other word, or none, means that it did: servers have many for it.
_LENGTH = re.compile(r"length|max_?\w*tokens?|token_?limit|trunca")
_WITHHELD = re.compile(r"filter|safety|sensitive|moderat|block|prohibit|recitation|refus|spii")
_BROKEN = re.compile(r"error|abort|cancel|timeout|insufficient|interrupt")
_UNFINISHED = re.compile(rf"{_BROKEN.pattern}|incomplete|malformed|limit|pause")
_DIGITS = 20
_PLAUSIBLE = 4, 1_000_000  # tokens per character at most, and those that cannot be seen (a template, hidden reasoning)
_USAGE = {"prompt": ("prompt_tokens", "input_tokens"), "completion": ("completion_tokens", "output_tokens")}


def read(reply: Reply, prompt: str, scrubber: Scrubber) -> Response | Fault:
    """Read a reply.

    Args:
        reply: Whatever came back.
        prompt: What was asked, for an estimate of tokens where the server's count cannot be true.
        scrubber: Takes the key out of what the model wrote.

    Returns:
        A response that can be stored, or what is wrong.
    """
    try:
        return _read(reply, prompt, scrubber)
    except Exception as error:  # the answer may be paid: whatever is wrong with it must not cost the others
        name = type(error).__name__
        return Fault(Kind.REQUEST, reply.status, f"sent what cannot be read ({name})", paid=reply.status < 300)


def _read(reply: Reply, prompt: str, scrubber: Scrubber) -> Response | Fault:
    text = reply.body.decode(json.detect_encoding(reply.body), errors="replace")  # as in the texts of vLLM itself
    if 300 <= reply.status < 400:
        return Fault(Kind.STAGE, reply.status, "answers with a redirect, which is not followed")
    body, problem = _json(text)
    if reply.status >= 400:
        return fault_of(reply.status, body, text, reply.retry_after)
    if reply.cut:
        return _unusable(reply, f"sent a reply of more than {MAX_REPLY >> 20} MiB")
    if problem:
        return _unusable(reply, f"sent no JSON ({problem}): {text[:200]}")
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    choice = _choice(body)
    if choice is None:
        if isinstance(body, dict) and (_error(body) or body.keys() & {"detail", "message"}):
            return fault_of(reply.status, body, text, reply.retry_after)
        return _unusable(reply, f"sent no chat completion: {text[:200]}")
    response = _response(choice, body.get("usage"), prompt, scrubber)
    if response.text.strip() or not (error := choice.get("error") or _BROKEN.search(response.finish_reason)):
        return response
    if isinstance(error, re.Match):  # the model was stopped before it wrote anything
        return Fault(Kind.PASSING, 503, f"ended by {response.finish_reason!r}, without a text", paid=True)
    return fault_of(reply.status, {"error": error}, json.dumps(error), reply.retry_after)


def _unusable(reply: Reply, text: str) -> Fault:
    return Fault(Kind.REQUEST, reply.status, text, paid=True)


def _json(text: str) -> tuple[Any, str]:
    """(the value, "") or (None, what is wrong)."""
    try:
        return json.loads(text, parse_int=_integer), ""
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at character {error.pos}" if text.strip() else "it is empty"
    except RecursionError:
        return None, "its brackets are nested too deep"


def _integer(digits: str) -> int | float:
    """Python refuses to read an integer of thousands of digits."""
    return int(digits) if len(digits) < _DIGITS else float(digits)


def _error(body: dict) -> bool:
    return bool(body.get("error") or body.get("errors") or body.get("object") == "error")


def _choice(body: Any) -> dict | None:
    """The first choice that holds something."""
    if not isinstance(body, dict) or body.get("object") == "error":
        return None
    choices = body.get("choices")
    choices = [choices] if isinstance(choices, dict) else choices if isinstance(choices, list) else []
    usable = [each for each in choices if isinstance(each, dict) and (_message(each) or each.get("error"))]
    if not usable and isinstance(body.get("message"), dict):  # Ollama's own form
        usable = [body]
    return usable[0] if usable else None


def _message(choice: dict) -> dict:
    for name in ("message", "delta"):
        if isinstance(message := choice.get(name), dict) and message:
            return message
        if isinstance(message, str):
            return {"content": message}
    return {"content": choice["text"]} if isinstance(choice.get("text"), str) else {}


def _response(choice: dict, usage: Any, prompt: str, scrubber: Scrubber) -> Response:
    text = _written(_message(choice))
    ended = choice.get("finish_reason") or choice.get("done_reason")
    reason = "error" if choice.get("error") else _finish_reason(ended)
    usage = usage if isinstance(usage, dict) else {}
    counts = [_count(usage, _USAGE["prompt"], prompt), _count(usage, _USAGE["completion"], text)]
    return Response(scrubber.answer(text), scrubber.line(reason, 40), *counts)


def _finish_reason(value: Any) -> str:
    word = value[:100].strip().lower() if isinstance(value, str) else ""
    if _LENGTH.search(word):
        return CUT
    if _WITHHELD.search(word):
        return FILTERED
    return word if _UNFINISHED.search(word) else STOP


def _count(usage: dict, names: tuple[str, ...], text: str) -> int:
    """The server's count where it can be true, else an estimate: no count may switch the budget off, or spend it."""
    given = next((usage[name] for name in names if usage.get(name) is not None), None)
    try:
        count = int(given) if isinstance(given, (int, float, str)) and not isinstance(given, bool) else 0
    except (ValueError, OverflowError):
        count = 0
    per_character, hidden = _PLAUSIBLE
    return count if min(1, len(text)) <= count <= per_character * len(text) + hidden else tokens_of(text)


def _written(message: dict) -> str:
    """What the model wrote, wherever it stands: reasoning, text, calls."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    thoughts = [part for part in parts if _is_thought(part)]
    calls = [part for part in parts if isinstance(part, dict) and part.get("type") in _CALLS]
    text = "".join(_text(part) for part in parts if part not in thoughts and part not in calls)
    text = text or _text(message.get("refusal"))
    if calls := [*_listed(message.get("tool_calls")), *_listed(message.get("function_call")), *calls]:
        written = f"[{', '.join(map(_call_text, calls))}]"
        text = f"{text.rstrip()}\n\n{written}" if text.strip() else written
    # Servers with a reasoning parser move the reasoning out of the text. Several names for it are in use.
    fields = (_text(message.get(name)) for name in _REASONING)
    reasoning = "".join(map(_text, thoughts)) or next((value for value in fields if value.strip()), "")
    if not reasoning.strip() or CLOSE in text:
        return text
    reasoning = reasoning.removeprefix(OPEN).removesuffix(CLOSE)
    return f"{OPEN}{reasoning}{CLOSE}\n\n{text}"


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and str(part.get("type", "")).startswith(("thinking", "reasoning", "redacted"))


def _listed(value: Any) -> list:
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _text(value: Any) -> str:
    """The text of a string, of a list of parts, or of a part."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_text, value))
    if isinstance(value, dict):
        return next((_text(value[name]) for name in _TEXTS if value.get(name) is not None), "")
    return "" if value is None else json.dumps(value)


def _call_text(item: Any) -> str:
    """One call in our call language; a part that cannot be written in it stands as the server sent it."""
    function = item.get("function") if isinstance(item, dict) else None
    function = function if isinstance(function, dict) else item
    if not isinstance(function, dict) or not isinstance(name := function.get("name"), str):
        return json.dumps(item, ensure_ascii=False)
    given: Any = next((function[key] for key in ("arguments", "input", "args", "parameters") if function.get(key)), {})
    arguments = _json(given)[0] if isinstance(given, str) else given
    if arguments is None and isinstance(given, str) and given.strip() in ("", "null"):
        arguments = {}
    try:
        if isinstance(arguments, dict):  # the names as they are: not all can be written, but they can be read
            return f"{name}({', '.join(f'{key}={_value_text(value)}' for key, value in arguments.items())})"
    except DataError:
        pass
    return f"{name}({given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)})"


def _value_text(value: Any) -> str:
    return render([Call("f", {"v": value})])[len("[f(v=") : -len(")]")]
