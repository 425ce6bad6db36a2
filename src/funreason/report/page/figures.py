"""The figures of a run from its metrics files: accuracies, cost, funnels, judges, trainings."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from funreason.core import paths
from funreason.core.jsonio import JsonObject
from funreason.report.page.ceilings import gold_ceiling
from funreason.report.page.sources import Source, json_of, table_of

_MEASURES = ("accuracy", "pass@1")
_INTERVAL = ("low", "high", "correct", "n", "partial", "unreadable", "cut", "gold")
_USAGE = ("requests", "prompt_tokens", "completion_tokens", "cost")


def accuracies(files: Source, name: str) -> list[JsonObject]:
    """Every accuracy that was measured of a model.

    Args:
        files: the state of the project.
        name: the round, or base for the untrained model.

    Returns:
        [{"suite": path of keys, "value", "low", "high", "n", …}] in the order of the files; "gold" is what the
        benchmark's own gold answers reach.
    """
    calls, code = json_of(files, paths.accuracy(name, "bfcl")), json_of(files, paths.accuracy(name, "code"))
    version = str((calls.get("bfcl") or {}).get("version", ""))
    return [_beside_gold(entry, version) for entry in _measured(calls, ())] + [*_measured(code, ("code",))]


def _beside_gold(entry: JsonObject, version: str) -> JsonObject:
    """The accuracy with that of the official gold answers, where the metrics have none and it is known."""
    ceiling = entry.get("gold", gold_ceiling(entry["suite"], version))
    return entry if ceiling is None else entry | {"gold": ceiling}


def _measured(value: Any, path: tuple[str, ...]) -> Iterator[JsonObject]:
    if not isinstance(value, dict):
        return
    measure = next((name for name in _MEASURES if isinstance(value.get(name), int | float)), None)
    if measure and "n" in value:
        entry = {"suite": ".".join(path), "value": value[measure]}
        yield entry | {key: value[key] for key in _INTERVAL if key in value}
    for key, part in value.items():
        if not (path[-1:] == ("when_to_call",) and "relevance" in key):  # categories, which come under their own names
            yield from _measured(part, path if key == "categories" else (*path, key))


def costs(files: Source, name: str) -> list[JsonObject]:
    """What models were asked in the stages of a round: [{"stage", "requests", "prompt_tokens", …}]."""
    entries = []
    for file in files.names(paths.metrics_folder(name)):
        if file.endswith(".json"):
            usage = json_of(files, f"{paths.metrics_folder(name)}/{file}").get("llm")
            if isinstance(usage, dict):
                stage = file.removesuffix(".json").lstrip("0123456789_")
                entries.append({"stage": stage} | {key: usage.get(key, 0) for key in _USAGE})
    return entries


def judges(files: Source, name: str) -> JsonObject:
    """How the checks of a round decided, and what is known of their judges.

    Returns:
        {"checks": {check: its metrics}, "planted": {defect: …}, "confusion": [{"planted", "caught_by", "rows"}]}.
    """
    checks = {check: json_of(files, paths.step_metrics(name, check)) for check in paths.CHECKS}
    pairs = Counter((str(row["planted"]), str(row["caught_by"])) for row in table_of(files, paths.confusion(name)))
    rows = [{"planted": planted, "caught_by": caught, "rows": n} for (planted, caught), n in sorted(pairs.items())]
    planted = json_of(files, paths.step_metrics(name, "validate")).get("planted", {})
    return {"checks": {check: part for check, part in checks.items() if part}, "planted": planted, "confusion": rows}


def training(files: Source, name: str) -> JsonObject:
    """The curves and figures of a training; empty lists where there are none."""
    return {
        "figures": json_of(files, paths.train_metrics(name)),
        "loss": table_of(files, paths.loss_curve(name)),
        "heldout": table_of(files, paths.heldout_curve(name)),
    }


def models(files: Source) -> list[JsonObject]:
    """The models of the run: [{"role", "name", "identity"}]."""
    descriptors = {role: json_of(files, paths.descriptor(role)) for role in ("teacher", "base")}
    named = {f"judge: {name}": ref for name, ref in json_of(files, paths.JUDGES).items()}
    roles = {"teacher": descriptors["teacher"], **named, "student": descriptors["base"]}
    return [
        {
            "role": role,
            "name": ref.get("path") or ref.get("hub") or ref.get("model") or "",
            "identity": str(ref.get("revision") or ref.get("identity") or ""),
        }
        for role, ref in roles.items()
        if isinstance(ref, dict) and ref
    ]
