"""All that the page shows of one state of the project, as one JSON object."""

from collections.abc import Mapping
from typing import Any

from funreason.config.yamlio import yaml
from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import JsonObject
from funreason.report.gate import MEASURES
from funreason.report.page.answers import answers, pairs
from funreason.report.page.figures import accuracies, costs, judges, models, training
from funreason.report.page.rows import LIMIT, round_rows
from funreason.report.page.sources import Source, json_of, table_of

_ROUND_FIELDS = ("recipe", "generator", "init")


def params_of(files: Source) -> JsonObject:
    """The content of params.yaml of a state, unchecked: it may be of another version."""
    file = files.open(paths.PARAMS)
    if file is None:
        return {}
    with file:
        values = yaml().load(file)
    return values if isinstance(values, dict) else {}


def collect_round(files: Source, name: str, labels: str, limit: int | None = LIMIT) -> JsonObject:
    """The rows and answers of a round; of `base` only the answers.

    Args:
        files: the state of the project.
        name: the round, or base for the untrained model.
        labels: the file of planted defects, as validate.labels.
        limit: as in `round_rows`.
    """
    part: JsonObject = {"answers": answers(files, name)}
    if name == "base":
        return part
    return part | round_rows(files, name, labels, limit) | {"tokens": json_of(files, paths.token_losses(name))}


def collect_run(files: Source, rounds: Mapping[str, Any], measure: str, parts: Mapping[str, JsonObject]) -> JsonObject:
    """All figures of a state beside the rows of its rounds.

    Args:
        files: the state of the project.
        rounds: name → parameters of the round, in the order of the chain.
        measure: toy or bfcl, as gate.measure.
        parts: name → what `collect_round` gave, base included.
    """
    names = [name for name in rounds if files.names(paths.metrics_folder(name))]
    run: JsonObject = {
        "state": files.name,
        "measure": ".".join((*MEASURES[measure], "calls_wanted")),
        "models": models(files),
        "source": json_of(files, paths.SOURCE),
        "prepare": json_of(files, paths.PREPARE_METRICS),
        "overlaps": json_of(files, paths.DECONTAMINATE_METRICS),
        "rounds": [_round(files, name, rounds[name], parts.get(name, {})) for name in names],
        "base": {"accuracies": accuracies(files, "base"), "costs": costs(files, "base")},
        "answers": {name: parts.get(name, {}).get("answers", []) for name in ("base", *names)},
    }
    run["pairs"] = [
        {"before": before, "after": name, "suites": pairs(run["answers"].get(before, []), run["answers"][name])}
        for name in names
        for before in dict.fromkeys(("base", _value(rounds[name], "init")))
    ]
    return run


def _round(files: Source, name: str, round_params: Any, part: JsonObject) -> JsonObject:
    validated = json_of(files, paths.step_metrics(name, "validate"))
    rows = {key: part.get(key, empty) for key, empty in (("total", 0), ("rows", []), ("tasks", {}), ("tools", []))}
    return {
        "name": name,
        **{field: _value(round_params, field) for field in _ROUND_FIELDS},
        "sampled": rows["total"] > len(rows["rows"]),
        "outcomes": validated.get("outcomes", {}),
        "validate": validated,
        "funnel": table_of(files, paths.funnel(name)),
        "accuracies": accuracies(files, name),
        "costs": costs(files, name),
        "retention": json_of(files, paths.code_retention(name)),
        "judges": judges(files, name),
        "training": training(files, name),
        "tokens": part.get("tokens", {}),
        "by_tool": part.get("by_tool", {}),
        **rows,
    }


def _value(round_params: Any, field: str) -> str:
    value = round_params.get(field) if isinstance(round_params, dict) else getattr(round_params, field, None)
    return str(value or "")


def collect_state(files: Source, limit: int | None = LIMIT) -> JsonObject:
    """Everything of a state from its own files, as `funreason report` shows it.

    Args:
        files: the state of the project.
        limit: as in `round_rows`.

    Raises:
        DataError: the state has no rounds in a params.yaml.
    """
    params = params_of(files)
    rounds = params.get("rounds") or {}
    if not rounds:
        raise DataError(f"{files.name} has no {paths.PARAMS} with rounds; name another state, or run `dvc repro` first")
    labels = (params.get("validate") or {}).get("labels") or paths.NOTHING
    measure = (params.get("gate") or {}).get("measure", "toy")
    parts = {name: collect_round(files, name, labels, limit) for name in ("base", *rounds)}
    return collect_run(files, rounds, measure if measure in MEASURES else "toy", parts)
