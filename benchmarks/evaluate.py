"""What our road to the score costs over BFCL's official scorer alone, on gold answers to all single-turn rows.

    python benchmarks/evaluate.py [rounds]

Ours: funreason.evaluate.bfcl.score, from responses to verdicts. Official: BFCL's runner over the same answers in one
process of its environment, without sandbox or guards, which leaves its score files. It imports what it wants but the
clients of vendors (seconds, and torch, which is not installed); "lean" leaves out what we leave out, too.
The start of the process counts for all of them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from turns import in_turns, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from evaluate.gold import gold_texts, official_data  # noqa: E402

from funreason.evaluate import bfcl, sandbox  # noqa: E402
from funreason.evaluate.bfcl_metrics import CATEGORIES  # noqa: E402
from funreason.evaluate.drive import DRIVERS, scorer_python  # noqa: E402
from funreason.llm import Response  # noqa: E402

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


def gold_answers(mode: str) -> tuple[list[bfcl.Prompt], list[str]]:
    prompts, gold = bfcl.official_prompts("bfcl", CATEGORIES, None, mode), {}
    for category in CATEGORIES:
        gold |= {} if "relevance" in category else gold_texts(official_data(), category)
    return prompts, [gold.get(prompt.id, "[any_call(a=1)]") for prompt in prompts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rounds", nargs="?", type=int, default=9, help="rounds of all, in turns (default 9)")
    rounds = parser.parse_args().rounds
    mode = sandbox.resolve("auto")
    prompts, texts = gold_answers(mode)
    answers = defaultdict(list)
    for prompt, text in zip(prompts, texts, strict=True):
        answers[prompt.category].append({"id": prompt.id, "result": text})
    responses = [Response(text, "stop", 1, 1) for text in texts]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(answers, file)
        file.flush()
        command = [scorer_python(bfcl.ENVIRONMENTS["v4"]), "-c", ALONE, str(DRIVERS), file.name]

        def official(*wanted: str) -> None:
            subprocess.run([*command, *wanted], check=True, stdout=subprocess.DEVNULL)

        works = {
            "official": lambda: official(*LEFT_OUT),
            "official, lean": official,
            "ours": lambda: bfcl.score(prompts, responses, {"bfcl": None}, mode),
        }
        print(f"{len(prompts)} rows, {rounds} rounds")
        report(in_turns(works, rounds), "ours", len(prompts))


if __name__ == "__main__":
    main()
