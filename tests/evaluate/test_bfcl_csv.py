"""BFCL's own tables: the bytes that its runner writes over the result files of the same answers."""

import json
import subprocess
from pathlib import Path

import pytest

from funreason.cli.main import main
from funreason.core.errors import DataError
from funreason.core.jsonio import write_json
from funreason.evaluate import DRIVERS, bfcl_csv
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.sandbox.scorer import scorer_python
from funreason.score.rescore import rescore

from .gold import gold_texts, official_data

pytestmark = pytest.mark.slow
NAME = "model"
OFFICIAL = f"""
import sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, {str(DRIVERS)!r})
import bfcl_stub
from bfcl_eval.constants.category_mapping import ALL_CATEGORIES
from bfcl_eval.eval_checker import eval_runner
config = SimpleNamespace(
    display_name={NAME!r}, url="", org="", license="", input_price=None, output_price=None, model_name={NAME!r},
    underscore_to_dot=False, is_fc_model=False, model_handler=lambda **_: bfcl_stub.Handler(),
)
eval_runner.MODEL_CONFIG_MAPPING[{NAME!r}] = config  # one mapping for all modules
eval_runner.runner(None, ALL_CATEGORIES, Path("result"), Path("score"), allow_missing=True)
"""


@pytest.fixture
def results(tmp_path) -> Path:
    """Result files with right and wrong answers of each kind; no live_parallel, no memory_kv."""
    for group, category, count in (("non_live", "simple_python", 7), ("non_live", "multiple", 3),
                                   ("non_live", "simple_java", 3), ("live", "live_simple", 3)):  # fmt: skip
        texts = list(gold_texts(official_data(), category).items())[:count]
        _write(tmp_path, group, category, [*texts[:-1], (texts[-1][0], "[nothing()]")])
    _write(tmp_path, "non_live", "irrelevance", [("irrelevance_0", "No tool fits."), ("irrelevance_1", "[f()]")])
    _write(tmp_path, "live", "live_relevance", [("live_relevance_0-0-0", "[f(a=1)]")])
    _write(tmp_path, "multi_turn", "multi_turn_base", [("multi_turn_base_0", [["[cd(folder='x')]", "No."]])])
    _write(tmp_path, "agentic", "web_search_base", [("web_search_base_0", [["Zhang Yiming"]])])
    memory = "memory_rec_sum_0-customer-0", "memory_rec_sum_1-customer-1"
    _write(tmp_path, "agentic/memory/rec_sum", "memory_rec_sum", [(memory[0], [["Michael"]]), (memory[1], [["no"]])])
    ids = in_environment(IDS, tmp_path).split()
    _write(tmp_path, "format_sensitivity", "format_sensitivity", [(name, PYTHON) for name in ids])
    return tmp_path


IDS = f"""
import sys
sys.path.insert(0, {str(DRIVERS)!r})
import bfcl_release
print(*(entry["id"] for entry in bfcl_release.entries("format_sensitivity")[:52]))
"""
PYTHON = "[calculate_triangle_area(base=10, height=5, unit='units')]"


def in_environment(program: str, folder: Path) -> str:
    """What a program in the scorer's environment prints."""
    command = [scorer_python(ENVIRONMENTS["v4"]), "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write(folder: Path, group: str, category: str, rows: list[tuple]) -> None:
    path = folder / "result" / NAME / group / f"BFCL_v4_{category}_result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"id": name, "result": result}) + "\n" for name, result in rows))


def test_the_bytes_of_the_official_runner(results, mode):
    (results / "score").mkdir()
    in_environment(OFFICIAL, results)
    official = {path.name: path.read_text() for path in (results / "score").glob("*.csv")}
    assert len(official) == 6 and "85.71%" in official["data_non_live.csv"] and "N/A" in official["data_live.csv"]
    _, (_, numbers) = rescore(results / "result" / NAME, mode)
    assert bfcl_csv.tables({NAME: numbers}, mode) == official
    both = bfcl_csv.tables({"a": numbers, "b": numbers}, mode)
    assert both["data_overall.csv"].count("\n") == 2
    with pytest.raises(DataError, match="BFCL's tables cannot hold the name 'a,b'"):
        bfcl_csv.tables({"a,b": numbers}, mode)
    with pytest.raises(DataError, match="one version, here are a v4, b v3; give models of one version"):
        bfcl_csv.tables({"a": numbers, "b": numbers | {"version": "v3"}}, mode)


def test_runs_are_rows_of_one_table(results, mode, monkeypatch, capsys):
    """`funreason compare --bfcl-csv`; a name stands for one run, else one of two would be left out without a word."""
    _, (_, numbers) = rescore(results / "result" / NAME, mode)
    for folder in ("a/small", "b/small", "b/large"):
        write_json(results / "runs" / folder / "bfcl.json", numbers)
    monkeypatch.chdir(results / "runs")

    def compared(*runs: str) -> int:
        monkeypatch.setattr("sys.argv", ["funreason", "compare", "--bfcl-csv", *runs, "--out", "tables"])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    assert compared("a/small", "b/small") == 1
    assert "two runs are named 'small'" in capsys.readouterr().err and not Path("tables").exists()
    assert compared("a/small", "b/large") == 0
    lines = Path("tables/data_overall.csv").read_text().splitlines()
    assert len(lines) == 3 and all(any(name in line for line in lines) for name in ("small", "large"))
    assert len(capsys.readouterr().out.splitlines()) == len(list(Path("tables").iterdir())) == 6
