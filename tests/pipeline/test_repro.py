"""A real `dvc repro` of the toy profile, smaller than the default: every kind of stage does its real work once."""

import json
from pathlib import Path

import pytest
from code_closure import ROOT, beside, closure
from graph.pipeline_copy import declared_stages, within
from graph.test_declared import UNTRACKED, UNTRACKED_PACKAGES

from funreason.config import read_yaml, yaml
from funreason.core.jsonio import read_details, read_jsonl

from .small_project import SMALL, TARGETS, copy_project, dvc

pytestmark = pytest.mark.model


def metrics(folder: Path, name: str) -> dict:
    return read_details(folder / "metrics" / name)


def test_every_row_of_the_source_has_one_fate(finished):
    counts = metrics(finished, "r0/6_validate.json")
    assert sum(counts["outcomes"].values()) == counts["rows"] == SMALL["toy"]["pool_rows"]
    trained = list(read_jsonl(finished / "data/r0/train.jsonl"))
    assert (
        len(trained)
        == counts["outcomes"]["kept"] + counts["outcomes"]["regenerated"] + counts["outcomes"]["statement"]
        > 0
    )


def test_the_set_is_published_with_its_card(finished):
    card = (finished / "data/r0/dataset/README.md").read_text()
    rows = sum(1 for _ in read_jsonl(finished / "data/r0/dataset/trl/train.jsonl"))
    assert metrics(finished, "r0/dataset.json")["rows"] == rows > 0
    assert "license: unknown" in card and "apache" not in card


def test_the_trained_model_was_measured_by_the_official_scorers(finished):
    bfcl, code = metrics(finished, "r0/bfcl.json"), metrics(finished, "r0/code.json")
    assert bfcl["toy"]["known"]["n"] > 0 and bfcl["bfcl"]["categories"]["simple_python"]["n"] == 2
    assert code["toy"]["n"] == SMALL["toy"]["code_rows"]
    assert {row["suite"] for row in read_jsonl(finished / "data/r0/bfcl.jsonl")} == {"known", "new", "bfcl"}


def test_dvc_shows_the_figures_of_the_summaries_alone(finished):
    printed = dvc(finished, "metrics", "show", "--json")  # begins with a line on files of stages that did not run
    (shown,) = json.loads(printed[printed.index("{") :]).values()
    figures = {path: part["data"] for path, part in shown["data"].items() if part.get("data")}
    assert figures.keys() == {"metrics/r0/summary.json"}
    assert len(figures["metrics/r0/summary.json"]) <= 12


def test_a_stage_loads_no_code_that_it_does_not_declare(finished):
    """The check of truth on tests/graph/test_declared.py, which reads imports and cannot see what is loaded by name."""
    stages = {tuple(stage.cmd[1:]): stage for stage in declared_stages(finished)}
    records = [json.loads(path.read_text()) for path in (finished.parent / "imports").glob("*.json")]
    assert {record["argv"][0] for record in records} >= {"stages/refine.py", "stages/train.py", "stages/world.py"}
    for record in records:
        stage, script = stages[tuple(record["argv"])], record["argv"][0]
        every = closure(ROOT / script)
        refusing = UNTRACKED | (every - closure(ROOT / script, *UNTRACKED_PACKAGES))
        allowed = refusing | beside(every | refusing)
        assert len(record["files"]) > 5
        for path in set(record["files"]) - allowed:
            assert any(within(path, dep, "/") for dep in stage.deps), f"{stage.name}: add {path} to its deps"


def ran(said: str) -> set[str]:
    return {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}


def test_a_comment_in_a_check_reruns_its_package_and_trains_nothing(finished):
    """The outputs are as they were, byte for byte, so nothing follows. All answers come from the cache."""
    check = finished / "src/funreason/refine/checks.py"
    before = check.read_text()
    check.write_text(before + "\n# A comment.\n")
    said = dvc(finished, "repro", *TARGETS)
    refined = ("generate", "response", "query_tool", "cot", "call", "format")
    assert ran(said) == {f"{stage}@r0" for stage in refined} and "Stage 'train@r0' didn't change, skipping" in said
    check.write_text(before)
    assert ran(dvc(finished, "repro", *TARGETS)) == set()  # DVC keeps the run of before


def test_another_clone_writes_the_same_bytes(finished):
    """Another folder, nothing in DVC's cache, the same answers: the same hashes of all outputs, the model's too."""
    clone = copy_project(finished.parent / "clone")
    dvc(clone, "repro", "publish@r0", "train@r0")
    first, second = (read_yaml(folder / "dvc.lock")["stages"] for folder in (finished, clone))
    assert second.keys() >= {"world", "cot@r0", "validate@r0", "publish@r0", "train@r0"}
    for name, stage in second.items():
        assert stage["outs"] == first[name]["outs"], name


def test_a_second_run_has_nothing_to_do(finished):
    assert "Data and pipelines are up to date." in dvc(finished, "repro", *TARGETS)


def test_another_lambda_reruns_training_alone_of_what_came_before(finished):
    before = (finished / "params.yaml").read_text()
    params = read_yaml(finished / "params.yaml")
    params["loss"]["lambda"] = 0.3
    with open(finished / "params.yaml", "w", encoding="utf-8") as file:
        yaml().dump(params, file)
    would = ran(dvc(finished, "repro", "--dry", *TARGETS))
    assert "train@r0" in would and would <= {"train@r0", *TARGETS}
    (finished / "params.yaml").write_text(before)
