"""The toy code world: short Python functions in HumanEval's format (signature + docstring -> body, with tests).

A task is a reducer over mapped and filtered numbers, or a small string function; constants make many of each.
Held-out tasks are combinations that no training task has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from random import Random

NAMES = ("solve", "compute", "process", "answer", "result_of", "apply_rule", "work", "evaluate_it")
CONSTANTS = (2, 3, 4, 5, 6, 7, 8, 9, 10)
HELD_OUT_OF_TEN = 2

REDUCERS: dict[str, tuple[str, Callable]] = {
    "the sum of": ("sum({})", sum),
    "the number of": ("len([{}])", lambda items: len(list(items))),
    "a list of": ("[{}]", list),
    "the largest of": ("max([{}], default=0)", lambda items: max(list(items), default=0)),
    "the smallest of": ("min([{}], default=0)", lambda items: min(list(items), default=0)),
    "a sorted list of": ("sorted({})", sorted),
    "a list without repeats of": ("sorted(set({}))", lambda items: sorted(set(items))),
}
MAPS: dict[str, tuple[str, Callable]] = {
    "the numbers": ("x", lambda x, k: x),
    "the squares of the numbers": ("x * x", lambda x, k: x * x),
    "{k} times the numbers": ("x * {k}", lambda x, k: x * k),
    "the numbers plus {k}": ("x + {k}", lambda x, k: x + k),
    "the numbers minus {k}": ("x - {k}", lambda x, k: x - k),
    "the absolute values of the numbers": ("abs(x)", lambda x, k: abs(x)),
}
FILTERS: dict[str, tuple[str, Callable]] = {
    "in xs": ("", lambda x, m: True),
    "in xs that are even": (" if x % 2 == 0", lambda x, m: x % 2 == 0),
    "in xs that are odd": (" if x % 2 == 1", lambda x, m: x % 2 == 1),
    "in xs that are positive": (" if x > 0", lambda x, m: x > 0),
    "in xs that are negative": (" if x < 0", lambda x, m: x < 0),
    "in xs that are greater than {m}": (" if x > {m}", lambda x, m: x > m),
    "in xs that are less than {m}": (" if x < {m}", lambda x, m: x < m),
    "in xs that are divisible by {m}": (" if x % {m} == 0", lambda x, m: x % m == 0),
}
STRINGS: dict[str, tuple[str, Callable]] = {
    "s reversed": ("s[::-1]", lambda s, k: s[::-1]),
    "s in upper case": ("s.upper()", lambda s, k: s.upper()),
    "s in lower case": ("s.lower()", lambda s, k: s.lower()),
    "the first {k} characters of s": ("s[:{k}]", lambda s, k: s[:k]),
    "the last {k} characters of s": ("s[-{k}:]", lambda s, k: s[-k:]),
    "s without its first {k} characters": ("s[{k}:]", lambda s, k: s[k:]),
    "s repeated {k} times": ("s * {k}", lambda s, k: s * k),
    "the number of words in s": ("len(s.split())", lambda s, k: len(s.split())),
    "the words in s that have more than {k} letters": (
        "[w for w in s.split() if len(w) > {k}]",
        lambda s, k: [w for w in s.split() if len(w) > k],
    ),
    "True if s has more than {k} characters": ("len(s) > {k}", lambda s, k: len(s) > k),
}
WORDS = ("apple", "River", "stone", "Cloud", "tree", "Window", "lamp", "a", "of", "Garden")


@dataclass(frozen=True)
class CodeTask:
    """One function to write: its description, its expression and the Python closure that gives expected values."""

    name: str
    argument: str
    description: str
    expression: str
    expected: Callable

    @property
    def held_out(self) -> bool:
        """Decided by the description alone, so that no wording is in both splits."""
        return sha256(self.description.encode()).digest()[0] % 10 < HELD_OUT_OF_TEN

    def prompt(self, example: object) -> str:
        """The signature and a docstring with one example."""
        return (
            f'def {self.name}({self.argument}):\n    """Return {self.description}.\n'
            f'    >>> {self.name}({example!r})\n    {self.expected(example)!r}\n    """\n'
        )

    def solution(self) -> str:
        """The body that follows the prompt."""
        return f"    return {self.expression}\n"

    def reply(self) -> str:
        """The answer of a chat model: the whole function in a fence."""
        return f"```python\ndef {self.name}({self.argument}):\n{self.solution()}```"


def sample_input(argument: str, rng: Random) -> object:
    """A short list of numbers for `xs`, one to three words for `s`."""
    if argument == "xs":
        return [rng.randint(-9, 20) for _ in range(rng.randint(2, 4))]
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 3)))


def sample_code_task(rng: Random) -> CodeTask:
    """A string function (one in four), or a reducer over mapped and filtered numbers."""
    name, k, m = rng.choice(NAMES), rng.choice(CONSTANTS), rng.choice(CONSTANTS)
    if rng.random() < 0.25:
        words = rng.choice(list(STRINGS))
        expression, run = STRINGS[words]
        return CodeTask(name, "s", words.format(k=k), expression.format(k=k), lambda s: run(s, k))
    reduce_words, map_words, filter_words = (rng.choice(list(table)) for table in (REDUCERS, MAPS, FILTERS))
    (reduce_text, reduce), (map_text, mapped), (filter_text, kept) = (
        REDUCERS[reduce_words],
        MAPS[map_words],
        FILTERS[filter_words],
    )
    description = f"{reduce_words} {map_words} {filter_words}".format(k=k, m=m)
    inner = f"{map_text} for x in xs{filter_text}".format(k=k, m=m)
    return CodeTask(
        name,
        "xs",
        description,
        reduce_text.format(inner),
        lambda xs: reduce([mapped(x, k) for x in xs if kept(x, m)]),
    )


def humaneval_row(task: CodeTask, task_id: str, rng: Random) -> dict:
    """A task in HumanEval's format, with six tests."""
    inputs = [sample_input(task.argument, rng) for _ in range(6)]
    checks = "".join(f"    assert candidate({value!r}) == {task.expected(value)!r}\n" for value in inputs)
    return {
        "task_id": task_id,
        "prompt": task.prompt(sample_input(task.argument, rng)),
        "entry_point": task.name,
        "canonical_solution": task.solution(),
        "test": f"def check(candidate):\n{checks}",
    }


def sample_split(held_out: bool, count: int, rng: Random) -> list[CodeTask]:
    """`count` tasks of one split, each description once."""
    tasks: dict[str, CodeTask] = {}
    while len(tasks) < count:
        task = sample_code_task(rng)
        if task.held_out == held_out:
            tasks.setdefault(task.description, task)
    return list(tasks.values())
