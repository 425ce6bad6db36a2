"""What our road to the score costs over BFCL's official scorer alone, on gold answers to all single-turn rows.

    python benchmarks/evaluate.py [rounds]

Alone: the official runner in one process of its environment, without sandbox or guards, answers and data as it wants
them. Ours: funreason.evaluate.bfcl.score, from responses to verdicts. In turns, so that both see the same load; the
middle of the rounds counts, of the clock and of the processor (children included).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from evaluate.gold import gold_texts, official_data  # noqa: E402

from funreason.evaluate import bfcl, sandbox  # noqa: E402
from funreason.evaluate.bfcl_metrics import CATEGORIES  # noqa: E402
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rounds", nargs="?", type=int, default=3, help="rounds of both, in turns (default 3)")
    rounds = parser.parse_args().rounds
    mode = sandbox.resolve("auto")
    prompts = bfcl.official_prompts("bfcl", CATEGORIES, None, mode)
    gold = {}
    for category in CATEGORIES:
        gold |= {} if "relevance" in category else gold_texts(official_data(), category)
    texts = [gold.get(prompt.id, "[any_call(a=1)]") for prompt in prompts]
    answers: dict[str, list] = {}
    for prompt, text in zip(prompts, texts, strict=True):
        answers.setdefault(prompt.category, []).append({"id": prompt.id, "result": text})
    path = Path(tempfile.mkdtemp()) / "answers.json"
    path.write_text(json.dumps(answers))
    command = [scorer_python(bfcl.ENVIRONMENTS["v4"]), "-c", ALONE, str(DRIVERS), str(path)]
    responses = [Response(text, "stop", 1, 1) for text in texts]
    alone, ours = [], []
    for _ in range(rounds):
        alone.append(timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)))
        ours.append(timed(lambda: bfcl.score(prompts, responses, {"bfcl": None}, mode)))
    for label, n in (("clock", 0), ("processor", 1)):
        a, o = median(it[n] for it in alone), median(it[n] for it in ours)
        print(f"{label}: official alone {a:.2f} s, ours {o:.2f} s, {100 * (o / a - 1):+.1f} % over {len(prompts)} rows")


if __name__ == "__main__":
    main()
