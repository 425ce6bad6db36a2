"""docs/reruns.md is what dvc.yaml says, and what dvc.yaml says of parameters is what DVC does."""

from pathlib import Path

import pytest
from dvc.dependency import param
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from funreason.config.params import read_yaml

from . import reruns_page
from .pipeline_copy import changed, edit, every


@pytest.fixture(scope="module")
def stages():
    return reruns_page.load((reruns_page.ROOT / "params.yaml").read_text())


def test_the_page_is_up_to_date():
    assert reruns_page.page() == reruns_page.PAGE.read_text(), "run: python tests/graph/reruns_page.py"


def test_every_parameter_and_every_source_file_has_its_line():
    lines = {line.split("`")[1] for line in reruns_page.PAGE.read_text().splitlines() if line.startswith("| `")}
    assert set(reruns_page.leaves(read_yaml(reruns_page.ROOT / "params.yaml"))) <= lines
    assert {"src/funreason/srml/loss.py", "src/funreason/prompts/calling.txt", "stages/train.py"} <= lines


def test_dvc_finds_every_parameter_changed_where_the_page_says(project, stages, monkeypatch):
    """Each leaf in turn, put before DVC's own comparison with its lock. Links of the chain are tested one by one."""
    values = read_yaml("params.yaml")
    now = {"values": values}
    monkeypatch.setattr(param, "load_path", lambda *_, **__: now["values"])
    with Repo(".") as repo:
        depending = [(stage.name, dep) for stage in repo.stage.load_file("dvc.yaml") for dep in stage.deps
                     if isinstance(dep, ParamsDependency)]  # fmt: skip
        for leaf in reruns_page.leaves(values):
            now["values"] = reruns_page.with_other(values, leaf)
            assert {name for name, dep in depending if dep.status()} == reruns_page.declaring(stages, leaf), leaf


def test_what_templates_take_is_in_the_table():
    """dvc.yaml makes paths of these; test_reruns.py has some of them changed for real."""
    lines = reruns_page.PAGE.read_text().splitlines()
    for line in ("`rounds.r1.init` | train@r1, accept@r1, report", "`rounds.r0.tasks` | generate@r0, validate@r0, report",
                 "`data.path` | resolve, prepare", "`validate.labels` | validate"):  # fmt: skip
        assert f"| {line} |" in lines


def rewritten(*changes: tuple[str, str]) -> None:
    text = Path("params.yaml").read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    edit("params.yaml", text)


def test_comments_and_layout_rerun_nothing(project):
    rewritten(
        ("# train: the loss", "# A comment.\n\n# train: the loss"),
        (
            "  response: {judges: [judge], rule: majority}",
            "  response:\n    rule: 'majority'\n    judges:\n    - judge",
        ),
        ("  seed: 7     ", "  seed:     7 "),
    )
    assert changed() == (set(), set())


@pytest.mark.parametrize("number", ["4e-4", "4.0E-04"])
def test_the_way_a_number_is_written_reruns_nothing(project, number):
    """PyYAML reads 4e-4 as a text; DVC reads YAML 1.2, as the project does."""
    rewritten(("learning_rate: 0.0004", f"learning_rate: {number}"))
    assert changed() == (set(), set())


def test_one_and_one_point_nought_are_one_number(project):
    """To DVC; what must be whole is refused before any stage runs (`funreason params check`)."""
    rewritten(("anchor: 1.0 ", "anchor: 1 "), ("timeout_s: 120 ", "timeout_s: 120.0 "))
    assert changed() == (set(), set())


def test_another_number_reruns(project):
    rewritten(("learning_rate: 0.0004", "learning_rate: 4e-3"))
    assert changed()[0] == every("train")
