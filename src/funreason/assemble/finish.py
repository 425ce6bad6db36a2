"""The end of the chain: validation, the pools, the ledger of the round, its metrics, and the set to train on.

Row by row, all files side by side: a round of a million rows takes no more memory than one of ten thousand, but for one
hash and one id per row.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from funreason.assemble.step_reasoning import StepReasoning
from funreason.assemble.training_set import refuse_empty, replayed, training_row
from funreason.assemble.validate import Validator
from funreason.config import RecipeParams, RoundParams
from funreason.core import paths
from funreason.core.jsonio import JsonlWriter, read_details, read_jsonl, write_csv, write_jsonl
from funreason.core.records import Task
from funreason.ledger.files import read_results, read_step, read_tasks, row_ids, write_metrics
from funreason.ledger.metrics import RoundMetrics
from funreason.ledger.outcomes import (
    POOLS,
    HistoryReader,
    RowHistory,
    check_outcomes,
    check_source,
    is_left_hard,
)
from funreason.ledger.planted import Labels
from funreason.ledger.results import CheckResult

POOL_OF = {outcome: pool for pool, outcomes in POOLS.items() for outcome in outcomes}


def finish(name: str, round_params: RoundParams, recipe: RecipeParams, labels: str) -> None:
    """Read all steps of a round; write its pools, ledger, hard tasks, metrics and training rows.

    Everything but the training rows is written before a round without rows fails: it is what the user has to look at.

    Args:
        name: The round.
        round_params: Its block of params.yaml.
        recipe: How its rows are selected, and how many earlier ones are replayed.
        labels: The file of planted defects, or `paths.NOTHING`.

    Raises:
        DataError: A row was lost, the counts do not add up, or no row is left to train on.
    """
    validator = Validator(recipe.selection, statements=round_params.recipe != "hdr")
    round_metrics, reasoning = RoundMetrics(paths.STEPS, Labels.read(labels)), StepReasoning()
    with JsonlWriter(paths.train_rows(name)) as train:
        for row in replayed(read_jsonl(round_params.replay), recipe.replay_fraction):
            train.write(row)
        _write_rows(name, round_params, recipe, validator, round_metrics, reasoning, train)
        metrics = round_metrics.metrics(validator.kinds) | {"step_reasoning": reasoning.metrics()}
        if labels != paths.NOTHING:
            metrics["planted"] = round_metrics.planted.metrics()
        write_metrics(name, paths.STEPS[-1], metrics)
        write_csv(paths.funnel(name), ("step", "rows"), round_metrics.funnel())
        write_csv(paths.confusion(name), ("planted", "caught_by"), round_metrics.planted.confusion())
        refuse_empty(name, round_metrics.outcome_counts())


def _write_rows(
    name: str,
    round_params: RoundParams,
    recipe: RecipeParams,
    validator: Validator,
    round_metrics: RoundMetrics,
    reasoning: StepReasoning,
    train: JsonlWriter,
) -> None:
    """Write ledger, pools, hard tasks and the training rows of the round."""
    last_ledger = Path(paths.data_folder(name), ".validate.ledger.jsonl")
    with ExitStack() as stack:
        stack.callback(last_ledger.unlink, missing_ok=True)
        pools = {pool: stack.enter_context(JsonlWriter(paths.pool(name, pool))) for pool in POOLS}
        hard = stack.enter_context(JsonlWriter(paths.hard_pool(name)))
        with JsonlWriter(last_ledger) as ledger:
            for task, histories in _queries(name, round_params, recipe.samples):
                histories = _validated(validator, ledger, histories)
                round_metrics.add(task.id, histories, _is_given(round_params, task))
                reasoning.add(histories)
                for history in histories:
                    pools[POOL_OF[history.outcome().name]].write(history.to_pool_row())
                    if history.goes_on and history.sample:
                        train.write(training_row(name, reasoning.filled(history.sample)))
                if is_left_hard(histories, any_failure=round_params.recipe == "hdr"):
                    round_metrics.hard += 1
                    hard.write(task.to_row())
        write_jsonl(paths.pool(name, "quarantined"), read_jsonl(paths.QUARANTINE))
        write_jsonl(paths.ledger(name), _ledger_lines(name, last_ledger))
    check_outcomes(round_metrics.outcome_counts(), round_metrics.rows)
    if round_params.tasks == paths.TASKS:
        check_source(round_metrics.queries, read_details(paths.PREPARE_METRICS))


def _queries(name: str, round_params: RoundParams, samples: int) -> Iterator[tuple[Task, list[RowHistory]]]:
    """Each task with the histories of its rows up to the last step. Raises DataError where a row is lost."""
    reader = HistoryReader([read_step(name, step) for step in paths.STEPS[:-1]])
    for task in read_tasks(round_params.tasks):
        yield task, [reader.read(row) for row in row_ids(task, samples, round_params.recipe == "distill")]
    reader.end()


def _is_given(round_params: RoundParams, task: Task) -> bool:
    return round_params.recipe == "distill" and task.response is not None


def _validated(validator: Validator, ledger: JsonlWriter, histories: list[RowHistory]) -> list[RowHistory]:
    """The histories of one query, with the last step for the rows that came so far."""
    arrived = [history for history in histories if history.goes_on]
    results = {result.id: result for result in validator.results(arrived)}
    for result in results.values():
        ledger.write(result.to_row())
    return [history.then(results[history.id]) if history.id in results else history for history in histories]


def _ledger_lines(name: str, last_ledger: Path) -> Iterator[dict]:
    """The ledgers of all steps, one after the other."""
    steps = [read_results(name, step) for step in paths.STEPS[:-1]]
    last = map(CheckResult.from_row, read_jsonl(last_ledger))
    yield from (result.to_row() for result in chain(*steps, last))
