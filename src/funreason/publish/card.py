"""The data card: front matter that the hub and `datasets` read, then what is in the data and where it comes from."""

from collections.abc import Iterable

from tabulate import tabulate

UNKNOWN = "unknown"  # the hub's own word for a licence nobody named
ASK = "unknown: ask the source's owner before publishing"
CONFIGS = ("trl", "sharegpt")
_SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"))
_OUTCOMES = {
    "kept": "passed all checks as the generator wrote them",
    "regenerated": "the answer was replaced by a judge's, and judged again",
    "statement": "no call fits; the answer says so",
    "not_selected": "passed all checks, but another completion of its query was selected",
    "dropped": "failed a check of query, tools or reasoning, or is a repeat",
    "hard": "query and reasoning hold, the call could not be mended",
}


def card(name: str, found: dict, steps: list[dict], provenance: dict, license: str | None) -> str:
    """README.md of set `name`: `found` are the metrics of `build.publish`, `steps` the ledger's counts."""
    parts = [
        f"---\n{_front_matter(found['rows'], license)}---\n",
        f"# Function calls with reasoning, set `{name}`\n",
        _about(name, found),
        f"## Licence\n\nOf the source: {license or ASK}.\n",
        f"## Use\n\n{_use(name, found['rows_within_conversations'])}",
        f"## Outcomes\n\n{_outcomes(found['outcomes'])}",
        f"## Funnel\n\n{_funnel(steps)}",
        f"## Tokens\n\n{_tokens(found['tokens'])}",
        f"## Provenance\n\n{_provenance(provenance)}",
        f"## Reproduce\n\n{_reproduce(name)}",
    ]
    return "\n".join(parts)


def _front_matter(rows: int, license: str | None) -> str:
    from huggingface_hub import DatasetCardData

    configs = [
        {"config_name": config, "data_files": [{"split": "train", "path": f"{config}/train.jsonl"}]}
        | ({"default": True} if config == CONFIGS[0] else {})
        for config in CONFIGS
    ]
    size = next((text for limit, text in _SIZES if rows < limit), "10M<n<100M")
    data = DatasetCardData(
        license=license or UNKNOWN,
        task_categories=["text-generation"],
        size_categories=[size],
        tags=["function-calling", "tool-use", "reasoning", "chain-of-thought", "synthetic", "funreason"],
        configs=configs,
    )
    return data.to_yaml() + "\n"


def _about(name: str, found: dict) -> str:
    sets = ", ".join(f"{count} of `{each}`" for each, count in found["rows_by_set"].items())
    return (
        "A query, the tools it may use, and a completion `<think>reasoning</think>` with the calls after it, refined\n"
        "by FunReason's five checks (FCDR, [arXiv 2505.20192](https://arxiv.org/abs/2505.20192)) and each tool's\n"
        f"schema. {found['rows']} rows: {sets}. An id is `<set>/<row of the source>`.\n"
    )


def _use(name: str, within: int) -> str:
    history = (
        f"{within} rows go on with a conversation (`<row of the source>@<turn>`): all turns before the completion are\n"
        "in the prompt, the calls without their reasoning. Each turn has a row of its own, so train on the last one\n"
        "alone: LLaMA-Factory does with `mask_history: true`.\n"
    )
    return (
        "| folder | form | for |\n|---|---|---|\n"
        "| `trl/` | `prompt` and `completion` as messages | TRL |\n"
        "| `sharegpt/` | `conversations`, `system` (which holds the tools) | LLaMA-Factory, Axolotl |\n\n"
        "```python\n"
        'datasets.load_dataset(REPO_OR_FOLDER, "trl")        # or "sharegpt"\n'
        "```\n\n"
        f"LLaMA-Factory: `dataset_dir` is a copy of this folder, `dataset: funreason_{name}`.\n"
        f"{history if within else ''}"
    )


def _outcomes(outcomes: dict[str, int]) -> str:
    rows = [(outcome, count, _OUTCOMES.get(outcome, "")) for outcome, count in outcomes.items()]
    told = "Every row that entered the set has one; the first three are published, with the rows of earlier sets.\n"
    return f"{_table(rows, ('outcome', 'rows', 'meaning'))}\n{told}"


def _funnel(steps: list[dict]) -> str:
    columns = ("step", "in", "pass", "fail", "undecided", "skip", "regenerated", "not_selected", "dropped", "hard")
    out = [entry["in"] - entry["not_selected"] - entry["dropped"] - entry["hard"] for entry in steps]
    rows = [[*(entry[key] for key in columns), left] for entry, left in zip(steps, out, strict=True)]
    return _table(rows, (*columns, "out"))


def _tokens(tokens: dict) -> str:
    rows = [(part, *(_shown(summary[key]) for key in ("rows", "mean", "median"))) for part, summary in tokens.items()]
    told = "By the student's tokenizer, without special tokens, as in FunReason's Table 1.\n"
    return f"{_table(rows, ('part', 'rows', 'mean', 'median'))}\n{told}"


def _shown(number: int | float | None) -> str:
    return "-" if number is None else f"{number:.2f}" if isinstance(number, float) else str(number)


def _provenance(provenance: dict) -> str:
    inputs, prompts = provenance["inputs"], provenance["prompts"]
    return f"{_table(inputs, ('what', 'name', 'content'))}\n{_table(prompts, ('what', 'name', 'content'))}"


def _reproduce(name: str) -> str:
    return (
        "With the pipeline (FunReason-DVC) at the commit that was published, and the source and models above:\n\n"
        "```bash\n"
        f"make setup && . .venv/bin/activate && dvc repro publish@{name}\n"
        "```\n\n"
        "Equal inputs give equal bytes; answers of models are as deterministic as the engine and the machine that\n"
        "gave them, and `dvc pull` brings those of the first run.\n"
    )


def _table(rows: Iterable, headers: tuple[str, ...]) -> str:
    return tabulate([[str(cell) for cell in row] for row in rows], headers, "github", disable_numparse=True) + "\n"
