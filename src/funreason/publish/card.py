"""The data card: front matter for the hub and `datasets`, what is in the data, and where it comes from."""

from collections.abc import Iterable
from typing import Any

from tabulate import tabulate

UNKNOWN = "unknown"  # the word of the hub for a licence that is not given
ASK = "unknown: ask the source's owner before publishing"
CONFIGS = ("trl", "sharegpt", "messages")
_SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"))
_OUTCOMES = {
    "kept": "passed all checks as the generator wrote them",
    "regenerated": "a judge replaced the answer, and the new one was judged again",
    "statement": "no call fits, and the answer says so",
    "not_selected": "passed all checks, but another completion of its query was selected",
    "dropped": "failed a check of query, tools or reasoning, or is a repeat",
    "hard": "query and reasoning passed, the call could not be corrected",
}


def card(
    name: str,
    metrics: dict[str, Any],
    steps: list[dict[str, Any]],
    provenance: dict[str, list[tuple[str, str, str]]],
    license: str | None,
) -> str:
    """The text of README.md.

    Args:
        name: The round.
        metrics: The metrics that `build.publish` writes.
        steps: The counts of each step, from the ledger.
        provenance: What the rows were made from.
        license: The licence of the source, None where it is unknown.
    """
    parts = [
        f"---\n{_front_matter(metrics['rows'], license)}---\n",
        f"# Function calls with reasoning, round `{name}`\n",
        _about(metrics),
        f"## Licence\n\nOf the source: {license or ASK}.\n",
        f"## Use\n\n{_use(name, metrics['rows_within_conversations'], metrics['rows_with_names'])}",
        f"## Outcomes\n\n{_outcomes(metrics['outcomes'])}",
        f"## Funnel\n\n{_funnel(steps)}",
        f"## Tokens\n\n{_tokens(metrics['tokens'])}",
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


def _about(metrics: dict[str, Any]) -> str:
    rounds = ", ".join(f"{count} of `{name}`" for name, count in metrics["rows_by_round"].items())
    return (
        "Each row has a query, the tools that may be called, and a completion: `<think>reasoning</think>`, then the\n"
        "calls. FunReason's five checks (FCDR, [arXiv 2505.20192](https://arxiv.org/abs/2505.20192)) refined the\n"
        "rows, and each call fits the JSON Schema of its tool.\n"
        f"{metrics['rows']} rows: {rounds}. An id is `<round>/<row of the source>`.\n"
    )


def _use(name: str, within: int, named: int) -> str:
    history = (
        f"{within} rows continue a conversation (`<row of the source>@<turn>`): all turns before the completion are\n"
        "in the prompt, the calls without their reasoning. Each turn has a row of its own, so train only on the last\n"
        "turn of a row. LLaMA-Factory does so with `mask_history: true`.\n"
    )
    names = (
        f"{named} rows have a tool or a parameter with a name that `[f(a=1)]` cannot spell, such as `get-weather`.\n"
        "`trl/` and `sharegpt/` have an identifier in its place, and the JSON of `names` in these rows leads back:\n"
        "`originals` from each identifier to the name. `messages/` has the names themselves.\n"
    )
    return (
        "| folder | form | for |\n|---|---|---|\n"
        "| `trl/` | `prompt` and `completion` as messages | TRL |\n"
        "| `sharegpt/` | `conversations`, `system` (which holds the tools) | LLaMA-Factory, Axolotl |\n"
        "| `messages/` | `messages` and `tools` as OpenAI's, calls as JSON | other formats of calls |\n\n"
        "```python\n"
        'datasets.load_dataset(REPO_OR_FOLDER, "trl")        # or "sharegpt", "messages"\n'
        "```\n\n"
        f"For LLaMA-Factory set `dataset_dir` to a copy of this folder, and `dataset: funreason_{name}`.\n"
        f"{history if within else ''}{names if named else ''}"
    )


def _outcomes(outcomes: dict[str, int]) -> str:
    rows = [(outcome, count, _OUTCOMES.get(outcome, "")) for outcome, count in outcomes.items()]
    note = "Every row of the round has one outcome. The first three are published, with rows of earlier rounds.\n"
    return f"{markdown_table(rows, ('outcome', 'rows', 'meaning'))}\n{note}"


def _funnel(steps: list[dict[str, Any]]) -> str:
    columns = ("step", "in", "pass", "fail", "undecided", "skip", "regenerated", "not_selected", "dropped", "hard")
    out = [entry["in"] - entry["not_selected"] - entry["dropped"] - entry["hard"] for entry in steps]
    rows = [[*(entry[key] for key in columns), left] for entry, left in zip(steps, out, strict=True)]
    return markdown_table(rows, (*columns, "out"))


def _tokens(tokens: dict[str, Any]) -> str:
    rows = [(part, *(_shown(summary[key]) for key in ("rows", "mean", "median"))) for part, summary in tokens.items()]
    note = "Counted by the student's tokenizer, without special tokens, as in FunReason's Table 1.\n"
    return f"{markdown_table(rows, ('part', 'rows', 'mean', 'median'))}\n{note}"


def _shown(number: int | float | None) -> str:
    return "-" if number is None else f"{number:.2f}" if isinstance(number, float) else str(number)


def _provenance(provenance: dict[str, list[tuple[str, str, str]]]) -> str:
    inputs, prompts = provenance["inputs"], provenance["prompts"]
    return (
        f"{markdown_table(inputs, ('what', 'name', 'content'))}\n{markdown_table(prompts, ('what', 'name', 'content'))}"
    )


def _reproduce(name: str) -> str:
    return (
        "With FunReason-DVC at the commit that was published, and the source and models above:\n\n"
        "```bash\n"
        f"make setup && . .venv/bin/activate && dvc repro publish@{name}\n"
        "```\n\n"
        "Equal inputs give equal bytes. The responses of models are as deterministic as the engine and the machine;\n"
        "`dvc pull` fetches the results of the first run.\n"
    )


def markdown_table(rows: Iterable[Iterable[object]], headers: tuple[str, ...]) -> str:
    """A table in GitHub's Markdown; numbers stand as they are."""
    return tabulate([[str(cell) for cell in row] for row in rows], headers, "github", disable_numparse=True) + "\n"
