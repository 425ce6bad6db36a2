"""The end of the chain: the last, judgeless step, the accounts, the pools, and the set to train on.

Row by row, all files side by side: a set of a million rows takes no more memory than one of ten thousand, but for a
hash and an id a row.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from funreason.assemble.selection import replayed
from funreason.assemble.training_set import refuse_empty, training_row
from funreason.assemble.validate import Validator
from funreason.config import RecipeParams, RoundParams
from funreason.core import paths
from funreason.core.jsonio import JsonlWriter, read_json, read_jsonl, write_csv, write_jsonl
from funreason.core.records import Task, Verdict
from funreason.ledger.account import Account
from funreason.ledger.files import read_step, read_tasks, read_verdicts, write_metrics
from funreason.ledger.planted import Labels
from funreason.ledger.pools import POOLS, Chain, Way, check_fates, check_source, left_hard
from funreason.refine.generate import sample_ids

POOL_OF = {fate: pool for pool, fates in POOLS.items() for fate in fates}


def finish(name: str, chosen: RoundParams, kind: RecipeParams, labels: str) -> None:
    """Read all steps of a set, write its pools, ledger, hard tasks, metrics and training rows. Raises DataError.

    Everything but the training rows is written before an empty set fails: it is what the user has to look at.
    """
    account = Account(paths.STEPS, Labels.read(labels))
    with JsonlWriter(paths.train_rows(name)) as train:
        for row in replayed(read_jsonl(chosen.replay), kind.replay_fraction):
            train.write(row)
        problems = _sorted_out(name, chosen, kind, account, train)
        found = account.metrics(problems)
        if labels != paths.NOTHING:
            found["planted"] = account.planted.metrics()
        write_metrics(name, paths.STEPS[-1], found)
        write_csv(paths.funnel(name), ("step", "rows"), account.funnel())
        write_csv(paths.confusion(name), ("planted", "found"), account.planted.confusion())
        refuse_empty(name, account.counted())


def _sorted_out(
    name: str, chosen: RoundParams, kind: RecipeParams, account: Account, train: JsonlWriter
) -> Counter[str]:
    """Write ledger, pools and hard tasks, and the training rows of the set; returns the kinds of misfits."""
    validator = Validator(kind.selection, chosen.recipe != "hdr")
    last = Path(paths.data_folder(name), ".validate.ledger.jsonl")
    with ExitStack() as stack:
        stack.callback(last.unlink, missing_ok=True)
        pools = {pool: stack.enter_context(JsonlWriter(paths.pool(name, pool))) for pool in POOLS}
        hard = stack.enter_context(JsonlWriter(paths.hard_pool(name)))
        with JsonlWriter(last) as verdicts:
            for task, ways in _queries(name, chosen, kind.samples):
                ways = _validated(validator, verdicts, ways)
                account.add(task.id, ways, _is_given(chosen, task))
                for fate in (way.fate() for way in ways):
                    pools[POOL_OF[fate.fate]].write(fate.to_row())
                for way in ways:
                    if way.goes_on:
                        train.write(training_row(name, way.sample))
                if left_hard(ways, chosen.recipe == "hdr"):
                    account.hard += 1
                    hard.write(task.to_row())
        write_jsonl(paths.pool(name, "quarantined"), read_jsonl(paths.QUARANTINE))
        write_jsonl(paths.ledger(name), _ledger(name, last))
    check_fates(account.counted(), account.rows)
    if chosen.tasks == paths.TASKS:
        check_source(account.queries, read_json(paths.PREPARE_METRICS))
    return validator.kinds


def _queries(name: str, chosen: RoundParams, samples: int) -> Iterator[tuple[Task, list[Way]]]:
    """Each task with the ways of its rows up to the last step. Raises DataError where a row is lost."""
    steps = Chain([read_step(name, step) for step in paths.STEPS[:-1]])
    for task in read_tasks(chosen.tasks):
        yield task, [steps.way(row) for row in sample_ids(task, samples, chosen.recipe == "distill")]
    steps.end()


def _is_given(chosen: RoundParams, task: Task) -> bool:
    return chosen.recipe == "distill" and task.response is not None


def _validated(validator: Validator, verdicts: JsonlWriter, ways: list[Way]) -> list[Way]:
    """The ways of one query with the last step, for those that came so far."""
    came = [way for way in ways if way.goes_on]
    last = {verdict.id: verdict for verdict in validator.verdicts(came)}
    for verdict in last.values():
        verdicts.write(verdict.to_row())
    return [way.then(last[way.id]) if way.id in last else way for way in ways]


def _ledger(name: str, last: Path) -> Iterator[dict]:
    """The ledgers of all steps, one after the other."""
    steps = [read_verdicts(name, step) for step in paths.STEPS[:-1]]
    yield from (verdict.to_row() for verdict in chain(*steps, map(Verdict.from_row, read_jsonl(last))))
