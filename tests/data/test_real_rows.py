"""Real rows of ten public data sets and the inputs of public bug reports are read."""

from pathlib import Path

import pytest

from funreason.data.files import path_rows
from funreason.data.prepare import Tally
from funreason.data.rows import TaskIds, read_tasks

from .reading import from_path

SHARED = Path(__file__).parents[3] / "shared"
pytestmark = pytest.mark.skipif(not (SHARED / "data/real").is_dir(), reason="shared/ is not here")
CASES = sorted((SHARED / "cases").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("name", "most_quarantined"), [("xlam_like", 0), ("with_cot", 0.0005), ("conversations", 0.005)]
)
def test_real_rows(name: str, most_quarantined: float) -> None:
    tally = Tally()
    for row in read_tasks(path_rows(SHARED / f"data/real/{name}.jsonl.gz"), name, TaskIds()):
        tally.add(row)
    metrics = tally.metrics()
    assert metrics["bad_fraction"] <= most_quarantined, tally.examples
    assert metrics["skipped_reasons"].keys() <= {"without tools"}
    left = metrics["rows"] - metrics["skipped"] - metrics["quarantined"]
    assert left == metrics["tasks"] - metrics["turns"] + metrics["conversations"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_inputs_of_bug_reports(path: Path) -> None:
    rows = from_path(path)
    if path.stem.startswith("c09"):
        assert [(row.kind, row.row) for row in rows] == [("repeated key", 1)]
        return
    tasks = [task for row in rows for task in row.tasks]
    if path.stem.startswith("c01"):
        assert all(not call["arguments"] for task in tasks for call in task.answers) and len(rows) == 4
    if path.stem.startswith("c06"):
        assert all(task.response for task in tasks)
    if path.stem.startswith("c07"):
        assert [row.texts for row in rows] == [1, 1] and len(tasks) == 4
