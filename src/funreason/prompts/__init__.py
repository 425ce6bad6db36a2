"""Every prompt of the project is a template file in this folder; this module fills them in.

A template's `{name}` marks are filled in one pass, so that braces inside untrusted text (a query, a tool
description, a model's reasoning) are never read as marks.
"""

import json
import re
from functools import cache
from importlib import resources

from funreason.calls import to_bfcl
from funreason.core.paths import CHECKS

_TAGS = r"(?=/?(?:judge|NewFC|think|tools|query|reasoning|answer)\b)"
_TAG = re.compile(f"<{_TAGS}", re.IGNORECASE)
_FENCED_TAG = re.compile(f"&lt;{_TAGS}", re.IGNORECASE)


@cache
def template(name: str) -> str:
    """The text of `<name>.txt`, without the newline that ends the file."""
    return resources.files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n")


def fill(name: str, **values: str) -> str:
    """Template `name` with each `{key}` replaced by its value, in one pass."""
    return re.sub(r"\{(\w+)\}", lambda mark: values[mark[1]], template(name))


def tools_text(functions: list[dict]) -> str:
    """Functions in BFCL's form as the text a prompt shows."""
    return json.dumps(functions, indent=4)


def calling_prompt(functions: list[dict]) -> str:
    """BFCL v4's default prompt-mode system prompt over functions in BFCL's form (byte for byte)."""
    return fill("calling", tools=tools_text(functions)) + "\n"


def calling_messages(query: str, tools: list[dict]) -> list[dict]:
    """The chat that asks for calls: BFCL's system prompt over xLAM or BFCL tools, then the query."""
    system = calling_prompt([to_bfcl(tool) for tool in tools])
    return [{"role": "system", "content": system}, {"role": "user", "content": query}]


def judge_messages(
    check: str, *, query: str, tools: list[dict], cot: str, answer: str, examples: int = 0
) -> list[dict]:
    """The chat that asks a judge for the verdict of one of `CHECKS` (FunReason's FCDR, section 2 of method.md).

    `examples` of the check's worked cases go before it, each a turn of its own: a False, then a True.
    """
    if check not in CHECKS:
        raise ValueError(f"no check named {check!r}: allowed are {', '.join(CHECKS)}")
    chat = []
    for example in worked_examples(check)[:examples]:
        texts = {name: example[name] for name in ("query", "tools", "cot", "answer")}
        chat += [_judged(check, **texts), {"role": "assistant", "content": example["reply"]}]
    return [*chat, _judged(check, query=query, tools=tools, cot=cot, answer=answer)]


def _judged(check: str, query: str, tools: list[dict], cot: str, answer: str) -> dict:
    shown = tools_text([to_bfcl(tool) for tool in tools])
    texts = {"query": query, "tools": shown, "cot": cot, "answer": answer}
    content = fill(f"judge_{check}", **{name: fenced(text) for name, text in texts.items()})
    return {"role": "user", "content": content}


def fenced(text: str) -> str:
    """The text, its tags made harmless: it cannot end its fence, and a judge that quotes it gives no verdict."""
    return _TAG.sub("&lt;", text)


def unfenced(text: str) -> str:
    return _FENCED_TAG.sub("<", text)


@cache
def worked_examples(check: str) -> list[dict]:
    """[{"query", "tools", "cot", "answer", "reply"}] of `judge_<check>.json`, for few-shot prompts."""
    return json.loads(resources.files(__name__).joinpath(f"judge_{check}.json").read_text(encoding="utf-8"))


def code_messages(prompt: str) -> list[dict]:
    """The chat that asks for a Python function in HumanEval's form (signature and docstring)."""
    return [{"role": "user", "content": fill("code", prompt=prompt)}]
