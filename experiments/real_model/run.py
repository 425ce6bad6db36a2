"""One step of the experiment on a real model: see experiments/real_model/dvc.yaml, which runs all of them.

Run as, from the repository root: python experiments/real_model/run.py rows
                                  python experiments/real_model/run.py train msl-0.5 0
                                  python experiments/real_model/run.py measure msl-0.5 0      (base 0: before training)
                                  python experiments/real_model/run.py report
"""

import sys
from pathlib import Path

from funreason.core.runtime import run

sys.path.append(str(Path(__file__).parents[1] / "lambda_sweep"))  # an arm's loss is a setting of the sweep

HERE = Path("experiments/real_model")
ROWS, POINTS, MODELS = HERE / "rows", HERE / "points", Path("models/real_model")
SUITES = ROWS / "heldout"


def main(what: str, *point: str) -> None:
    from funreason.core.errors import ParamsError

    known = {"rows": (rows, 0), "train": (train, 2), "measure": (measure, 2), "report": (report, 0)}
    if what not in known or len(point) != known[what][1]:
        raise ParamsError(f"{' '.join([what, *point])}: allowed are rows, train ARM SEED, measure ARM SEED, or report")
    known[what][0](*point)


def settings() -> dict:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load((HERE / "params.yaml").read_text(encoding="utf-8"))


def rows() -> None:
    """Split the rows by tool; write the sets of training rows and the held-out suites."""
    import shutil
    from collections import Counter

    from rows import (
        SourceRow,
        heldout_rows,
        read_source,
        refined,
        refused_gold,
        sample_of,
        training_pool,
        with_defects,
        write_suites,
    )
    from transformers import AutoTokenizer

    from funreason.assemble.training_set import training_row
    from funreason.config import load_params
    from funreason.core.jsonio import write_json, write_jsonl
    from funreason.prompts.conversation import chat
    from funreason.sandbox.scorer import scorer_files

    values = settings()
    split, tokenizer = values["split"], AutoTokenizer.from_pretrained(values["base"], trust_remote_code=False)

    def tokens(*messages: dict) -> int:
        return len(tokenizer.apply_chat_template(list(messages), return_dict=False))

    def fits(row: SourceRow) -> bool:
        whole = training_row("r0", sample_of(row))
        return tokens(*whole["prompt"], *whole["completion"]) <= split["max_length"]

    answers, gold = (read_source(Path(values["sources"][name])) for name in ("answers", "gold"))
    chosen = heldout_rows(gold, split["per_source"], lambda row: tokens(*chat(row.task)) <= split["max_prompt"])
    pool = training_pool(answers, chosen, fits, split["train_rows"], split["statement_fraction"])
    right = [row for row in pool if row.label != "wrong"]
    fcdr = load_params().fcdr.model_copy(update={"mode": "heuristics"})
    sets = {"all": [sample_of(row) for row in pool], "right": [sample_of(row) for row in right]}
    sets["refined"] = refined(sets["all"], fcdr)
    planted = with_defects(sets["right"], split["defects"])
    sets["defective"] = [planted.get(sample.id, sample) for sample in sets["right"]]
    sets["filtered"] = refined(sets["defective"], fcdr)
    for name, samples in sets.items():
        write_jsonl(ROWS / "train" / f"{name}.jsonl", [training_row("r0", sample) for sample in samples])
    mistakes = {row.task.id for row in pool} - {row.task.id for row in right}
    wrong = {name: planted if name in ("defective", "filtered") else mistakes for name in sets}

    official = scorer_files(".venv-bfcl", "bfcl_eval/data")
    write_suites(chosen, official, SUITES)
    refused = refused_gold(chosen, SUITES, load_params().evaluate.sandbox)
    shutil.rmtree(SUITES)
    suites = write_suites([row for row in chosen if row.task.id not in refused], official, SUITES)
    trained, asked = (set().union(*(row.tools for row in rows)) for rows in (pool, chosen))
    write_json(ROWS / "rows.json", {
        "train": {name: {"rows": len(samples), "wrong": sum(s.id in wrong[name] for s in samples),
                         "statements": sum(s.kind == "statement" for s in samples)}
                  for name, samples in sets.items()},
        "tools": {"trained": len(trained), "heldout": len(asked), "both": len(trained & asked)},
        "queries_in_both": len({row.task.query for row in pool} & {row.task.query for row in chosen}),
        "train_sources": dict(sorted(Counter(row.source for row in pool).items())),
        "heldout": dict(suites),
        "refused_gold": sorted(refused),
    })  # fmt: skip


def train(arm: str, seed: str) -> None:
    """The base model, trained with the loss and the rows of this arm, or the model of an arm, trained by GRPO."""
    from arms import GRPO, arm_of

    from funreason.config import load_params
    from funreason.grpo.run import train_by_grpo
    from funreason.llm import load_ref
    from funreason.train.checkpoints import checkpoint_root
    from funreason.train.run import train_round

    params, values, name = load_params(), settings(), f"{arm}-{seed}"
    loss, data = arm_of(arm, params.loss)
    rows, out, metrics = ROWS / "train" / f"{data}.jsonl", MODELS / name, POINTS / name / "train"
    train_params = params.train.model_validate(params.train.model_dump() | values["train"] | {"seed": int(seed)})
    often = {"checkpoints": checkpoint_root(), "save_seconds": 300}
    if arm.endswith(GRPO):
        start = load_ref(MODELS / f"{arm.removesuffix(GRPO)}-{seed}")
        grpo = params.grpo.model_validate(params.grpo.model_dump() | values["grpo"])
        train_by_grpo(rows, start, out, metrics, grpo, train_params, **often)
    else:
        train_round(rows, load_ref(values["base"]), out, metrics, loss, train_params, **often)


def measure(arm: str, seed: str) -> None:
    """Calls on the held-out suites by BFCL's checker, and the losses on plain text and code, after training."""
    from forgetting import text_losses

    from funreason.config import load_params
    from funreason.core.jsonio import write_csv, write_json
    from funreason.evaluate import bfcl
    from funreason.evaluate.answers import ask, greedy
    from funreason.llm import Client, load_ref
    from funreason.sandbox import isolation as sandbox

    params, values, name = load_params(), settings(), f"{arm}-{seed}"
    llm = params.llm.model_copy(update=values["llm"])
    folder = values["base"] if arm == "base" else MODELS / name
    folders = {path.name: path for path in sorted(SUITES.iterdir())}
    prompts = [prompt for suite, path in folders.items() for prompt in bfcl.folder_prompts(suite, path)]
    with Client(load_ref(folder), llm, greedy(values["max_tokens"])) as client:
        responses = ask(client, [prompt.messages for prompt in prompts], name)
    scored = bfcl.score(prompts, responses, folders, sandbox.resolve(params.evaluate.sandbox))
    lines = [
        {"suite": row.suite, "category": row.category, "id": row.id, "right": int(row.correct), "form": row.form,
         "tokens": response.completion_tokens}
        for row, response in zip(scored, responses, strict=True)
    ]  # fmt: skip
    write_csv(POINTS / name / "marks.csv", tuple(lines[0]), lines)
    write_json(POINTS / name / "text.json", text_losses(folder))


def report() -> None:
    """Write results.csv, marks.csv and table.md from all points that are there."""
    from report import write_report

    write_report(POINTS, HERE)


if __name__ == "__main__":
    run(main)
