"""Every prompt of the project is a template file in this folder; this module fills them in.

A template's `{name}` marks are filled in one pass, so that braces inside untrusted text (a query, a tool
description, a model's reasoning) are never read as marks.
"""

import json
import re
from functools import cache
from importlib import resources

from funreason.calls import to_bfcl

CHECKS = ("response", "query_tool", "cot", "call", "format")


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


def judge_messages(check: str, *, query: str, tools: list[dict], cot: str, answer: str) -> list[dict]:
    """The chat that asks a judge for the verdict of one of `CHECKS` (FunReason's FCDR, section 2 of method.md)."""
    if check not in CHECKS:
        raise ValueError(f"no check named {check!r}: allowed are {', '.join(CHECKS)}")
    shown = tools_text([to_bfcl(tool) for tool in tools])
    content = fill(f"judge_{check}", query=query, tools=shown, cot=cot, answer=answer)
    return [{"role": "user", "content": content}]


def code_messages(prompt: str) -> list[dict]:
    """The chat that asks for a Python function in HumanEval's form (signature and docstring)."""
    return [{"role": "user", "content": fill("code", prompt=prompt)}]
