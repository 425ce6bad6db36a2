"""Gold solutions in the forms in which models write them, and a check that what is read out of them is the gold."""

import ast
import json
import re
from collections.abc import Callable

from .code_kinds import numbered, prompted


def indented(code: str, by: str) -> str:
    return "".join(by + line + "\n" for line in code.splitlines())


def tabbed(code: str) -> str:
    return re.sub(r"^(?:    )+", lambda match: "\t" * (len(match[0]) // 4), code, flags=re.MULTILINE)


def split(code: str) -> list[str]:
    """The parts of a program, one statement of its top level each."""
    lines, at, parts = code.splitlines(), 0, []
    for node in ast.parse(code).body:
        parts.append("\n".join(lines[at : node.end_lineno]) + "\n")
        at = node.end_lineno
    return parts


def wrong(name: str) -> str:
    return f"def {name}(*values):\n    return object()\n"


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```\n"


# {name: (code, name of the function) → answer}
DISGUISES: dict[str, Callable[[str, str], str]] = {
    "bare": lambda code, _: code,
    "fence": lambda code, _: f"Here you are:\n\n{fenced(code)}\nIt does what you ask for.",
    "fence never closed": lambda code, _: f"Sure!\n```python\n{code}",
    "fence of tildes": lambda code, _: f"~~~\n{code}\n~~~",
    "fence in a list": lambda code, _: f"1. The code:\n\n{indented(fenced(code), '   ')}\n2. Done.",
    "fence in a quote": lambda code, _: indented(fenced(code), "> "),
    "label": lambda code, _: f"python\n{code}",
    "label on the line": lambda code, _: f"Answer:\n{code}\n\nExplanation: it follows the docstring.",
    "statements in blocks of their own": lambda code, _: "Next:\n".join(map(fenced, split(code))),
    "statements in prose": lambda code, _: "\nThe next part follows here.\n".join(split(code)),
    "corrected": lambda code, name: f"{fenced(wrong(name))}Actually, here is the fix:\n{fenced(code)}",
    "corrected without fences": lambda code, name: f"{wrong(name)}\nActually, here is the fix:\n\n{code}",
    "cut correction": lambda code, name: f"{fenced(code)}Shorter:\n```python\n{wrong(name)[:-12]}(",
    "stub behind": lambda code, name: f"{fenced(code)}Signature:\n{fenced(f'def {name}(*values): ...')}",
    "shell": lambda code, _: prompted(code),
    "Windows": lambda code, _: fenced(code).replace("\n", "\r\n"),
    "tabs": lambda code, _: fenced(tabbed(code)),
    "numbers": lambda code, _: numbered(code, "{:3} | {}"),
    "diff": lambda code, _: fenced(indented(code, "+"), "diff"),
    "JSON": lambda code, _: json.dumps({"done": True, "code": code}),
    "tags": lambda code, _: f"<answer>\n{code}\n</answer>",
    "example": lambda code, name: f"{fenced(code)}Try it:\n{fenced(f'{name} = {name}(input())')}",
    "example behind": lambda code, name: fenced(f"{code}\n\nprint({name}(int(input())))\nassert {name}(1) == object()"),
    "in a function": lambda code, name: f"def wrapper():\n{indented(code, '    ')}    return {name}\n",
    "reasoning": lambda code, name: f"<think>\n{fenced(wrong(name))}</think>\n\n{fenced(code)}",
}  # fmt: skip


def definitions(program: str) -> dict[str, str]:
    """{name: its last definition} in a program, as a text that does not depend on white space in docstrings."""
    found = {}
    for node in ast.parse(program).body:
        text = re.sub(r"(?:\\[tn]|\s)+", " ", ast.dump(node))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = text
        elif isinstance(node, ast.Assign):
            found[ast.unparse(node.targets[0])] = text
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name.split(".")[0]: text for alias in node.names}
    return found


def missing(program: str, gold: str, name: str) -> list[str]:
    """Names that the function needs, whose definition in a program is not that of the gold program."""
    has, wanted = definitions(program), definitions(gold)
    needed, todo = set(), {name}
    while todo:
        needed |= todo
        words = set(re.findall(r"id='(\w+)'", "".join(wanted.get(word, "") for word in todo)))
        todo = (words & set(wanted)) - needed
    return sorted(word for word in needed if has.get(word) != wanted.get(word, ""))
