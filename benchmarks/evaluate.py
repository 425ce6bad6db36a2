"""What our road to the score costs over BFCL's official scorer alone, on gold answers to all rows; and what turns cost.

    python benchmarks/evaluate.py [rounds]

Alone: the official runner in one process of its environment, without sandbox or guards, answers and data as it wants
them. Ours: funreason.evaluate.bfcl.score and bfcl_turns.score, from responses to verdicts. In turns, so that both see
the same load; the middle of the rounds counts, of the clock and of the processor (children included). Then what one
round costs in which all 800 conversations are replayed from their first question to their end.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from evaluate.gold import gold_texts, official_data  # noqa: E402
from evaluate.gold_turns import gold_answers  # noqa: E402

from funreason.evaluate import bfcl, bfcl_turns, sandbox  # noqa: E402
from funreason.evaluate.bfcl_metrics import CATEGORIES, MULTI_TURN  # noqa: E402
from funreason.evaluate.drive import DRIVERS, scorer_python  # noqa: E402
from funreason.llm import Response  # noqa: E402

ALONE = """
import json, sys, tempfile
sys.path.insert(0, sys.argv[1])
import bfcl_stub
from bfcl_eval.eval_checker import eval_runner
from pathlib import Path
for category, rows in json.load(open(sys.argv[2])).items():
    with tempfile.TemporaryDirectory() as folder:
        eval_runner.evaluate_task(category, None, Path(folder), rows, bfcl_stub.MODEL, bfcl_stub.Handler(), {})
"""


def timed(work) -> tuple[float, float]:
    """Seconds by the clock, and of the processor in child processes and this one."""
    start = time.perf_counter(), _processor()
    work()
    return time.perf_counter() - start[0], _processor() - start[1]


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(it.ru_utime + it.ru_stime for it in used)


def compared(label: str, rows: int, answers: dict[str, list], ours, rounds: int) -> None:
    """Print what the official runner takes for `answers` ({category: result rows}) and what `ours` takes."""
    path = Path(tempfile.mkdtemp()) / "answers.json"
    path.write_text(json.dumps(answers))
    command = [scorer_python(bfcl.ENVIRONMENTS["v4"]), "-c", ALONE, str(DRIVERS), str(path)]
    took = [(timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)), timed(ours))
            for _ in range(rounds)]  # fmt: skip
    for watch, n in (("clock", 0), ("processor", 1)):
        a, o = (median(both[side][n] for both in took) for side in (0, 1))
        more = f"{100 * (o / a - 1):+.1f} % over {rows} rows"
        print(f"{label}, {watch}: official alone {a:.2f} s, ours {o:.2f} s, {more}")


def single_turns(mode: str, rounds: int) -> None:
    prompts = bfcl.official_prompts("bfcl", CATEGORIES, None, mode)
    gold = {}
    for category in CATEGORIES:
        gold |= {} if "relevance" in category else gold_texts(official_data(), category)
    texts = [gold.get(prompt.id, "[any_call(a=1)]") for prompt in prompts]
    answers: dict[str, list] = {}
    for prompt, text in zip(prompts, texts, strict=True):
        answers.setdefault(prompt.category, []).append({"id": prompt.id, "result": text})
    responses = [Response(text, "stop", 1, 1) for text in texts]
    compared(
        "single turns", len(prompts), answers, lambda: bfcl.score(prompts, responses, {"bfcl": None}, mode), rounds
    )


def several_turns(mode: str, rounds: int) -> None:
    apis = bfcl_turns.Apis("v4", mode, "tool")
    gold = {name: answers for category in MULTI_TURN for name, answers in gold_answers(category).items()}
    talks = [replace(talk, answers=tuple(gold[talk.id])) for talk in apis.start("bfcl", MULTI_TURN, None)]
    ended = []
    clock, processor = timed(lambda: ended.extend(apis.carry_on(talks)))
    length = sum(len(talk.answers) for talk in talks) / len(talks)
    rate = f"{len(talks) / processor:.0f} a second of one processor"
    print(f"a round, {len(talks)} conversations of {length:.1f} answers: {clock:.1f} s, {processor:.1f} s, {rate}")
    answers: dict[str, list] = {}
    for talk in ended:
        answers.setdefault(talk.category, []).append({"id": talk.id, "result": talk.turns})
    compared("conversations", len(ended), answers, lambda: bfcl_turns.score(ended, mode, "v4"), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rounds", nargs="?", type=int, default=3, help="rounds of both, in turns (default 3)")
    rounds, mode = parser.parse_args().rounds, sandbox.resolve("auto")
    single_turns(mode, rounds)
    several_turns(mode, rounds)


if __name__ == "__main__":
    main()
