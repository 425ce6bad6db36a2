"""Finding the solution in an answer, whatever stands around it."""

import ast

import pytest

from funreason.evaluate import code_text
from funreason.evaluate.code_text import MAX_CHARS, MAX_PARSES, completion

PROMPT = 'import math\n\ndef area(r):\n    """Area of a circle.\n\n    >>> area(0)\n    0.0\n    """\n'
BODY = "    if r < 0:\n        return 0.0\n    return math.pi * r * r\n"
WHOLE = "def area(r):\n" + BODY
FLAT = "if r < 0:\n    return 0.0\nreturn math.pi * r * r"


@pytest.mark.parametrize(
    "answer",
    [
        BODY,
        BODY.strip(),
        FLAT,
        WHOLE,
        PROMPT + BODY,
        f"```python\n{WHOLE}```",
        f"```\n{BODY}\n```",
        f"Here you are:\n\n```python\n{WHOLE}\n```\n\nIt squares the radius.",
        f"```python\n{WHOLE}",  # cut before the fence was closed
        f"Here you are:\n{WHOLE}\nIt squares the radius.",
        f"{BODY}\nThis function squares the radius.",
        f"<think>```python\ndef area(r):\n    return 1\n```</think>\n\n```python\n{WHOLE}```",
        f"```bash\npip install x\n```\n```python\n{WHOLE}```",
        f"```python\nfrom math import pi\n\n{WHOLE}\nprint(area(1))\n```",
        f"```python\n{WHOLE}```\n```python\narea(2)\n```",
        "  ```python\n  def area(r):\n      return math.pi * r * r if r >= 0 else 0.0\n  ```",
        f"{BODY}\ndef other(x):\n    return x\n",
        f"{WHOLE}\n\ndef broken(:\n",
    ],
)
def test_solution_is_found(answer):
    names = {}
    exec(PROMPT + completion(answer, PROMPT, "area"), names)  # our own text: no model wrote it
    assert names["area"](-1) == 0.0 and round(names["area"](1), 2) == 3.14


@pytest.mark.parametrize(
    "answer",
    [
        "", "I cannot do that.", "```python\n```", "def area(", "\0", "<think>def area(r):\n    return 1",
        "(" * 20000, "def area(r):\n" + "    x = " + "-" * 19000 + "1", "    " * 5000,
    ],
    ids=["empty", "talk", "fence", "half", "null", "unclosed", "deep", "minus", "blank"],
)  # fmt: skip
def test_an_answer_without_a_solution_does_not_crash(answer):
    ast.parse(PROMPT + completion(answer, PROMPT, "area"))


def test_prose_and_unfinished_code_are_not_a_solution():
    for answer in ("I cannot do that.", "", "def area(", "```python\n```"):
        assert completion(answer, PROMPT, "area") == ""


def test_prompt_without_docstring():
    prompt = "def double(x):\n"
    for answer in ("    return 2 * x", "def double(x):\n    return 2 * x"):
        names = {}
        exec(prompt + completion(answer, prompt, "double"), names)
        assert names["double"](4) == 8


def test_a_cut_answer_is_kept_up_to_its_last_whole_line():
    assert completion("    y = r\n    return y * (r", PROMPT, "area") == "    y = r\n"


def test_only_the_first_characters_of_an_answer_are_read():
    prose = "All work and no play.\n"
    assert completion(prose + WHOLE, PROMPT, "area") == "\n\n\n" + WHOLE
    assert completion(prose * (MAX_CHARS // len(prose) + 1) + WHOLE, PROMPT, "area") == ""


@pytest.mark.parametrize("line", ["x = (\n", "    x = 1 +\n", "    @area\n", "def area(r):\n    @area\n"])
def test_a_huge_answer_is_parsed_a_few_times_only(line, monkeypatch):
    """Decorators that decorate nothing are an error of the last line, so that each try drops one line."""
    monkeypatch.setattr(code_text, "MAX_CHARS", 2000)
    parses, parse = [], ast.parse
    monkeypatch.setattr(ast, "parse", lambda source: parses.append(source) or parse(source))
    assert completion(line * 100_000, PROMPT, "area") == ""
    assert len(parses) <= 3 * MAX_PARSES and max(map(len, parses)) <= 2 * 2000


def test_a_solution_behind_many_tries_is_found():
    assert completion(WHOLE + "@area\n" * (MAX_PARSES - 10), PROMPT, "area").endswith(WHOLE)
