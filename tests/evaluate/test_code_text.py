"""Finding the solution in an answer, whatever stands around it."""

import ast
import random
import time

import pytest
from code_closure import ROOT

from funreason.evaluate import code_pieces, code_text, evalplus
from funreason.evaluate.code_text import MAX_CHARS, Solution, extract

from .code_kinds import BODY, EMPTY, HELPER, MAIN, PROMPT, RIGHT, WHOLE, WRONG
from .disguises import DISGUISES, missing, wrong

DATA = ROOT.parent / "shared" / "data"  # beside the checkout, on machines without the internet


def area(answer: str, cut: bool = False):
    """The function that is read out of an answer to PROMPT."""
    names = {}
    exec(PROMPT + extract(answer, PROMPT, "area", cut).code, names)  # our own text: no model wrote it
    return names["area"]


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_solution_is_found(answer):
    found = area(answer)
    assert found(-1) == 0.0 and round(found(1), 2) == 3.14


@pytest.mark.parametrize("answer", EMPTY.values(), ids=EMPTY)
def test_an_answer_without_a_solution_has_no_code(answer):
    code, reading = extract(answer, PROMPT, "area")
    assert reading in ("", "cut") and bool(code) == bool(reading)
    ast.parse(PROMPT + code)
    if not answer.startswith("def area(r):\n    x"):
        assert code == ""


@pytest.mark.parametrize("disguise", DISGUISES)
def test_what_is_read_out_of_a_disguise_is_the_answers_own_solution(disguise):
    """Right stays right, wrong stays wrong: the last complete definition counts, the same for both."""
    is_cut = disguise == "cut correction"
    code = DISGUISES[disguise](f"import math\n\n{HELPER}\n\n{MAIN}", "area")
    assert round(area(code, is_cut)(1), 2) == 3.14
    other = DISGUISES[disguise]("def area(r):\n    return 7\n", "area")
    assert area(other, is_cut)(1) == 7
    assert missing(extract(other, PROMPT, "area", is_cut).code.strip(), "def area(r):\n    return 7\n", "area") == []


@pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")  # of three gold solutions
@pytest.mark.parametrize("every", [12, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("benchmark", ["humaneval+", "mbpp+"])
def test_gold_is_found_in_every_disguise(benchmark, every):
    if not (DATA / f"{evalplus.FILES[benchmark]}.gz").exists():
        pytest.skip(f"no {evalplus.FILES[benchmark]}.gz in {DATA}")
    problems, faults = evalplus.load_problems(benchmark, DATA), []
    assert len(problems) == {"humaneval+": 164, "mbpp+": 378}[benchmark]
    for problem in problems[::every]:
        prompt, name, gold = problem["prompt"], problem["entry_point"], problem["canonical_solution"]
        code = prompt + gold if benchmark == "humaneval+" else gold
        answers = {disguise: dress(code, name) for disguise, dress in DISGUISES.items()}
        answers |= {"body": gold} if benchmark == "humaneval+" else {}
        for disguise, answer in answers.items():
            found, reading = extract(answer, prompt, name, disguise == "cut correction")
            if lacks := missing(prompt + found, prompt + gold, name):
                faults.append((problem["task_id"], disguise, reading, lacks))
    assert faults == []


@pytest.mark.parametrize(
    ("answer", "reading"),
    [
        (f"```python\n{WHOLE}```", "block"),
        (BODY, "continuation"),
        (WHOLE, "text"),
        (f"Answer: {WHOLE}", "unmarked text"),
        (f"> ```python\n> {WHOLE.replace(chr(10), chr(10) + '> ')}```", "unmarked block"),
        (RIGHT["corrected behind the fence"], "text"),
        (RIGHT["no-break spaces"], "respaced text"),
        (RIGHT["in a call"], "quoted text"),
        (RIGHT["method"], "wrapped"),
        (BODY.strip(), "body"),
        ("def area(r):\n    y = r\n    return y * (r", "cut"),
        ("", ""),
    ],
)
def test_the_reading_is_told(answer, reading):
    assert extract(answer, PROMPT, "area").reading == reading


def test_a_plain_whole_function_stays_as_it_is():
    program = f"from math import pi\n\n\n# a helper\n{HELPER}\n\n{MAIN}"
    for answer in (program, f"```python\n{program}```", f"Here:\n```\n{program}\n```\nDone."):
        assert extract(answer, PROMPT, "area").code == "\n\n\n" + program


def test_a_correction_that_is_cut_does_not_count():
    answer = f"```python\n{WHOLE}```\nShorter:\n```python\ndef area(r):\n    if r < 0:\n        return 0.0\n"
    assert area(answer, cut=True)(1) > 3 and area(answer)(1) is None
    closed = f"```python\n{WRONG}```\nActually, here is the fix:\n```python\n{WHOLE}```\nIt squares the rad"
    assert area(closed, cut=True)(1) > 3
    assert area(closed.removesuffix("\nIt squares the rad"), cut=True)(1) > 3


def test_a_correction_that_is_wrong_counts():
    assert area(f"```python\n{WHOLE}```\nActually, here is the fix:\n```python\n{WRONG}```")(1) == 2
    assert area(f"{WHOLE}\nActually, here is the fix:\n\n{WRONG}")(1) == 2


def test_names_of_other_functions_do_not_count():
    for other in ("def circumference(r):\n    return 1\n", f"class Area:\n    def get(self, r):\n    {BODY}"):
        assert extract(other, PROMPT, "area") == Solution("", "")


def test_prompt_without_docstring():
    prompt = "def double(x):\n"
    for answer in ("    return 2 * x", "def double(x):\n    return 2 * x"):
        names = {}
        exec(prompt + extract(answer, prompt, "double").code, names)
        assert names["double"](4) == 8


def test_helpers_of_the_prompt_are_not_replaced():
    """As in HumanEval/38: the prompt holds a function that the answer uses."""
    prompt = "def square(x):\n    return x * x\n\n\ndef area(r):\n"
    answer = "```python\ndef square(x): return 0\n```\nMain:\n```python\ndef area(r):\n    return square(r)\n```"
    assert "square(x)" not in extract(answer, prompt, "area").code


def test_a_cut_answer_is_kept_up_to_its_last_whole_line():
    assert extract("    y = r\n    return y * (r", PROMPT, "area") == Solution("    y = r\n", "body")


def test_only_the_first_characters_of_an_answer_are_read():
    prose = "All work and no play.\n"
    assert extract(prose + WHOLE, PROMPT, "area").code == "\n\n\n" + WHOLE
    assert extract(prose * (MAX_CHARS // len(prose) + 1) + WHOLE, PROMPT, "area").code == ""


@pytest.mark.parametrize(
    "line", ["x = (\n", "    x = 1 +\n", "    @area\n", "def area(r):\n    @area\n", "```x\n", "```\nx x\n```\n"]
)
def test_a_huge_answer_is_parsed_a_few_times_only(line, monkeypatch):
    """Decorators that decorate nothing are an error of the last line, so that each try drops one line."""
    monkeypatch.setattr(code_text, "MAX_CHARS", 2000)
    monkeypatch.setattr(code_pieces, "MAX_PARSED", 100_000)
    parses, parse = [], ast.parse
    monkeypatch.setattr(ast, "parse", lambda source, *more: parses.append(source) or parse(source, *more))
    assert extract(line * 100_000, PROMPT, "area").code == ""
    assert sum(map(len, parses)) <= 2 * 100_000 and max(map(len, parses)) <= 2 * 2000


@pytest.mark.parametrize(
    "line", [" " * 40_000 + "a", "\t" * 39_999 + "a", "a: " * 13_000, "`" * 40_000, ">>> " * 10_000]
)
def test_a_huge_line_is_read_at_once(line):
    started = time.perf_counter()
    assert extract(line, PROMPT, "area").code == ""
    assert time.perf_counter() - started < 5  # seconds; it takes tenths


def test_an_answer_that_repeats_itself_is_read():
    assert area(f"```python\n{WHOLE}```\n" * 400)(1) > 3


def test_broken_answers_do_not_crash():
    """Pieces of right answers in any order, with characters lost: every result continues the prompt."""
    pieces = [part for answer in RIGHT.values() for part in answer.splitlines(keepends=True)]
    chance = random.Random(0)
    for _ in range(400):
        answer = "".join(chance.choices(pieces, k=chance.randint(1, 30)))
        at = chance.randrange(len(answer))
        answer = answer[:at] + answer[at + chance.randint(0, 3) :]
        ast.parse(PROMPT + extract(answer, PROMPT, "area", cut=chance.random() < 0.5).code)


def test_wrong_is_no_solution_of_the_gold_check():
    """The check of this file's gold: another body is not the gold one."""
    assert missing(wrong("area"), WHOLE, "area") == ["area"] == missing("", WHOLE, "area")
