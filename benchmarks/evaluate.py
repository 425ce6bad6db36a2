"""What our scoring costs over BFCL's official scorer alone, on gold answers to all rows; and what conversations cost.

    python benchmarks/evaluate.py [--single] [rounds]

Ours: funreason.evaluate.bfcl.score and bfcl_turns.score, from responses to verdicts. Official: BFCL's runner over the
same answers in one process of its environment, without sandbox or guards; it writes its score files. It imports
everything but the clients of vendors (seconds, and torch, which is not installed); "lean" also leaves out what we leave
out. The start of the process counts for all of them, and so does all that runs in the sandbox. The last figure is the
cost of one step in which all 800 conversations are replayed from their first question to their end.
"""

import argparse
import contextlib
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from turns import in_turns, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from evaluate.gold import gold_texts, official_data  # noqa: E402
from evaluate.gold_turns import gold_answers as gold_turns  # noqa: E402

from funreason.evaluate import DRIVERS, bfcl, bfcl_turns  # noqa: E402
from funreason.evaluate.bfcl_metrics import CATEGORIES, MULTI_TURN  # noqa: E402
from funreason.llm import Response  # noqa: E402
from funreason.sandbox import isolation as sandbox  # noqa: E402
from funreason.sandbox.scorer import scorer_python  # noqa: E402

ALONE = """
import json, sys, tempfile
drivers, answers, *wanted = sys.argv[1:]
sys.path.insert(0, drivers)
import bfcl_stub
for name in wanted:
    del sys.modules[name]
from bfcl_eval.eval_checker import eval_runner
from pathlib import Path
for category, rows in json.load(open(answers)).items():
    with tempfile.TemporaryDirectory() as folder:
        eval_runner.evaluate_task(category, None, Path(folder), rows, bfcl_stub.MODEL, bfcl_stub.Handler(), {})
"""
LEFT_OUT = ("pandas",)  # by bfcl_stub
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER


def gold_answers(mode: str) -> tuple[list[bfcl.BfclPrompt], list[str]]:
    prompts, gold = bfcl.official_prompts("bfcl", CATEGORIES, None, mode), {}
    for category in CATEGORIES:
        gold |= {} if "relevance" in category else gold_texts(official_data(), category)
    return prompts, [gold.get(prompt.id, "[any_call(a=1)]") for prompt in prompts]


def compared(answers: dict[str, list], ours: Callable[[], object], rounds: int) -> None:
    """Print the time of the official runner on `answers` ({category: result rows}) beside the time of `ours`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(answers, file)
        file.flush()
        command = [scorer_python(bfcl.ENVIRONMENTS["v4"]), "-c", ALONE, str(DRIVERS), file.name]

        def official(*wanted: str) -> None:
            subprocess.run([*command, *wanted], check=True, stdout=subprocess.DEVNULL)

        works = {"official": lambda: official(*LEFT_OUT), "official, lean": official, "ours": lambda: whole(ours)}
        report(in_turns(works, rounds), "ours", sum(map(len, answers.values())))


def whole(work: Callable[[], object]) -> None:
    """Do it, and wait for what it left: bwrap does not wait for its child, whose time would not count."""
    work()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass


def single_turns(mode: str, rounds: int) -> None:
    prompts, texts = gold_answers(mode)
    answers = defaultdict(list)
    for prompt, text in zip(prompts, texts, strict=True):
        answers[prompt.category].append({"id": prompt.id, "result": text})
    responses = [Response(text, "stop", 1, 1) for text in texts]
    print(f"{len(prompts)} single turns, {rounds} rounds")
    compared(answers, lambda: bfcl.score(prompts, responses, {"bfcl": None}, mode), rounds)


def several_turns(mode: str, rounds: int) -> None:
    apis = bfcl_turns.SimulatedApis("v4", mode, "tool")
    gold = {name: answers for category in MULTI_TURN for name, answers in gold_turns(category).items()}
    started = apis.start("bfcl", MULTI_TURN, None)
    answered = [replace(conversation, answers=tuple(gold[conversation.id])) for conversation in started]
    print(f"{len(answered)} conversations replayed from start to end")
    report(in_turns({"one step": lambda: apis.advance(answered)}, 1), "one step", len(answered))
    ended, answers = apis.advance(answered), defaultdict(list)
    for conversation in ended:
        answers[conversation.category].append({"id": conversation.id, "result": conversation.turns})
    print(f"{len(ended)} conversations, {rounds} rounds")
    compared(answers, lambda: bfcl_turns.score(ended, mode, "v4"), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--single", action="store_true", help="leave out the conversations")
    parser.add_argument("rounds", nargs="?", type=int, default=9, help="repetitions of all, interleaved (default 9)")
    arguments, mode = parser.parse_args(), sandbox.resolve("auto")
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    single_turns(mode, arguments.rounds)
    if not arguments.single:
        several_turns(mode, arguments.rounds)


if __name__ == "__main__":
    main()
