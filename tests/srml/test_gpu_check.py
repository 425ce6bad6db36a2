"""`make gpu-check`, rehearsed: the same code as on a GPU, with tiny shapes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import gpu_check  # noqa: E402

PAGE = f"before\n{gpu_check.BEGIN}\nold\n{gpu_check.END}\nafter\n"


@pytest.mark.slow
def test_the_rehearsal_measures_everything_and_writes_the_page(tmp_path):
    page = tmp_path / "gpu.md"
    page.write_text(PAGE)
    command = [
        sys.executable,
        str(ROOT / "benchmarks/gpu_check.py"),
        "--rehearse",
        "--minutes",
        "60",
        "--out",
        str(page),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")][1:]
    assert {row[0] for row in rows} == set(gpu_check.GROUPS)
    exact = [row for row in rows if row[3]]
    assert len(exact) >= 11 and {row[-1] for row in exact} == {"ok"}
    assert all(row[4] or "skipped: " in row[-1] for row in rows if row[0].startswith(("speed", "qlora")))
    assert "batches of 4,096 tokens" in text


def test_a_group_that_fails_leaves_the_rest(monkeypatch):
    monkeypatch.setitem(gpu_check.GROUPS, "machine", (60, ["no-such-group"]))
    (row,) = gpu_check.measured("machine", True, time.monotonic() + 600)
    assert row["result"].startswith("failed: status 2: gpu_cases.py: error: argument group")


def test_what_the_time_does_not_reach_is_a_line_with_the_reason():
    (row,) = gpu_check.measured("vllm", False, time.monotonic() + 5)
    assert row["result"] == "skipped: no time left; run it alone with --only"


def test_a_figure_over_its_bound_fails():
    assert gpu_check.row("exact", "a", error=1e-6, bound=1e-5)["result"] == "ok"
    assert gpu_check.row("exact", "a", error=float("nan"), bound=1e-5)["result"].startswith("failed")
    assert "1.0e-06" in gpu_check.table([gpu_check.row("exact", "a", error=1e-6, bound=1e-5)])


def test_the_page_of_the_project_has_a_place_for_the_figures(tmp_path):
    page = tmp_path / "gpu.md"
    page.write_text((ROOT / "docs/gpu.md").read_text())
    gpu_check.write(page, "| a table |")
    assert f"{gpu_check.BEGIN}\n| a table |\n{gpu_check.END}" in page.read_text()
    page.write_text("no place")
    with pytest.raises(SystemExit, match="has no lines"):
        gpu_check.write(page, "")
