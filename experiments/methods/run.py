"""One point of the comparison of methods, or its report: see experiments/methods/dvc.yaml, which runs all of them.

Run as, from the repository root: python experiments/methods/run.py train grpo 0
                                  python experiments/methods/run.py measure grpo 0
                                  python experiments/methods/run.py report
"""

import sys
from pathlib import Path

from funreason.core.paths import TOY, accuracy, descriptor, train_rows
from funreason.core.runtime import run

sys.path.append(str(Path(__file__).parents[1] / "lambda_sweep"))  # an arm's loss is a setting of the sweep
HERE = Path("experiments/methods")
POINTS, MODELS = HERE / "points", Path("models/methods")


def main(what: str, *point: str) -> None:
    from funreason.core.errors import ParamsError

    known = {"train": train, "measure": measure, "report": report}
    if what not in known or len(point) != (0 if what == "report" else 2):
        raise ParamsError(f"{' '.join([what, *point])}: allowed are train or measure with ARM SEED, or report")
    known[what](*point)


def train(arm: str, seed: str) -> None:
    """The student, trained on the teacher's rows with the methods of an arm."""
    from methods import arm_of
    from sweep import loss_of

    from funreason.config import load_params
    from funreason.core.jsonio import write_json
    from funreason.grpo.run import train_by_grpo
    from funreason.llm import load_ref
    from funreason.train.checkpoints import checkpoint_root
    from funreason.train.run import train_round

    (setting, epochs, by_rewards), params, name = arm_of(arm), load_params(), f"{arm}-{seed}"
    settings = params.train.model_copy(update={"seed": int(seed)})
    rows, start, model = Path(train_rows("r0")), load_ref(descriptor("base")), MODELS / name
    metrics, tokens = POINTS / name / "train", 0
    if setting:
        supervised = settings.model_copy(update={"epochs": epochs or settings.epochs})
        out = MODELS / f".{name}-start" if by_rewards else model
        loss = loss_of(setting, params.loss)
        train_round(rows, start, out, metrics, loss, supervised, checkpoints=checkpoint_root())
        start, tokens = load_ref(out), round(row_tokens(rows, out, settings) * supervised.epochs)
    if by_rewards:
        # A start model that does not reason would earn nothing where reasoning is required.
        grpo = params.grpo if setting else params.grpo.model_copy(update={"think": "optional"})
        train_by_grpo(rows, start, model, metrics, grpo, settings, checkpoints=checkpoint_root())
        tokens += grpo_tokens(metrics, grpo.kl)
    write_json(POINTS / name / "tokens.json", {"tokens": tokens})


def row_tokens(rows: Path, model: Path, settings: object) -> int:
    """Tokens of prompts and completions in one epoch of supervised training."""
    import tempfile

    from transformers import AutoTokenizer

    from funreason.train.heldout import labelled_sides

    with tempfile.TemporaryDirectory() as folder:
        (learned, _), *_ = labelled_sides(
            rows, AutoTokenizer.from_pretrained(model, trust_remote_code=False), settings, Path(folder)
        )
        return sum(map(len, learned["input_ids"]))


def grpo_tokens(metrics: Path, kl: float) -> int:
    """Tokens that went through the model: each sample when it was written, trained on, and compared by the KL term."""
    from funreason.core.jsonio import read_details

    figures = read_details(metrics / "train.json")
    return figures["sampled_tokens"] + figures["trained_tokens"] * (2 if kl else 1)


def measure(arm: str, seed: str) -> None:
    """Calls on the held-out queries by BFCL's scorer, and pass@1 on the held-out functions, from one engine."""
    from funreason.config import load_params
    from funreason.core.jsonio import write_json
    from funreason.evaluate import code_bench, toy_suites
    from funreason.evaluate.answers import ask, greedy
    from funreason.llm import Client, load_ref
    from funreason.prompts import code_messages
    from funreason.sandbox import isolation as sandbox

    params, name = load_params(), f"{arm}-{seed}"
    evaluate, mode = params.evaluate, sandbox.resolve(params.evaluate.sandbox)
    folders, problems = toy_suites.suite_folders(TOY), code_bench.load("toy", None)
    asked = toy_suites.prompts(folders)
    model = load_ref(MODELS / name)
    with Client(model, params.llm, greedy(evaluate.toy.max_tokens)) as client:
        responses = ask(client, [prompt.messages for prompt in asked], f"{name} calls")
        sampling = greedy(evaluate.code.max_tokens)
        other = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        solutions = ask(other, [code_messages(problem["prompt"]) for problem in problems], f"{name} code")
    scored, calls = toy_suites.score(asked, responses, folders, mode)
    _, code = code_bench.score_answers("toy", problems, solutions, timeout_s=evaluate.code.timeout_s, mode=mode)
    marks = {f"{row.suite}/{row.id}": row.correct for row in scored}
    write_json(POINTS / name / "scores.json", figures(calls, code) | {"marks": marks})


def figures(calls: dict, code: dict) -> dict:
    """Fractions: `calls_wanted` over the questions that need a call, `no_call_wanted` the strict one over those that
    no tool fits, `heldout` over both."""
    return {
        "calls_wanted": calls["calls_wanted"]["accuracy"],
        "no_call_wanted": calls["no_call_wanted"]["strict"]["accuracy"],
        "heldout": calls["accuracy"],
        "code": code["pass@1"],
    }


def report() -> None:
    """Write results.csv, one line per point, and table.md, one line per arm."""
    from methods import write_results, write_table

    from funreason.core.jsonio import read_details

    points = []
    for folder in sorted(path for path in POINTS.iterdir() if (path / "scores.json").exists()):
        arm, _, seed = folder.name.rpartition("-")
        dead = read_details(folder / "train/train.json").get("dead_groups") or {}
        dead = {"dead_before": dead.get("before"), "dead_trained": dead.get("trained")}
        points.append(
            {"arm": arm, "seed": int(seed)}
            | dead
            | read_details(folder / "scores.json")
            | read_details(folder / "tokens.json")
        )
    base = figures(*(read_details(Path(accuracy("base", benchmark)))["toy"] for benchmark in ("bfcl", "code")))
    write_table(HERE / "table.md", write_results(HERE / "results.csv", points), base)


if __name__ == "__main__":
    run(main)
