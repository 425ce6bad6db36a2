"""One point of the sweep, or its report: see experiments/lambda_sweep/dvc.yaml, which runs all of them (`make sweep`).

Run as, from the repository root: python experiments/lambda_sweep/run.py train msl-0.3 0
                                  python experiments/lambda_sweep/run.py measure msl-0.3 0
                                  python experiments/lambda_sweep/run.py report
"""

from pathlib import Path

from funreason.core.paths import TOY, TOY_SUITES, accuracy, descriptor, train_rows
from funreason.core.runtime import run

POINTS, MODELS = Path("experiments/lambda_sweep/points"), Path("models/lambda_sweep")


def main(what: str, *point: str) -> None:
    from funreason.core.errors import ParamsError

    known = {"train": train, "measure": measure, "report": report}
    if what not in known or len(point) != (0 if what == "report" else 2):
        raise ParamsError(f"{' '.join([what, *point])}: allowed are train or measure with SETTING SEED, or report")
    known[what](*point)


def train(setting: str, seed: str) -> None:
    """The student, trained on the teacher's rows with this setting and seed."""
    from sweep import loss_of

    from funreason.config import load_params
    from funreason.llm import load_ref
    from funreason.train.checkpoints import checkpoint_root
    from funreason.train.run import train_round

    params, name = load_params(), f"{setting}-{seed}"
    train_round(
        Path(train_rows("r0")),
        load_ref(descriptor("base")),
        MODELS / name,
        POINTS / name / "train",
        loss_of(setting, params.loss),
        params.train.model_copy(update={"seed": int(seed)}),
        checkpoints=checkpoint_root(),
    )


def measure(setting: str, seed: str) -> None:
    """Calls on the held-out queries by BFCL's scorer, and pass@1 on the held-out functions, from one engine."""
    from funreason.config import load_params
    from funreason.core.jsonio import write_json
    from funreason.evaluate import code_bench
    from funreason.evaluate.answers import ask, greedy
    from funreason.evaluate.toy_suites import toy_accuracy
    from funreason.llm import Client, load_ref
    from funreason.prompts import code_messages
    from funreason.sandbox import isolation as sandbox

    params, name = load_params(), f"{setting}-{seed}"
    evaluate, mode = params.evaluate, sandbox.resolve(params.evaluate.sandbox)
    model, problems = load_ref(MODELS / name), code_bench.load("toy", None)
    with Client(model, params.llm, greedy(evaluate.toy.max_tokens)) as client:
        calls = toy_accuracy(client, TOY, mode, f"{name} calls")
        sampling = greedy(evaluate.code.max_tokens)
        other = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        solutions = ask(other, [code_messages(problem["prompt"]) for problem in problems], f"{name} code")
    _, code = code_bench.score_answers("toy", problems, solutions, timeout_s=evaluate.code.timeout_s, mode=mode)
    write_json(POINTS / name / "scores.json", figures(calls, code))


def figures(calls: dict, code: dict) -> dict:
    """sweep.FIGURES of a model; the two sides of calls are None in metrics that do not keep them apart."""
    wanted, no_call = (calls.get(side) or {} for side in ("calls_wanted", "no_call_wanted"))
    sides = {"calls_wanted": wanted.get("accuracy"), "no_call_wanted": no_call.get("strict", {}).get("accuracy")}
    suites = {suite: calls[suite]["accuracy"] for suite in TOY_SUITES}
    counts = {"heldout": calls["n"], "code": code["n"]}
    return sides | {"heldout": calls["accuracy"]} | suites | {"code": code["pass@1"], "n": counts}


def report() -> None:
    """Write results.csv, one line per point, and table.md, one line per setting."""
    from sweep import row_of, write_results, write_table

    from funreason.core.jsonio import read_details

    rows = []
    for folder in sorted(path for path in POINTS.iterdir() if path.is_dir()):
        setting, _, seed = folder.name.rpartition("-")
        rows.append(
            row_of(setting, int(seed), read_details(folder / "train/train.json"), read_details(folder / "scores.json"))
        )
    base = figures(*(read_details(Path(accuracy("base", benchmark)))["toy"] for benchmark in ("bfcl", "code")))
    write_table(
        Path("experiments/lambda_sweep/table.md"),
        write_results(Path("experiments/lambda_sweep/results.csv"), rows),
        base,
    )


if __name__ == "__main__":
    run(main)
