"""`funreason score`: gold through a server in both modes, through BFCL's own result files, and what it refuses."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from evaluate.gold import gold_texts, official_data
from llm.http_server import completion, serve

from funreason.calls import parse
from funreason.cli.score import SUMMARIES, _lines
from funreason.core.errors import DataError
from funreason.sandbox import isolation
from funreason.score.rescore import rescore
from funreason.score.tools_mode import NOT_ASKED

ROOT = Path(__file__).parents[2]
CATEGORIES = "simple_python,parallel,irrelevance,simple_java"


def score(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """In an empty folder: no pipeline, no params.yaml."""
    program = "import sys; from funreason.cli.main import main; sys.exit(main())"
    environment = os.environ | {"FUNREASON_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", program, "score", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def gold() -> dict[str, str]:
    """{question of a row: its gold} of the first four rows of each category with calls."""
    data, texts = official_data(), {}
    for category in ("simple_python", "parallel", "simple_java"):
        lines = (data / f"BFCL_v4_{category}.json").read_text(encoding="utf-8").splitlines()[:4]
        answers = gold_texts(data, category)
        texts |= {row["question"][0][-1]["content"]: answers[row["id"]] for row in map(json.loads, lines)}
    return texts


def figures(folder: Path) -> dict:
    (path,) = folder.glob("score/*/bfcl.json")
    return json.loads(path.read_text())


@pytest.mark.slow
def test_gold_in_prompt_mode(gold, tmp_path):
    def answer(body: dict) -> dict:
        assert "tools" not in body and body["messages"][0]["role"] == "system"
        return completion(gold.get(body["messages"][-1]["content"], "None of these tools fits."))

    with serve(answer=answer) as server:
        done = score(tmp_path, "some/model", "--server", server.url, "--benchmarks", "bfcl", "--limit", "4",
                     "--categories", CATEGORIES)  # fmt: skip
    assert done.returncode == 0, done.stderr
    categories = figures(tmp_path)["categories"]
    right = dict.fromkeys(CATEGORIES.split(","), 4) | {"simple_java": 3}  # the official parser fails on one
    assert {name: part["correct"] for name, part in categories.items()} == right
    assert "setting: temperature 0" in done.stdout and "not comparable" in done.stdout
    kept = (tmp_path / "score/some_model/bfcl.jsonl").read_text().splitlines()
    assert len(kept) == len(server.asked) == 16


@pytest.mark.slow
def test_gold_by_the_tools_api(gold, tmp_path):
    """The server gets tools without dots in their names, and answers with calls of these names."""

    def answer(body: dict) -> dict:
        text = gold.get(body["messages"][-1]["content"])
        if text is None:
            return completion("None of these tools fits.")
        names = {tool["function"]["name"] for tool in body["tools"]}
        calls = [(call.name.replace(".", "_"), call.arguments) for call in parse(text)]
        assert {name for name, _ in calls} <= names and not any("." in name for name in names)
        listed = [
            {"id": str(number), "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for number, (name, arguments) in enumerate(calls)
        ]
        reply = completion("")
        reply["choices"][0]["message"] |= {"content": None, "tool_calls": listed}
        return reply

    with serve(answer=answer) as server:
        done = score(tmp_path, "m", "--server", server.url, "--tools", "--benchmarks", "bfcl", "--limit", "4",
                     "--categories", CATEGORIES)  # fmt: skip
    assert done.returncode == 0, done.stderr
    categories = figures(tmp_path)["categories"]
    assert {name: part["correct"] for name, part in categories.items()} == dict.fromkeys(
        ("simple_python", "parallel", "irrelevance"), 4
    )
    assert f"not asked: {', '.join(NOT_ASKED)}" in done.stdout


@pytest.mark.slow
def test_result_files_of_bfcl_are_scored(tmp_path):
    """Gold in prompt mode with reasoning in front, calls of FC mode, one wrong answer."""
    data, folder = official_data(), tmp_path / "result/model/non_live"
    folder.mkdir(parents=True)
    rows = [
        {"id": name, "result": f"<think>Hm.</think>\n\n{text}"} for name, text in gold_texts(data, "multiple").items()
    ]
    rows[0]["result"] = "[nothing()]"
    _write(folder / "BFCL_v4_multiple_result.json", rows)
    calls = {name: parse(text) for name, text in gold_texts(data, "parallel").items()}
    fc = [
        {"id": name, "result": [{call.name: json.dumps(call.arguments)} for call in made]}
        for name, made in calls.items()
    ]
    _write(folder / "BFCL_v4_parallel_result.json", fc)
    done = score(tmp_path, "--rescore", "result/model", "--json")
    assert done.returncode == 0, done.stderr
    categories = json.loads(done.stdout)["bfcl"]["categories"]
    assert (categories["multiple"]["correct"], categories["multiple"]["n"]) == (199, 200)
    assert (categories["parallel"]["correct"], categories["parallel"]["n"]) == (200, 200)
    _write(
        folder / "BFCL_v4_memory_vector_result.json", [{"id": "memory_vector_0-customer-0", "result": [["Michael"]]}]
    )
    _write(folder / "BFCL_v4_sql_result.json", [{"id": "sql_0", "result": "a"}])
    done = score(tmp_path, "--rescore", "result/model")
    assert "setting: left out, since they are not scored here: sql" in done.stdout
    assert "memory_vector" in done.stdout and "100.0* %" in done.stdout
    assert len(list(tmp_path.glob("score/model/bfcl_csv/data_*.csv"))) == 6
    (folder.parent / "other").mkdir()
    _write(folder.parent / "other/BFCL_v4_multiple_result.json", rows)
    done = score(tmp_path, "--rescore", "result/model")
    assert done.returncode == 1 and "holds several files of multiple" in done.stderr


@pytest.mark.slow
def test_result_files_of_a_tools_api_are_scored_like_the_official_handlers_do(tmp_path):
    """Names without dots are BFCL's; a text is no call there, and calls that are not JSON cannot be read."""
    folder = tmp_path / "m"
    gold = {name: parse(text) for name, text in gold_texts(official_data(), "live_multiple").items()}
    fc = [
        {"id": name, "result": [{call.name.replace(".", "_"): json.dumps(call.arguments)} for call in made]}
        for name, made in gold.items()
    ]
    assert any("." in call.name for made in gold.values() for call in made)
    results = ["[f(a=1)]", [{"f": "{bad"}], [{"f": '{"a": ' + "9" * 5000 + "}"}], ["f()"], [{"no name": "{}"}], []]
    odd = [{"id": f"irrelevance_{number}", "result": result} for number, result in enumerate(results)]
    _write(folder / "BFCL_v4_live_multiple_result.json", fc)
    _write(folder / "BFCL_v4_irrelevance_result.json", odd)
    done = score(tmp_path, "--rescore", "m", "--json")
    assert done.returncode == 0, done.stderr
    categories = json.loads(done.stdout)["bfcl"]["categories"]
    assert categories["live_multiple"]["correct"] == 1050  # as in prompt mode
    assert categories["irrelevance"]["correct"] == 5  # all but the call of "no name"


@pytest.mark.slow
def test_damaged_result_files_are_one_line_and_missing_rows_are_told(tmp_path):
    good = {"id": "multiple_0", "result": "[f()]"}
    for number, (lines, problem) in enumerate([
        ([good, {"id": "multiple_9999", "result": "[f()]"}], ":2: the id 'multiple_9999' is not in BFCL's data for"),
        ([good, {"id": "m\x1b[31m", "result": "[f()]"}], ":2: the id 'm\\x1b[31m' is not in BFCL's data"),
        ([good, good], ":2: the id 'multiple_0' stands twice; give one answer per row"),
        ([good, {"id": 7, "result": "[f()]"}], ":2: keys ['id', 'result'], id 7, wanted a text as id"),
        ([good, {"id": "multiple_1", "result": None}], ":2: the result is None, wanted a text or a list of calls"),
        ([good, '{"id": "multiple_1", "resu'], ":2 is not JSON"),
        ([good, '{"id": "multiple_1", "result": ' + "9" * 5000 + "}"], ":2 holds a longer number or more levels"),
        (["[" * 100_000 + "]" * 100_000], ":1 holds a longer number or more levels than can be read"),
        ([], "holds result files without answers; give BFCL's own result files"),
    ]):  # fmt: skip
        file = tmp_path / f"{number}/BFCL_v4_multiple_result.json"
        _write(file, lines)
        with pytest.raises(DataError, match=re.escape(problem)):
            rescore(file.parent, isolation.resolve("auto"))
    _write(tmp_path / "half/BFCL_v4_multiple_result.json", [good, {"id": "multiple_2", "result": "\ud800[f()]"}])
    done = score(tmp_path, "--rescore", "half")
    assert "setting: multiple: 2 of 200 rows; the first that is missing: multiple_1" in done.stdout, done.stderr


def _write(path: Path, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["m"], "--benchmarks names nothing; allowed are bfcl, acebench"),
        (["m", "--benchmarks", "bfcl,mmlu"], "--benchmarks names mmlu; allowed are bfcl"),
        (["m", "--benchmarks", "bfcl", "--tools"], "--tools needs a server"),
        (["m", "--benchmarks", "bfcl", "--limit", "0"], "--limit is 0, allowed is 1 or more"),
        (["m", "--rescore", "."], "give either MODEL with --benchmarks, or --rescore FOLDER"),
        (
            ["./nowhere", "--benchmarks", "bfcl"],
            "MODEL: no folder './nowhere'; give a folder with config.json, a hub id",
        ),
        (
            ["m", "--server", "http://127.0.0.1:9", "--tools", "--benchmarks", "bfcl", "--categories", "multi_turn"],
            "--tools asks BFCL alone, and there not simple_java",
        ),
        (
            ["m", "--server", "http://127.0.0.1:9", "--benchmarks", "api_bank", "--api-bank", "."],
            "(--api-bank); take it",
        ),
        (
            ["m", "--server", "http://127.0.0.1:9", "--benchmarks", "bfcl", "--out", "/proc/new"],
            "--out: nothing can be written into /proc/new",
        ),
        (["--rescore", "."], "holds no BFCL_v4_<category>_result.json"),
        (["m", "--server", "http://127.0.0.1:9", "--benchmarks", "acebench"], "acebench needs its data; clone github"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path, arguments, problem):
    done = score(tmp_path, *arguments)
    assert done.returncode == 1 and problem in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_the_score_without_disputed_labels_is_printed_beside_the_official_one():
    part = {"accuracy": 0.5, "low": 0.1, "high": 0.9, "n": 2}
    official = {key: part if key in ("live", "overall") else None for key in dict(SUMMARIES)["bfcl"]}
    numbers = {"categories": {}} | official | {"undisputed": {"left_out": 1, "live": part, "overall": None}}
    lines = _lines("bfcl", numbers)
    assert ("live, undisputed", part) in lines and not any(label == "overall, undisputed" for label, _ in lines)
    assert ("live, undisputed", part) not in _lines("bfcl", numbers | {"undisputed": None})
