"""A real `dvc repro` of the desk profile, smaller than the default: every kind of stage does its real work once.

The project is copied into a git repository of its own in a temporary folder, with small counts in params.yaml.
"""

import json
from pathlib import Path

import pytest
from project import change_params, copy_project, dvc

from funreason.records import read_jsonl

SMALL = {
    "desk": {"pool_rows": 60, "heldout_rows": 12, "judge_rows": 2, "code_rows": 6},
    "train": {"epochs": 1},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 2}, "code": {"benchmarks": ["desk"]}},
}
TARGETS = ("publish@r0", "evaluate_bfcl@r0", "evaluate_code@r0")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("desk") / "project", SMALL)


@pytest.fixture(scope="module")
def finished(project) -> Path:
    dvc(project, "repro", *TARGETS)
    return project


def metrics(folder: Path, name: str) -> dict:
    return json.loads((folder / "metrics" / name).read_text())


def test_every_row_of_the_source_has_one_fate(finished):
    counts = metrics(finished, "r0/6_validate.json")
    assert sum(counts["fates"].values()) == counts["rows"] == SMALL["desk"]["pool_rows"]
    trained = list(read_jsonl(finished / "data/r0/train.jsonl"))
    assert len(trained) == counts["fates"]["kept"] + counts["fates"]["regenerated"] + counts["fates"]["statement"] > 0


def test_the_set_is_published_with_its_card(finished):
    card = (finished / "data/r0/dataset/README.md").read_text()
    rows = sum(1 for _ in read_jsonl(finished / "data/r0/dataset/trl/train.jsonl"))
    assert metrics(finished, "r0/dataset.json")["rows"] == rows > 0 and "apache-2.0" in card


def test_the_trained_model_was_measured_by_the_official_scorers(finished):
    bfcl, code = metrics(finished, "r0/bfcl.json"), metrics(finished, "r0/code.json")
    assert bfcl["desk"]["known"]["n"] > 0 and bfcl["bfcl"]["categories"]["simple_python"]["n"] == 2
    assert code["desk"]["n"] == SMALL["desk"]["code_rows"]
    assert {row["suite"] for row in read_jsonl(finished / "data/r0/bfcl.jsonl")} == {"known", "new", "bfcl"}


def test_a_second_run_has_nothing_to_do(finished):
    assert "Data and pipelines are up to date." in dvc(finished, "repro", *TARGETS)


def test_another_lambda_reruns_training_alone_of_what_came_before(finished):
    change_params(finished, {"loss": {"lambda": 0.3}})
    said = dvc(finished, "repro", "--dry", *TARGETS)
    ran = {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}
    assert "train@r0" in ran and ran <= {"train@r0", *TARGETS}
