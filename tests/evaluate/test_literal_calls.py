"""Which calls may be executed beside others: methods of the APIs with literals, and nothing else."""

import json
import subprocess
from pathlib import Path

import pytest

from funreason.core.errors import FunReasonError
from funreason.evaluate import DRIVERS
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.sandbox.scorer import scorer_python

FILES = "funreason_eval_id_0_GorillaFileSystem_instance"  # as v4 calls them
MATH = "funreason_eval_id_0_MathAPI_instance"
TRUE_FILES = "funreason_ground_truth_eval_id_0_GorillaFileSystem_instance"

LITERAL = {
    "no argument": "pwd()",
    "by name": "ls(a=True)",
    "by position": "absolute_value(-3.5)",
    "white space": "  pwd ()",
    "joined strings": "echo(content='a' 'b')",
    "a call in a string": "echo(content='cat (x), pwd()')",
    "no string": "echo(content=None)",
    "nested": "echo(content={'a': [1, (2, +3j), {-4}], 'b': {5: b'x', 'c': ...}})",
    "of no such function": "no_such_function(a=1)",
    "with a wrong argument": "pwd(folder='x')",
    "twice the same": "ls(a=True, a=True)",  # a syntax error only for eval
    "infinite": "absolute_value(number=-1e999)",
    "unhashable": "echo(content={[]: 1})",
    "long": f"echo(content={'x' * (1 << 20)!r})",
    "nested deeply": f"echo(content={'[' * 90}{']' * 90})",
}
NOT_LITERAL = {
    "a name": "echo(content=str)",
    "a call": "echo(content=pwd())",
    "a call of nothing": "no_such_function(a=print(1))",
    "stars": "echo(*['x'])",
    "two stars": "echo(**{'content': 'x'})",
    "stars in a list": "echo(content=[*'ab'])",
    "stars in a dict": "echo(content={**{}})",
    "an attribute": "pwd().x",
    "an attribute of an argument": "echo(content='x'.upper)",
    "a subscript": "pwd()['x']",
    "arithmetic": "absolute_value(number=1 + 1)",
    "a negated list": "absolute_value(number=not [])",
    "a format": "echo(content=f'{1}')",
    "a comprehension": "echo(content=[x for x in 'ab'])",
    "a name that is set": "echo(content=(x := 1))",
    "a call as a key": "echo(content={pwd(): 1})",
    "a name deep in a dict": "echo(content={'a': {'b': [{str: 1}]}})",
    "lambda": "(lambda: 0)()",
    "a condition": "pwd() if 1 else 2",
    "both": "pwd() and pwd()",
    "a list": "[pwd()]",
    "no call": "'pwd()'",
    "nothing": "",
    "statements": "pwd();pwd()",
    "import": "__import__('os')",
    "import and call": "__import__('os').getpid()",
    "a builtin": "print('x')",
    "eval": "eval('1')",
    "a name of BFCL's module": "is_empty_execute_response([])",
    "a local name of BFCL's": "class_instance('x')",
    "an instance": f"{FILES}('x')",
    "a method of it": f"{FILES}.pwd()",
    "a private method": f"{FILES}._load_scenario({{}})",
    "an inner method": f"{FILES}.__setattr__('root', 1)",
    "the truth": f"{TRUE_FILES}._load_scenario({{}})",
    "another API's method": f"{MATH}.pwd()",
    "a null byte": "pwd(\0)",
    "an endless bracket": "pwd(" * 5000,
    "an endless sign": f"absolute_value(number={'-' * 100_000}1)",
    "endless digits": f"absolute_value(number={'1' * 5000})",
    "no text": "echo(content='\ud800')",
}


@pytest.fixture(scope="module", params=["v4", "v3"])
def probe(request):
    """What the release says of all the calls: {"results": […], "before", "after"}, literal and official."""
    try:
        python = scorer_python(ENVIRONMENTS[request.param])
    except FunReasonError:
        pytest.skip(f"no environment {ENVIRONMENTS[request.param]}: make bfcl3")

    def run(how: str, calls: list[str]) -> dict:
        if request.param == "v3":
            for name in (FILES, MATH, TRUE_FILES):
                calls = [call.replace(name, name.lower()) for call in calls]
        command = [python, Path(__file__).with_name("literal_calls_probe.py"), DRIVERS, how]
        done = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_literal_calls_have_the_results_of_bfcl(probe):
    literal, official = (probe(how, list(LITERAL.values()))["results"] for how in ("literal", "official"))
    assert [name for name, results in zip(LITERAL, literal, strict=True) if results is None] == []
    assert dict(zip(LITERAL, literal, strict=True)) == dict(zip(LITERAL, official, strict=True))
    by_name = dict(zip(LITERAL, literal, strict=True))
    assert by_name["by position"] == ['{"result": 3.5}']
    assert by_name["of no such function"] == ["Error during execution: name 'no_such_function' is not defined"]


def test_other_calls_are_not_executed(probe):
    outcomes = probe("literal", list(NOT_LITERAL.values()))["results"]
    assert [(name, results) for name, results in zip(NOT_LITERAL, outcomes, strict=True) if results is not None] == []


def test_a_conversation_leaves_nothing_behind(probe):
    """Neither its instances nor what it spent of a card that BFCL lends to all conversations of a long context."""
    state = probe("literal", [])
    assert state["after"] == [state["before"], [], True]
