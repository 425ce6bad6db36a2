"""The published folder of a set, data/<set>/dataset/: two formats, a card, and metrics/<set>/dataset.json.

Equal inputs give equal bytes: nothing here knows a time, a machine or an absolute path.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import atomic, read_jsonl, write_json, write_jsonl
from funreason.ledger.history import read_ledger, stats
from funreason.llm.refs import load_ref
from funreason.publish.card import card
from funreason.publish.formats import checked, dataset_info, is_conversation, sharegpt
from funreason.publish.provenance import provenance
from funreason.publish.tokens import measure, statistics

STAYING = ("kept", "regenerated", "statement")


def publish(name: str, license: str | None, sampler: str) -> None:
    """Write the folder of set `name` anew, and its metrics. Raises DataError or ModelError.

    `license` is the source's (null: unknown), `sampler` the set whose model wrote its rows, or teacher. The card comes
    last: a folder that has one is whole.
    """
    source, folder = Path(paths.train_rows(name)), Path(paths.dataset(name))
    ledger, outcomes = stats(read_ledger(Path(paths.ledger(name)))), _outcomes(name)
    by_set, within = Counter(), Counter()
    tokens = statistics(_parts(source, by_set, within), measure(load_ref(paths.descriptor("base"))))
    _expect(name, by_set, outcomes, ledger["outcomes"])
    counts = {"rows": by_set.total(), "rows_by_set": dict(by_set), "rows_within_conversations": within[True]}
    found = counts | {"outcomes": outcomes, "tokens": tokens}
    text = card(name, found, ledger["steps"], provenance(sampler), license)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "trl").mkdir(parents=True)
    shutil.copyfile(source, folder / "trl" / "train.jsonl")
    write_jsonl(folder / "sharegpt" / "train.jsonl", map(sharegpt, read_jsonl(source)))
    write_json(folder / "dataset_info.json", dataset_info(name))
    with atomic(folder / "README.md") as file:
        file.write(text)
    write_json(paths.dataset_metrics(name), found)


def _parts(source: Path, by_set: Counter[str], within: Counter[bool]) -> Iterator[tuple[str | None, str]]:
    """(reasoning, result) of each row, counted by the set that its id names, and by whether it goes on with a
    conversation; an id must not come twice.
    """
    seen: set[str] = set()
    for number, row in enumerate(read_jsonl(source), 1):
        reasoning, result = checked(row, f"{source}:{number}")
        if row["id"] in seen:
            raise DataError(f"{source}:{number}: id {row['id']!r} came before; rerun the set's validate stage")
        seen.add(row["id"])
        by_set[row["id"].partition("/")[0]] += 1
        within[is_conversation(row)] += 1
        yield reasoning, result


def _outcomes(name: str) -> dict[str, int]:
    path = Path(paths.step_metrics(name, "validate"))
    try:
        return json.loads(path.read_text(encoding="utf-8"))["outcomes"]
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; run `dvc repro validate@{name}` to make it") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path} has no outcomes; run `dvc repro --force validate@{name}` to write it anew") from None


def _expect(name: str, by_set: Counter[str], outcomes: dict[str, int], followed: dict[str, int]) -> None:
    """Rows, metrics and ledger tell of one run. Raises DataError where they do not, or where there is no row."""
    if not by_set:
        raise DataError(f"{paths.train_rows(name)} holds no rows: nothing to publish; {paths.ledger(name)} says why")
    staying = sum(outcomes.get(outcome, 0) for outcome in STAYING)
    if outcomes != followed or by_set[name] != staying:
        raise DataError(
            f"round {name}: {by_set[name]} rows of its own, outcomes {outcomes} in the metrics and {followed} in the "
            f"ledger do not belong together; run `dvc repro --force validate@{name}`"
        )
