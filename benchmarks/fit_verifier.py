"""Fits the verifier of the heuristics on labelled rows, and measures it on rows of tools that it has not seen.

    pip install scikit-learn==1.9.1
    python benchmarks/fit_verifier.py ../shared/data/real [--write | --check]

Rows: the real ones (see real_rows.py), sound ones with a planted defect (defects.py), and cases of the toy world. Five
folds; all rows whose tools have a name in common are in one fold. Prints what the scores of left-out folds are worth;
with --write, fits on all rows and replaces src/funreason/heuristics/verifier.json; with --check, fits on all rows and
fails where that file is not byte for byte the same.
"""

import argparse
import csv
import gc
import json
import sys
from collections import Counter
from functools import cache
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from fit_values import SOUND, Features, Part, array, fit_parts, habits_of_others, labelled_places, labelled_values
from real_rows import REFERENCE, RealRow, mean_evidence, planted_truth, read_real_rows
from refine_real import is_callable
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from tabulate import tabulate

from funreason.config import load_params
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.heuristics.comparison import Comparison
from funreason.heuristics.evidence import evidence
from funreason.heuristics.habits import Habits
from funreason.heuristics.looked_at import LookedAt, look_at
from funreason.heuristics.omissions import Omissions
from funreason.heuristics.value_features import ValueFeatures
from funreason.heuristics.verifier import OMITTED, VALUE, VERIFIED, Tree, of_scores
from funreason.refine.defects import OF_ANSWERS, OF_REASONING, plant_defects
from funreason.toy.judging import sample_judged
from funreason.toy.tools import split

TARGET = Path(__file__).parents[1] / "src" / "funreason" / "heuristics" / "verifier.json"
READINGS = Path(__file__).with_name("readings.csv")  # of BFCL's wrong answers, see docs/heuristics.md
FOLDS, MODELS = 5, 3
RULED = ("wrong type", "required left out", "unknown argument")  # the schema tells
# Weight of a row; where a defect or a toy row stands beside real answers with a verdict, it must not outweigh them.
WEIGHTS = {"gold": 0.5, "right": 1.0, "wrong": 2.0, "uncalled": 1.0, "planted": 0.25, "toy": 0.1}
PLANTED_BESIDE_VERDICTS = (
    0.05  # in the model of calls with a reasoning, the one that has real wrong calls to learn from
)
PLANTED = {"gold": 300, "right": 200}  # rows of each kind of defect; with 1,200 and 400, less is removed at 3 % lost
FRACTIONS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
# Evidence of which more can only be worse, or better: what the trees may not turn round.
WORSE = (
    "absent", "unserved", "worst_call", "repeated", "missing", "competing", "replaced", "cut_word", "partly", "swapped",
    "form", "unused", "off_example", "best_other", "cot_maybe", "cot_but", "cot_wait", "cot_assume", "cot_refuse",
    "cot_or", "cot_ask", "cot_cannot", "cot_late", "cot_lacks", "cot_hinted", "cot_error", "cot_length",
)  # fmt: skip
BETTER = ("name_fit", "text_fit", "margin", "query_covered")


class Row(NamedTuple):
    """A labelled row.

    Attributes:
        kind: What it counts as: a group of real rows, a kind of planted defect, or toy.
        sample: The row.
        sound: The row without its planted defect, None where none was planted.
        tools: The names of its tools.
        truth: check → whether the row should pass it.
        evidence: Its evidence.
        ruled_out: Whether a rule fails its calls, so that the verifier is not asked.
        failed: Whether a rule fails its calls or their format.
    """

    kind: str
    sample: Sample
    sound: Sample | None
    tools: list[str]
    truth: dict[str, bool]
    evidence: dict[str, float]
    ruled_out: bool
    failed: bool

    def weight(self, check: str) -> float:
        """What the row counts in the model of a check."""
        if self.kind not in WEIGHTS and check == "call" and self.sample.cot:
            return PLANTED_BESIDE_VERDICTS
        return WEIGHTS.get(self.kind, WEIGHTS["planted"])


def main() -> None:
    """Measure, and fit on all rows if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help=f"replace {TARGET.name}")
    parser.add_argument("--check", action="store_true", help=f"fail where {TARGET.name} is not what is fitted")
    arguments = parser.parse_args()
    gc.disable()  # all rows stay, and the collector would look at them again and again
    real, _ = read_real_rows(arguments.folder)
    rows = labelled_rows(real)
    models, habits = add_part_evidence(rows)
    removed: dict[str, set[str]] = {}
    table = []
    for check in VERIFIED:
        for kind in ("reasoned", "bare"):
            chosen = [row for row in rows if check in row.truth and bool(row.sample.cot) == (kind == "reasoned")]
            if not chosen or (check == "cot" and kind == "bare"):
                continue
            features = sorted({name for row in chosen for name in row.evidence})
            scores = left_out_scores(chosen, features, check)
            curves = {"passes": passes(chosen, scores, check), "fails": fails(chosen, scores, check)}
            models[f"{check}/{kind}"] = fitted(chosen, features, check) | curves
            table += summary(f"{check}/{kind}", chosen, scores, check)
            removed[f"{check}/{kind}"] = unlikely(chosen, scores, curves["fails"], check)
            if (check, kind) == ("call", "reasoned"):
                of_calls = chosen, scores, curves["passes"]
    print(tabulate(table, headers="keys", floatfmt=".3f"))
    print(tabulate(removed_table(rows, removed), headers="keys"))
    print(tabulate(reading_table(*of_calls, set().union(*removed.values())), headers="keys"))
    fit = {"habits": vars(habits), "models": models, "evidence": mean_evidence(real[::REFERENCE], habits)}
    text = json.dumps(fit, separators=(",", ":"), ensure_ascii=False) + "\n"
    if arguments.write:
        TARGET.write_text(text)
    if arguments.check and text != TARGET.read_text():
        sys.exit(f"{TARGET.name} is not what these sources and rows make: fit it again with --write")


def unlikely(rows: list[Row], scores: np.ndarray, curve: list[tuple[float, float]], check: str) -> set[str]:
    """The ids of the rows below the default `max_loss` of a check."""
    limit = getattr(load_params().fcdr.verifier.max_loss, check)
    least = [score for fraction, score in curve if fraction <= limit][-1]
    return {row.sample.id for row, score in zip(rows, scores, strict=True) if score < least}


def removed_table(rows: list[Row], removed: dict[str, set[str]]) -> list[dict[str, Any]]:
    """Per kind of row the fraction that a rule or any check's score removes, each row scored by a model without it."""
    gone = set().union(*removed.values())
    table = []
    for (kind, has_cot), of_kind in groupby(sorted(rows, key=_kind_of), key=_kind_of):
        some = list(of_kind)
        by_rule = sum(row.failed for row in some) / len(some)
        either = sum(row.failed or row.sample.id in gone for row in some) / len(some)
        table.append({"rows": kind, "reasoning": has_cot, "n": len(some), "by a rule": by_rule, "removed": either})
    return table


def _kind_of(row: Row) -> tuple[str, bool]:
    is_qwen = row.kind == "right" and row.sample.id.startswith("qwen/")
    return f"{row.kind}, Qwen3-8B" if is_qwen else row.kind, bool(row.sample.cot)


def reading_table(rows: list[Row], scores: np.ndarray, passes: list[tuple[float, float]], gone: set[str]):
    """What becomes of the answers with a verdict, those that BFCL finds wrong by what a reader says of them."""
    least = dict(passes)[load_params().fcdr.verifier.max_error.call]
    with READINGS.open() as file:
        readings = {line["id"]: line["reading"] for line in csv.DictReader(file)}
    counts: dict[str, Counter[str]] = {}
    for row, score in zip(rows, scores, strict=True):
        if row.kind in ("right", "wrong", "uncalled"):
            of_kind = counts.setdefault(f"{row.kind} {readings.get(row.sample.id, '')}", Counter())
            of_kind["n"] += 1
            of_kind["passed"] += not row.failed and score >= least
            of_kind["removed"] += row.failed or row.sample.id in gone
    return [{"rows": kind, **{name: of[name] for name in ("n", "passed", "removed")}} for kind, of in counts.items()]


def labelled_rows(real: list[RealRow]) -> list[Row]:
    """All rows that can be compared, with their evidence but for that of single values."""
    rows = [(row.group, row.sample, None, row.truth) for row in real if row.group in WEIGHTS]
    for group, kinds in (("gold", OF_ANSWERS), ("right", OF_ANSWERS | OF_REASONING)):
        sound = {row.sample.id: row.sample for row in real if row.group == group and is_callable(row.sample)}
        kinds = {kind: plant for kind, plant in kinds.items() if kind not in RULED}
        for kind, samples in plant_defects(list(sound.values()), kinds, PLANTED[group], "fit_verifier").items():
            truth = planted_truth(kind, group == "right")
            rows += [(kind, sample, sound[sample.id.rpartition("/")[0]], truth) for sample in samples]
    rows += [("toy", sample, None, truth) for sample, truth in toy_rows(400)]
    out = []
    for kind, sample, sound_one, truth in rows:
        row = look_at(sample)
        if isinstance(row, LookedAt):
            names = sorted(tool["name"] for tool in sample.tools)
            numbers = evidence(row.on_query(), row.on_cot() if sample.cot else None)
            ruled_out = heuristic_result("call", sample).value is False
            failed = ruled_out or heuristic_result("format", sample).value is False
            out.append(Row(kind, sample, sound_one, names, truth, numbers, ruled_out, failed))
    return out


def add_part_evidence(rows: list[Row]) -> tuple[dict[str, Any], Habits]:
    """Add to the rows without a reasoning what the models of values and places say of them, fitted on the other folds.

    Returns:
        The models by their names and the habits, of all rows.
    """
    fold = folds(rows)
    habits = habits_of_others([(row.kind, compared(row)) for row in rows], fold, FOLDS)

    @cache
    def of_values(at: int) -> list[dict[str, float]]:
        return [*ValueFeatures(compared(rows[at]), habits[fold[at]]).of_values()]

    @cache
    def of_places(at: int) -> list[dict[str, float]]:
        return [*Omissions(compared(rows[at])).features()]

    values: list[Part] = []
    places: list[Part] = []
    for at, row in enumerate(rows):
        if row.kind != "toy":
            values += labelled_values(at, row.kind, row.sample, row.sound, of_values)
            places += labelled_places(at, row.kind, row.sample, row.sound, of_places)
    models = {
        VALUE: _add_scores(VALUE, rows, fold, values, of_values),
        OMITTED: _add_scores(OMITTED, rows, fold, places, of_places),
    }
    return models, habits[-1]


def _add_scores(
    name: str, rows: list[Row], fold: np.ndarray, parts: list[Part], features_of: Features
) -> dict[str, Any]:
    """Add the scores of the parts of rows by models of the other folds; the model of all of them."""
    names = sorted({feature for part in parts for feature in part.features})
    for number in range(FOLDS):
        model = fit_parts([part for part in parts if fold[part.row] != number], names)
        for at in np.flatnonzero(fold == number):
            if not rows[at].sample.cot:
                features = features_of(at)
                scores = model.decision_function(array(features, names)) if features else []
                rows[at].evidence.update(of_scores(name, [float(score) for score in scores]))
    return {"features": names} | exported([fit_parts(parts, names)])


def compared(row: Row) -> Comparison:
    """The calls of a row compared with its query."""
    looked_at = look_at(row.sample)
    assert isinstance(looked_at, LookedAt)
    return looked_at.on_query()


def toy_rows(each: int) -> list[tuple[Sample, dict[str, bool]]]:
    """Cases of the toy world, half of them planted to fail the check that they were made for."""
    rng, tools, out = Random("fit_verifier/toy"), split()[0], []
    for check in VERIFIED:
        for number in range(each):
            _, _, case = sample_judged(check, number % 2 == 0, tools, tools, rng)
            sample = Sample(str(number), case.episode.query, case.episode.xlam_tools(), case.cot, case.answer)
            out.append((sample, {check: number % 2 == 0}))
    return out


def folds(rows: list[Row]) -> np.ndarray:
    """The fold of each row; rows whose tools have a name in common are in the same."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for row in rows:
        for name in row.tools[1:]:
            parent[root(name)] = root(row.tools[0])
    groups = [root(row.tools[0]) if row.tools else "" for row in rows]
    load, fold_of = [0] * FOLDS, {}
    for group, count in Counter(groups).most_common():
        fold_of[group] = load.index(min(load))
        load[fold_of[group]] += count
    return np.array([fold_of[group] for group in groups])


def arrays(rows: list[Row], features: list[str], check: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(evidence, truth, weights) of rows."""
    x = array([row.evidence for row in rows], features)
    return x, np.array([row.truth[check] for row in rows]), np.array([row.weight(check) for row in rows])


def boosted(rows: list[Row], features: list[str], check: str) -> list[HistGradientBoostingClassifier]:
    """Models of few small trees, whose scores are averaged, since those of a single one vary.

    Real verdicts on reasoned answers are few: what evidence of them can only be bad, or good, is fixed. Rows that a
    rule fails are left out, since the model is not asked about them.
    """
    rows = [row for row in rows if not (check == "call" and row.ruled_out)]
    x, truth, weights = arrays(rows, features, check)
    signs = [1 if name in BETTER else -1 if any(word in name for word in WORSE) else 0 for name in features]
    has_cot = bool(rows[0].sample.cot)
    return [
        HistGradientBoostingClassifier(
            max_iter=120 if has_cot else 200, learning_rate=0.07, max_leaf_nodes=7, min_samples_leaf=20,
            l2_regularization=3.0, max_features=0.2 if has_cot else 0.4, monotonic_cst=signs if has_cot else None,
            random_state=seed,
        ).fit(x, truth, sample_weight=weights)
        for seed in range(MODELS)
    ]  # fmt: skip


def left_out_scores(rows: list[Row], features: list[str], check: str) -> np.ndarray:
    """The score of each row by a model that was fitted on the other folds."""
    fold, scores = folds(rows), np.zeros(len(rows))
    for number in range(FOLDS):
        models = boosted([row for row, of in zip(rows, fold, strict=True) if of != number], features, check)
        left_out = np.flatnonzero(fold == number)
        x = arrays([rows[at] for at in left_out], features, check)[0]
        scores[left_out] = np.mean([model.decision_function(x) for model in models], axis=0)
    return scores


def fitted(rows: list[Row], features: list[str], check: str) -> dict[str, Any]:
    """A model of all rows, as verifier.json has it."""
    return {"features": features} | exported(boosted(rows, features, check))


def exported(models: list[HistGradientBoostingClassifier]) -> dict[str, Any]:
    """Fitted models, averaged, as one model as verifier.json has it."""
    trees = [nested(predictors[0].nodes, 0, len(models)) for model in models for predictors in model._predictors]
    bias = sum(float(model._baseline_prediction[0, 0]) for model in models) / len(models)
    return {"bias": round(bias, 4), "trees": trees}


def nested(nodes: np.ndarray, at: int, models: int) -> Tree:
    """A tree of scikit-learn as nested lists, its leaves divided by the number of models."""
    node = nodes[at]
    if node["is_leaf"]:
        return round(float(node["value"]) / models, 4)
    low, high = nested(nodes, int(node["left"]), models), nested(nodes, int(node["right"]), models)
    return [int(node["feature_idx"]), round(float(node["num_threshold"]), 5), low, high]


def passes(rows: list[Row], scores: np.ndarray, check: str) -> list[tuple[float, float]]:
    """For each fraction, the least score above which no more rows are unsound.

    Only real answers count, which have their natural share of wrong ones; where there are none (gold answers have no
    verdict), planted defects count as if they were one row in ten.
    """
    truth = np.array([row.truth[check] for row in rows])
    natural = np.array([row.kind in ("gold", "right", "wrong", "uncalled") for row in rows])
    weight = natural.astype(float)
    if truth[natural].all():
        planted = np.array([row.kind not in WEIGHTS for row in rows])
        weight[planted] = natural.sum() / 9 / max(1, planted.sum())
    order = np.argsort(-scores)
    wrong, total = np.cumsum((weight * ~truth)[order]), np.cumsum(weight[order])
    error = (wrong + 1) / (total + 2)  # not overconfident where there are few rows
    curve = []
    for fraction in FRACTIONS:
        if len(within := np.flatnonzero(error <= fraction)):
            curve.append((fraction, round(float(scores[order[within[-1]]]), 3)))
    return curve


def fails(rows: list[Row], scores: np.ndarray, check: str) -> list[tuple[float, float]]:
    """For each fraction, the score below which no more of the sound real rows are, of those that no rule fails."""
    sound = np.sort([
        score for row, score in zip(rows, scores, strict=True)
        if row.truth[check] and row.kind in SOUND and not (check == "call" and row.ruled_out)
    ])  # fmt: skip
    return [(fraction, round(float(sound[int(fraction * len(sound))]), 3)) for fraction in FRACTIONS]


def summary(name: str, rows: list[Row], scores: np.ndarray, check: str):
    """What the scores of left-out rows are worth, per kind of row."""
    truth = np.array([row.truth[check] for row in rows])
    limits = [dict(passes(rows, scores, check)), dict(fails(rows, scores, check))]
    kinds = np.array([row.kind for row in rows])
    auc = roc_auc_score(truth, scores)
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = scores[kinds == kind]
        yield (
            {"model": name, "AUC": auc, "rows": kind, "n": len(of_kind)}
            | {f"pass at {limit}": float((of_kind >= limits[0].get(limit, 1e9)).mean()) for limit in (0.01, 0.03, 0.05)}
            | {f"below {limit}": float((of_kind < limits[1][limit]).mean()) for limit in (0.002, 0.01, 0.03)}
        )


if __name__ == "__main__":
    main()
