"""`funreason compare --paired` and `--seeds`: flips, tests in pairs, equivalence, and the spread of several seeds."""

import json
import math
import random
from pathlib import Path

import pytest

from funreason.core.errors import DataError
from funreason.evaluate.stats import equivalence
from funreason.report.paired import paired, paired_markdown, read_marks, seeds, seeds_markdown


def run(folder: Path, name: str, correct: list[bool], suite: str = "bfcl") -> str:
    rows = [
        {"suite": suite, "category": f"c{number % 2}", "id": f"c{number % 2}_{number}", "correct": mark}
        for number, mark in enumerate(correct)
    ]
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / f"{suite}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / name)


def test_flips_and_both_tests(tmp_path):
    a = run(tmp_path, "a", [True] * 80 + [False] * 20)
    b = run(tmp_path, "b", [True] * 70 + [False] * 10 + [False] * 20)
    whole, *categories = paired(a, b, 0.02)
    assert (whole["suite"], whole["category"], whole["lost"], whole["gained"]) == ("bfcl", None, 10, 0)
    assert whole["p"] == round(2 / 2**10, 4) and not whole["equivalence"]["equivalent"]
    assert whole["lost_ids"] == [f"c{number % 2}_{number}" for number in range(70, 80)] and not whole["gained_ids"]
    assert [row["category"] for row in categories] == ["c0", "c1"] and sum(row["lost"] for row in categories) == 10
    table = paired_markdown([whole])
    assert "10 / 0" in table and "different" in table and "-c0_70" in table
    same = paired(a, a, 0.05)[0]
    assert same["p"] == 1.0 and same["equivalence"] == {"margin": 0.05, "p": 0.0109, "equivalent": True}
    assert "undecided" in paired_markdown(paired(a, a, 0.01)[:1])


def test_equivalence_where_nothing_changed_is_a_matter_of_rows():
    """Tango's statistic is then the score test of one fraction: -sqrt(n d / (1 - d))."""
    for n in (20, 100, 1000):
        z = -math.sqrt(n * 0.03 / 0.97)
        assert equivalence([True] * n, [True] * n, 0.03)["p"] == pytest.approx(
            0.5 * math.erfc(-z / math.sqrt(2)), abs=1e-4
        )
    with pytest.raises(ValueError, match="margin 0, allowed is above 0"):
        equivalence([True], [True], 0)


def test_equivalence_holds_its_level():
    """Two runs whose true difference is the margin are called equivalent in about one of twenty cases."""
    draw, called = random.Random(0), 0
    for _ in range(2000):
        pairs = [draw.choices([(1, 1), (1, 0), (0, 1)], [0.8, 0.05, 0.15])[0] for _ in range(200)]
        called += equivalence([bool(a) for a, _ in pairs], [bool(b) for _, b in pairs], 0.1)["equivalent"]
    assert 0.03 < called / 2000 < 0.07


def test_seeds_are_one_row(tmp_path):
    sides = [
        run(tmp_path, f"s{number}", [True] * right + [False] * (10 - right)) for number, right in enumerate((4, 5, 6))
    ]
    (row,) = seeds(sides)
    assert row == {"suite": "bfcl", "runs": 3, "n": 10, "mean": 0.5, "sd": 0.1, "min": 0.4, "max": 0.6}
    assert "50.00 ± 10.00" in seeds_markdown([row])
    with pytest.raises(DataError, match="has no spread"):
        seeds(sides[:1])
    with pytest.raises(DataError, match="differ in 2 rows"):
        seeds([sides[0], run(tmp_path, "other", [True] * 12)])


def test_rounds_code_and_samples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data/r0"
    folder.mkdir(parents=True)
    rows = [{"benchmark": "toy", "task_id": "t/0", "passed": True, "sample": number} for number in range(3)]
    (folder / "code.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_marks("r0") == {("toy", "toy", "t/0"): True}  # of three, the greedy one
    with pytest.raises(DataError, match="neither a round"):
        read_marks("r9")
    with pytest.raises(DataError, match="no row in common"):
        paired("r0", run(tmp_path, "a", [True]), 0.02)
    (folder / "code.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(DataError, match=r"code.jsonl:1: keys \['a'\], wanted suite"):
        read_marks("r0")


def test_a_dialogue_is_right_if_all_its_rows_are(tmp_path):
    rows = [
        {
            "suite": "acebench_en",
            "category": "c",
            "id": f"c_{name}",
            "dialogue": f"c_{name[0]}",
            "correct": name != "1_0",
        }
        for name in ("0_0", "0_1", "1_0", "1_1")
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    marks = read_marks(str(tmp_path / "a.jsonl"))
    assert marks == {("acebench_en", "c", "c_0"): True, ("acebench_en", "c", "c_1"): False}
