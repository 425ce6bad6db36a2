"""The end of the chain: the last, judgeless step, the accounts, the pools, and the set to train on.

Row by row, all files side by side: a set of a million rows takes no more memory than one of ten thousand, but for a
hash and an id a row.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path

from funreason.errors import DataError
from funreason.generate import sample_ids
from funreason.params import NOTHING
from funreason.records import JsonlWriter, Verdict, read_jsonl, write_csv, write_jsonl
from funreason.refine.account import Account
from funreason.refine.dataset import refuse_empty, training_row
from funreason.refine.files import STEMS, data, metrics, read_step, read_tasks, read_verdicts, write_metrics
from funreason.refine.planted import Labels
from funreason.refine.pools import POOLS, Chain, Way, check_sum
from funreason.refine.validate import Validator

PREPARED = "metrics/prepare.json"
QUARANTINE = "data/quarantine.jsonl"
POOL_OF = {fate: pool for pool, fates in POOLS.items() for fate in fates}


def finish(name: str, samples: int, keep_given: bool, earlier: str, labels: str) -> None:
    """Read all steps of a set, write its pools, ledger, metrics and training rows. Raises DataError.

    Everything but the training rows is written before an empty set fails: it is what the user has to look at.
    """
    account = Account([stem.partition("_")[2] for stem in STEMS], Labels.read(labels))
    with JsonlWriter(data(name) / "train.jsonl") as train:
        for row in read_jsonl(earlier):
            train.write(row)
        problems = _sorted_out(name, samples, keep_given, account, train)
        found = account.metrics(problems)
        if labels != NOTHING:
            found["planted"] = account.planted.metrics()
        write_metrics(name, STEMS[-1], found)
        write_csv(metrics(name) / "funnel.csv", ("step", "rows"), account.funnel())
        write_csv(metrics(name) / "confusion.csv", ("planted", "found"), account.planted.confusion())
        refuse_empty(name, account.counted())


def _sorted_out(name: str, samples: int, keep_given: bool, account: Account, train: JsonlWriter) -> Counter[str]:
    """Write ledger and pools, and the training rows of the set; returns the kinds of misfits."""
    validator, last = Validator(), data(name) / ".validate.ledger.jsonl"
    with ExitStack() as stack:
        stack.callback(last.unlink, missing_ok=True)
        pools = {pool: stack.enter_context(JsonlWriter(_pool(name, pool))) for pool in POOLS}
        with JsonlWriter(last) as verdicts:
            for way in _ways(name, samples, keep_given, account, partial(_validated, validator, verdicts)):
                fate = way.fate()
                pools[POOL_OF[fate.fate]].write(fate.to_row())
                if way.goes_on:
                    train.write(training_row(name, way.sample))
        write_jsonl(_pool(name, "quarantined"), read_jsonl(QUARANTINE))
        write_jsonl(data(name) / "ledger.jsonl", _ledger(name, last))
    return validator.kinds


def _ways(
    name: str, samples: int, keep_given: bool, account: Account, validated: Callable[[Way], Way]
) -> Iterator[Way]:
    """Each row from its task to its end, counted. Raises DataError where one is lost, or the sums are wrong."""
    steps, tasks = Chain([read_step(name, stem) for stem in STEMS[:-1]]), 0
    for task in read_tasks():
        tasks, given = tasks + 1, keep_given and task.response is not None
        for row in sample_ids(task, samples, keep_given):
            way = steps.way(row)
            way = validated(way) if way.goes_on else way
            account.add(way, task.id, given)
            yield way
    steps.end()
    check_sum(account.counted(), account.rows, tasks, _prepared())


def _validated(validator: Validator, verdicts: JsonlWriter, way: Way) -> Way:
    outcome = validator.outcome(way.sample)
    verdicts.write(outcome.verdict.to_row())
    return way.then(outcome.verdict, outcome.sample)


def _ledger(name: str, last: Path) -> Iterator[dict]:
    """The ledgers of all steps, one after the other."""
    steps = [read_verdicts(name, stem) for stem in STEMS[:-1]]
    yield from (verdict.to_row() for verdict in chain(*steps, map(Verdict.from_row, read_jsonl(last))))


def _pool(name: str, pool: str) -> Path:
    return data(name) / "pools" / f"{pool}.jsonl"


def _prepared() -> dict:
    try:
        with open(PREPARED, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise DataError(f"{PREPARED} does not exist; run `dvc repro prepare` to make it") from None
