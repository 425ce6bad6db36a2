"""The model card: what the model was trained from and on, what it reached, how to serve it, what nobody has tried."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from funreason.config import Params
from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import read_details, read_json
from funreason.publish.card import ASK, UNKNOWN, markdown_table
from funreason.publish.provenance import shown_model

_BENCHMARKS = ("bfcl", "code")
_VALUES = ("accuracy", "pass@1")
_LEFT_OUT = ("categories", "strict", "calls_wanted", "no_call_wanted")  # parts of the figures around them
_UNTRIED = (
    "Languages, domains and tools other than those of the data and the benchmarks above.",
    "Adversarial users and tools: texts cannot forge turns, but nothing keeps a model from believing what they say.",
    "Calls with effects. Check each call before it runs, and ask a person where it cannot be undone.",
    "Sampling other than greedy, quantised weights, and servers other than vLLM.",
)


def model_card(name: str, params: Params, license: str | None) -> str:
    """The text of README.md of a round's model.

    Args:
        name: The round.
        params: The parameters of the project.
        license: The licence of the model, None where nobody named one.

    Raises:
        DataError: The round has no metrics, or the base model no descriptor.
    """
    train, validate = read_details(paths.train_metrics(name)), read_details(paths.step_metrics(name, "validate"))
    base, identity = shown_model(read_json(paths.descriptor("base")))
    figures = [
        (f"{benchmark}, {label}", *row) for benchmark in _BENCHMARKS for label, *row in _figures(name, benchmark)
    ]
    if not figures:
        remedy = f"run `dvc repro evaluate_bfcl@{name} evaluate_code@{name}`"
        raise DataError(f"{paths.metrics_folder(name)} has no accuracies: {remedy}")
    parts = [
        f"---\n{_front_matter(base, license)}---\n",
        f"# Function calls with reasoning: the model of round `{name}`\n",
        "It answers with `<think>reasoning</think>`, then calls `[f(a=1)]`, or says why no tool fits.\n",
        f"## Base\n\n`{base}`, content `{identity}`.\n",
        f"## Data\n\n{_data(train, validate)}",
        f"## Training\n\n{_training(params, train)}",
        f"## Results\n\n{markdown_table(figures, ('benchmark', '%', '95 % interval', 'n'))}\n"
        "By the official scorers, greedy. Toy suites show that the pipeline works, not what a model is worth.\n",
        f"## Licences\n\n{_licences(params, license)}",
        f"## Serve\n\n{_serve()}",
        "## Not tested for\n\n" + "".join(f"- {line}\n" for line in _UNTRIED),
    ]
    return "\n".join(parts)


def _front_matter(base: str, license: str | None) -> str:
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        license=license or UNKNOWN,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["function-calling", "tool-use", "reasoning", "funreason"],
        base_model=base if "/" in base else None,
    )
    return data.to_yaml() + "\n"


def _data(train: dict[str, Any], validate: dict[str, Any]) -> str:
    rows = train["rows"]
    table = markdown_table(validate["outcomes"].items(), ("outcome of a row of the round", "rows"))
    return (
        f"{rows['used']} rows were trained on, {rows['heldout']} held out; tokens: {train['tokens']['think']} of\n"
        f"reasoning, {train['tokens']['result']} of results. Where the rows come from, the data card says.\n\n{table}"
    )


def _training(params: Params, train: dict[str, Any]) -> str:
    block = params.train
    rows = [
        *(_rewards(params, train) if train.get("method") == "grpo" else _losses(params, train)),
        ("adapters", f"LoRA rank {block.lora.rank}, merged" if block.lora.rank else "none: all weights"),
        ("seed", block.seed),
    ]
    return markdown_table(rows, ("what", "value"))


def _losses(params: Params, train: dict[str, Any]) -> list[tuple[str, Any]]:
    block, losses, heldout = params.train, train["loss"], train.get("heldout") or {}
    return [
        ("loss", params.loss.kind),
        ("weight of the reasoning (λ)", f"{train.get('weight')} at the end"),
        ("final losses (reasoning, result)", f"{losses.get('think', '-')}, {losses.get('result', '-')}"),
        ("held-out losses", f"{heldout.get('think', '-')}, {heldout.get('result', '-')}"),
        ("epochs, batch, learning rate", f"{block.epochs}, {block.batch_size}, {block.learning_rate}"),
    ]


def _rewards(params: Params, train: dict[str, Any]) -> list[tuple[str, Any]]:
    grpo, samples = params.grpo, train["samples"]
    return [
        ("method", "GRPO, from the start model of the round"),
        ("reward", f"{grpo.reward}; mean at the end {samples.get('reward', '-')}"),
        ("exact calls among the last samples", samples.get("exact", "-")),
        ("samples per prompt, weight of the KL divergence", f"{grpo.samples}, {grpo.kl}"),
        ("prompts per step, learning rate", f"{grpo.prompts}, {grpo.learning_rate}"),
    ]


def _figures(name: str, benchmark: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield (label, percent, interval, number of questions) of each accuracy with an interval."""
    path = Path(paths.accuracy(name, benchmark))
    if path.exists():
        yield from _inside(read_details(path), "all")


def _inside(node: Any, label: str) -> Iterator[tuple[str, str, str, str]]:
    if not isinstance(node, dict):
        return
    value = next((node[key] for key in _VALUES if isinstance(node.get(key), int | float)), None)
    if value is not None and {"low", "high", "n"} <= node.keys():
        yield label, f"{100 * value:.1f}", f"{100 * node['low']:.1f}–{100 * node['high']:.1f}", str(node["n"])
    for key, inner in node.items():
        if key not in _LEFT_OUT:
            yield from _inside(inner, key if label == "all" else f"{label}, {key}")


def _licences(params: Params, license: str | None) -> str:
    rows = [("model", license or ASK), ("source of the data", params.data.license or ASK), ("base", "see its own card")]
    return markdown_table(rows, ("of", "licence"))


def _serve() -> str:
    return (
        "The chat template takes OpenAI's `tools=` and renders them as in training. With FunReason-DVC installed:\n\n"
        "```bash\nfunreason serve FOLDER_OR_REPO\n```\n\n"
        "or, with the same parsers, `vllm serve FOLDER_OR_REPO --enable-auto-tool-choice\n"
        "--tool-parser-plugin funreason.serve.plugin --tool-call-parser funreason\n"
        "--reasoning-parser-plugin funreason.serve.plugin --reasoning-parser funreason`. Ask it greedily\n"
        "(`temperature` 0), as it was evaluated.\n"
    )
