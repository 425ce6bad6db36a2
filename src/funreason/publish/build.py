"""The published folder of a round, data/<round>/dataset/: its formats and a card; with metrics/<round>/dataset.json.

Equal inputs give equal bytes: nothing here depends on the time, the machine or an absolute path.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import JsonObject, atomic, read_jsonl, unwrapped, write_details, write_json, write_jsonl
from funreason.ledger.history import read_ledger, stats
from funreason.llm.refs import load_ref
from funreason.publish.card import card
from funreason.publish.formats import (
    continues_conversation,
    dataset_info,
    has_earlier_reasoning,
    reasoning_and_result,
    sharegpt,
    with_earlier_reasoning,
    with_names,
)
from funreason.publish.messages import openai_messages
from funreason.publish.provenance import provenance
from funreason.publish.tokens import token_counter, token_statistics

FORMS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "trl": lambda row: row,
    "sharegpt": sharegpt,
    "messages": openai_messages,
}
PUBLISHED = ("kept", "regenerated", "statement")  # outcomes of the rows that a round publishes


def publish(name: str, license: str | None, generator: str) -> None:
    """Write the published folder of a round anew, and its metrics.

    Args:
        name: The round.
        license: The licence of the source, None where it is unknown.
        generator: The round whose model wrote the rows, or teacher.

    Raises:
        DataError: Rows, metrics and ledger are missing, malformed, or not of one run.
        ModelError: The tokenizer of models.base cannot be loaded.
    """
    source = Path(paths.train_rows(name))
    ledger, outcomes = stats(read_ledger(Path(paths.ledger(name)))), _outcomes(name)
    by_round: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    completions = _completions(source, by_round, kinds)
    tokens = token_statistics(completions, token_counter(load_ref(paths.descriptor("base"))))
    _check_one_run(name, by_round, outcomes, ledger["outcomes"])
    metrics = {
        "rows": by_round.total(),
        "rows_by_round": dict(by_round),
        "rows_within_conversations": kinds["within_conversation"],
        "rows_with_names": kinds["with_names"],
        "outcomes": outcomes,
        "tokens": tokens,
    }
    text = card(name, metrics, ledger["steps"], provenance(generator), license)
    _write_folder(name, source, Path(paths.dataset(name)), text, kinds)
    write_details(paths.dataset_metrics(name), metrics)


def _write_folder(name: str, source: Path, folder: Path, text: str, kinds: Counter[str]) -> None:
    """The card comes last: a folder that has one is complete."""
    shutil.rmtree(folder, ignore_errors=True)
    for config in FORMS:
        rows = (_formed(row, config, kinds) for row in read_jsonl(source))
        write_jsonl(folder / config / "train.jsonl", rows)
    write_json(folder / "dataset_info.json", dataset_info(name))
    with atomic(folder / "README.md") as file:
        file.write(text)


def _formed(row: JsonObject, config: str, kinds: Counter[str]) -> JsonObject:
    """A row in one of the forms. A file whose rows differ in their columns does not load: what one has, all have."""
    new = FORMS[config](row)
    if config == "trl" and kinds["with_earlier_reasoning"]:
        new = with_earlier_reasoning(new)
    return with_names(new, row) if config != "messages" and kinds["with_names"] else new


def _completions(source: Path, by_round: Counter[str], kinds: Counter[str]) -> Iterator[tuple[str | None, str]]:
    """Yield (reasoning, result) of each row, and count it: by the round in its id, and by what it has."""
    seen: set[str] = set()
    for number, row in enumerate(read_jsonl(source), 1):
        reasoning, result = reasoning_and_result(row, f"{source}:{number}")
        if row["id"] in seen:
            raise DataError(f"{source}:{number}: id {row['id']!r} is repeated; rerun the stage validate of the round")
        seen.add(row["id"])
        by_round[row["id"].partition("/")[0]] += 1
        kinds["within_conversation"] += continues_conversation(row)
        kinds["with_names"] += bool(row.get("names"))
        kinds["with_earlier_reasoning"] += has_earlier_reasoning(row)
        yield reasoning, result


def _outcomes(name: str) -> dict[str, int]:
    path = Path(paths.step_metrics(name, "validate"))
    try:
        return unwrapped(json.loads(path.read_text(encoding="utf-8")))["outcomes"]
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; run `dvc repro validate@{name}` to make it") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path} has no outcomes; run `dvc repro --force validate@{name}` to write it anew") from None


def _check_one_run(
    name: str, by_round: Counter[str], outcomes: dict[str, int], ledger_outcomes: dict[str, int]
) -> None:
    """Raise DataError where rows, metrics and ledger are not of one run, or where there are no rows."""
    if not by_round:
        raise DataError(f"{paths.train_rows(name)} holds no rows: nothing to publish; {paths.ledger(name)} says why")
    published = sum(outcomes.get(outcome, 0) for outcome in PUBLISHED)
    if outcomes != ledger_outcomes or by_round[name] != published:
        raise DataError(
            f"round {name}: {by_round[name]} rows of its own, outcomes {outcomes} in the metrics and "
            f"{ledger_outcomes} in the ledger do not belong together; run `dvc repro --force validate@{name}`"
        )
