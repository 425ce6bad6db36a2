"""From the text of a model to the official score: gold is right, wrong is wrong, attacks cost themselves only."""

import json
from pathlib import Path

import pytest

from funreason.core.errors import DataError, FunReasonError
from funreason.evaluate import bfcl
from funreason.evaluate.bfcl import BfclPrompt
from funreason.llm import Response

from .gold import gold_texts, official_data
from .suite import QUESTION, WEATHER, write_folder

GOLD = "[get_weather(city='Ghent', days=3)]"
PLANTED = "/tmp/funreason-planted"
ROWS = 25
AST = ("simple_python", "multiple", "parallel")

# What stands in an arithmetic argument, the official decoder runs.
ATTACKS = {
    "exit": "__import__('os')._exit(0) + 3",
    "SystemExit": "exit() + 3",
    "hang": "9**9**9**9 + 3",
    "patch": "(setattr(__import__('bfcl_eval.eval_checker.eval_runner', fromlist='x'), 'ast_checker',"
    " lambda *a: {'valid': True}) or 1) + 3",
    "forge": "[__import__('os').write(fd, b'{}') for fd in range(3, 20)] + [3]",
    "write": f"open({PLANTED!r}, 'w').write('here') + 3",
}
ODD = [
    "", "[", "\0", "\ud800", "[get_weather(city='\\ud800', days=3)]", "[get_weather(city={(1, 2): 3}, days=3)]",
    "[get_weather(at={'x': 2**99999}, days=3)]", "[get_weather(**{'days': 3})]", "[" * 5000, "-" * 100000 + "1",
    "x" * 1_000_000, "```python\n" + GOLD + "\n```",
]  # fmt: skip
TOO_LONG = Response("", "too_long", 0, 0)
# {suite: (category, answers)}: one run of the scorer for all of them.
ANSWERS = {
    "attacks": ("simple_python", [GOLD, *(f"[get_weather(days={text})]" for text in ATTACKS.values()), GOLD]),
    "attack-irrelevance": ("irrelevance", ["no", f"[get_weather(days={ATTACKS['exit']})]", "no"]),
    "odd": ("simple_python", [GOLD, *ODD, GOLD]),
    "arithmetic": ("simple_python", [
        "[get_weather(city='Ghent', days=1 + 2)]",
        "[get_weather(city='Gh' + 'ent', days=6 // 2)]",
        "[get_weather(city='Ghent', days=undefined + 2)]",
        "[get_weather(city='Ghent', days=1 + 1)]",
    ]),
    "irrelevance": ("irrelevance", ["None of the functions can be used.", "[]", GOLD, TOO_LONG]),
    "too-long": ("simple_python", [TOO_LONG]),
}  # fmt: skip


def responses_of(answers) -> list[Response]:
    return [text if isinstance(text, Response) else Response(text, "stop", 1, 1) for text in answers]


def judged(answers: dict[str, tuple], root: Path, mode: str) -> dict[str, list[bool]]:
    """{suite: verdicts} on answers to the first rows of a category; every suite has a folder of its own."""
    folders = {suite: write_folder(root / suite, len(texts)) for suite, (_, texts) in answers.items()}
    rows = [
        (BfclPrompt(suite, category, f"{category}_{n}", []), text)
        for suite, (category, texts) in answers.items()
        for n, text in enumerate(texts)
    ]
    scored = bfcl.score([prompt for prompt, _ in rows], responses_of(text for _, text in rows), folders, mode)
    return {suite: [row.correct for row in scored if row.suite == suite] for suite in answers}


@pytest.fixture(scope="module")
def verdicts(mode, tmp_path_factory):
    return judged(ANSWERS, tmp_path_factory.mktemp("suites"), mode)


@pytest.fixture(scope="module")
def official(mode):
    """{category: prompts} of BFCL's own data."""
    categories = (*AST, "irrelevance", "live_relevance")
    prompts = bfcl.official_prompts("bfcl", categories, ROWS, mode)
    return {name: [prompt for prompt in prompts if prompt.category == name] for name in categories}


def test_official_gold_is_right(official, mode):
    """As a plain model and as a reasoning one would write it."""
    gold = {id: text for name in AST for id, text in gold_texts(official_data(), name).items()}
    prompts = [prompt for name in AST for prompt in official[name]]
    marks = ["", "<think>Let me see: [f(a=1)]</think>\n\n"]
    texts = [marks[number % 2] + gold[prompt.id] for number, prompt in enumerate(prompts)]
    rows = bfcl.score(prompts, responses_of(texts), {"bfcl": None}, mode)
    assert [row.error for row in rows if not row.correct] == []


def test_official_wrong_is_wrong(official, mode):
    """The gold of another row, a renamed function, and no call where one is due or a call where none is."""
    gold = list(gold_texts(official_data(), "simple_python").values())
    cases = list(zip(official["simple_python"], gold[1 : ROWS + 1], strict=True))
    cases += [(p, "[wrong_name(a=1)]") for p in official["parallel"]]
    cases += [(p, "[some_call(a=1)]") for p in official["irrelevance"]]
    cases += [(p, "I cannot do that.") for p in official["live_relevance"] + official["multiple"]]
    rows = bfcl.score([p for p, _ in cases], responses_of(text for _, text in cases), {"bfcl": None}, mode)
    assert [row.id for row in rows if row.correct] == []
    assert all(row.error for row in rows)


def test_official_prompts_are_those_of_bfcl(official):
    first = official["simple_python"][0]
    assert [message["role"] for message in first.messages] == ["system", "user"]
    assert first.messages[0]["content"].startswith("You are an expert in composing functions.")
    assert "Note that the provided function is in Python 3 syntax." in first.messages[0]["content"]
    counts = {name: len(prompts) for name, prompts in official.items()}
    assert counts.pop("live_relevance") == 16 and set(counts.values()) == {ROWS}


def test_folder_prompts_are_the_official_ones_without_the_note(folder, official):
    prompts = bfcl.folder_prompts("known", folder)
    assert [p.id for p in prompts][::3] == ["simple_python_0", "irrelevance_0"]
    system, user = prompts[0].messages
    head = official["simple_python"][0].messages[0]["content"].partition("[\n")[0]
    assert system["content"] == head + json.dumps([WEATHER], indent=4) + "\n"
    assert user == {"role": "user", "content": QUESTION}


def test_planted_code_fails_alone(verdicts):
    assert verdicts["attacks"] == [True, *[False] * len(ATTACKS), True]
    assert verdicts["attack-irrelevance"] == [True, False, True]
    assert not Path(PLANTED).exists()


def test_an_answer_that_kills_the_scorer_fails_alone(tmp_path, mode):
    killing = "[get_weather(days=__import__('os').kill(__import__('os').getppid(), 9) + 3)]"
    assert judged({"k": ("irrelevance", [killing, "no"])}, tmp_path, mode) == {"k": [False, True]}


def test_odd_text_is_wrong(verdicts):
    assert verdicts["odd"] == [True, *[False] * len(ODD), True]


def test_arithmetic_is_evaluated_as_by_the_official_decoder(verdicts):
    assert verdicts["arithmetic"] == [True, True, False, False]


def test_prompts_without_room_are_wrong_also_where_no_call_is_right(verdicts):
    assert verdicts["irrelevance"] == [True, True, False, False]
    assert verdicts["too-long"] == [False]
    assert bfcl.scored_text("live_relevance", TOO_LONG) == ""


def test_reasoning_is_cut_before_scoring():
    def cut(text):
        return bfcl.scored_text("multiple", *responses_of([text]))

    assert cut("<think>a</think>\n\n[f()]") == "[f()]"
    assert cut("a</think> b</think>\n[f()]") == "[f()]"
    assert cut("<think>never closed [f()]") == "<think>never closed [f()]"


def test_rows_out_of_order_are_refused(folder):
    """The official runner would compare each answer with the entry of another one."""
    path = folder / "BFCL_v4_simple_python.json"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    with pytest.raises(DataError, match="BFCL_v4_simple_python.json:1: id 'simple_python_2'.*'simple_python_0'"):
        bfcl.folder_prompts("known", folder)


def test_folder_without_data_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no BFCL_v4_<category>.json; known are simple_python"):
        bfcl.folder_prompts("known", tmp_path)


def test_missing_environment_is_one_line(monkeypatch):
    monkeypatch.setitem(bfcl.ENVIRONMENTS, "v4", ".venv-nowhere")
    with pytest.raises(FunReasonError, match="^the scorer's environment .venv-nowhere .* run `make setup`$"):
        bfcl.official_prompts("bfcl", ["multiple"], 1, "none")
