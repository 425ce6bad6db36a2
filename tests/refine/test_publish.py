"""The published folder: it loads with `datasets`, its card names every source, equal inputs give equal bytes."""

import hashlib
import json
from pathlib import Path
from statistics import mean, median

import pytest
from tiny import tiny_tokenizer

from funreason.config import read_yaml, yaml
from funreason.core.errors import DataError, ModelError, ParamsError
from funreason.core.jsonio import read_details, write_details, write_jsonl
from funreason.publish.build import publish

from .conftest import REPO, rows, stage
from .published import OUTCOMES, ROWS, read_folder, trained, write_round
from .rows import GHENT, OSLO

FOLDER = Path("data/r1/dataset")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with round r1 as the current folder, not published yet."""
    monkeypatch.chdir(tmp_path)
    return write_round(tmp_path)


@pytest.fixture
def published(project) -> str:
    """Publish round r1; returns its card."""
    publish("r1", "cc-by-4.0", "r0")
    return (FOLDER / "README.md").read_text()


def table(card: str, heading: str) -> list[list[str]]:
    """The cells of the rows below a heading."""
    lines = card.partition(f"## {heading}\n")[2].partition("\n## ")[0].splitlines()
    return [[cell.strip() for cell in text.strip("|").split("|")] for text in lines if text.startswith("|")][2:]


@pytest.mark.parametrize("config", ["trl", "sharegpt", None])
def test_datasets_loads_both_forms(published, tmp_path, config):
    from datasets import load_dataset

    loaded = load_dataset(str(FOLDER.absolute()), config, cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"] and loaded["train"]["id"] == [row["id"] for row in ROWS]
    if config != "sharegpt":
        assert loaded["train"].to_list() == ROWS
        return
    first = loaded["train"][0]
    assert first["conversations"] == [
        {"from": "human", "value": "Query of r0/1: Gött?"},
        {"from": "gpt", "value": f"<think>It asks for Ghent, so I call for Ghent.</think>\n\n{GHENT}"},
    ]
    assert first["system"] == ROWS[0]["prompt"][0]["content"] and first["tools"] == ""


def test_all_rows_of_a_file_have_the_same_keys(project):
    reasoned = [
        {"role": "assistant", "content": OSLO, "reasoning_content": "First Oslo."},
        {"role": "tool", "content": "dry"},
    ]
    write_jsonl("data/r1/train.jsonl", [ROWS[0] | {"prompt": ROWS[0]["prompt"] + reasoned}, *ROWS[1:]])
    publish("r1", None, "teacher")
    trl, messages = rows(FOLDER / "trl/train.jsonl"), rows(FOLDER / "messages/train.jsonl")
    for each, name in ((trl, "prompt"), (messages, "messages")):
        assert len({tuple(message) for row in each for message in row[name]}) == 1
        thoughts = [message["reasoning_content"] for row in each for message in row[name]]
        assert "First Oslo." in thoughts and "" in thoughts


def test_llama_factory_finds_the_file_and_its_columns(published):
    info = json.loads((FOLDER / "dataset_info.json").read_text())["funreason_r1"]
    written = rows(FOLDER / info["file_name"])
    assert info["formatting"] == "sharegpt" and len(written) == len(ROWS)
    assert set(info["columns"].values()) <= set(written[0])


def test_equal_inputs_give_equal_bytes_in_any_folder(published, tmp_path, monkeypatch):
    first = read_folder(FOLDER) | {"metrics": Path("metrics/r1/dataset.json").read_bytes()}
    (FOLDER / "stale.txt").write_text("of an earlier version")
    publish("r1", "cc-by-4.0", "r0")
    assert read_folder(FOLDER) == {name: first[name] for name in first if name != "metrics"}
    elsewhere = write_round(tmp_path / "elsewhere")
    monkeypatch.chdir(elsewhere)
    publish("r1", "cc-by-4.0", "r0")
    assert read_folder(FOLDER) | {"metrics": Path("metrics/r1/dataset.json").read_bytes()} == first
    assert not [name for name, content in first.items() if str(tmp_path).encode() in content]


def test_metrics_count_rows_outcomes_and_tokens(published):
    metrics = read_details("metrics/r1/dataset.json")
    assert (metrics["rows"], metrics["rows_by_round"], metrics["outcomes"]) == (3, {"r0": 1, "r1": 2}, OUTCOMES)

    def counted(*texts: str) -> dict:
        numbers = [len(tiny_tokenizer()(text)["input_ids"]) for text in texts]
        return {"rows": len(texts), "mean": round(mean(numbers), 2), "median": median(numbers)}

    assert metrics["tokens"]["result"] == counted(GHENT, OSLO, "None of the functions can sing.")
    assert metrics["tokens"]["reasoning"] == counted("It asks for Ghent, so I call for Ghent.", "Oslo.")
    shown = metrics["tokens"]["reasoning"]
    assert ["reasoning", "2", f"{shown['mean']:.2f}", f"{shown['median']:.2f}"] in table(published, "Tokens")


def test_the_card_has_outcomes_and_funnel(published):
    assert [(row[0], int(row[1])) for row in table(published, "Outcomes")] == list(OUTCOMES.items())
    assert table(published, "Funnel") == [
        ["response", "3", "2", "1", "0", "0", "0", "0", "0", "0", "3"],
        ["cot", "3", "1", "1", "0", "1", "0", "0", "1", "0", "2"],
    ]


def test_the_card_names_every_input_by_its_content(published):
    inputs = {row[0]: row[1:] for row in table(published, "Provenance") if row[0] != "prompt"}
    assert inputs["source"] == ["`rows.jsonl`", "`sha256:aaa`"]
    assert inputs["teacher"] == ["`own/teacher` at `c0ffee`", "`hub:bbb`"]
    assert inputs["judge `judge`"] == ["`judge`", "`sha256:ccc`"]
    assert inputs["generator of this round's own rows"][0] == "`models/r0`"
    prompts = [row[1:] for row in table(published, "Provenance") if row[0] == "prompt"]
    files = [*(REPO / "src/funreason/prompts").glob("judge_*"), REPO / "src/funreason/prompts/calling.txt"]
    assert sorted(prompts) == sorted(
        [f"`{file.name}`", f"`sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}`"] for file in files
    )


def test_a_licence_that_is_not_given_is_unknown(project):
    from huggingface_hub import DatasetCard

    publish("r1", "cc-by-4.0", "teacher")
    assert DatasetCard.load(FOLDER / "README.md").data.license == "cc-by-4.0"
    assert "generator of" not in (FOLDER / "README.md").read_text().partition("## Provenance")[2]
    publish("r1", None, "teacher")
    card = DatasetCard.load(FOLDER / "README.md")
    assert card.data.license == "unknown" and card.data.size_categories == ["n<1K"]
    assert "unknown: ask the source's owner before publishing" in card.text


def without(row: dict, **fields) -> dict:
    return {**row, **fields}


TALK = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "data/r1/train.jsonl holds no rows: nothing to publish"),
        ([*ROWS[:2], trained("r1/2", "I think.", "")], r"train.jsonl:3, id 'r1/2' has no result"),
        ([*ROWS, ROWS[2]], r"train.jsonl:4: id 'r1/2' is repeated"),
        ([without(ROWS[0], prompt=TALK)], r"roles \['user', 'assistant', 'assistant'\], expected system, user"),
        ([without(ROWS[0], prompt=[{"role": "user", "content": " "}])], "has no query"),
        ([without(ROWS[0], completion="text")], "not a list of messages"),
        ([without(ROWS[0], completion=[{"role": "assistant", "content": None}])], "a message without text"),
        ([without(ROWS[0], completion=[{"role": "assistant", "content": "<think>a"}])], "never closed"),
        ([without(ROWS[0], tools=[])], r"has the fields \['completion', 'id', 'prompt', 'tools'\]"),
        (ROWS[:2], "round r1: 1 rows of its own, outcomes .* do not belong together"),
    ],
)  # fmt: skip
def test_malformed_training_rows_are_refused(project, bad, message):
    write_jsonl("data/r1/train.jsonl", bad)
    with pytest.raises(DataError, match=message) as caught:
        publish("r1", None, "teacher")
    assert "\n" not in str(caught.value) and not FOLDER.exists()


def test_inputs_that_are_missing_or_do_not_match_are_named(project):
    write_details("metrics/r1/6_validate.json", {"outcomes": OUTCOMES | {"hard": 1}})
    with pytest.raises(DataError, match="do not belong together; run `dvc repro --force validate@r1`"):
        publish("r1", None, "teacher")
    Path("metrics/r1/6_validate.json").unlink()
    with pytest.raises(DataError, match="6_validate.json does not exist; run `dvc repro validate@r1`"):
        publish("r1", None, "teacher")
    write_round(project)
    Path("models/judges.json").unlink()
    with pytest.raises(DataError, match="models/judges.json does not exist; run `dvc repro`"):
        publish("r1", None, "teacher")
    for file in Path("student").iterdir():
        file.unlink()
    with pytest.raises(ModelError, match="its tokenizer cannot be loaded"):
        publish("r1", None, "teacher")


def test_the_stage_takes_the_licence_from_the_parameters(project):
    values = read_yaml(REPO / "profiles/toy.yaml")
    values["data"]["license"] = "odc-by"
    with open("params.yaml", "w") as file:
        yaml().dump(values, file)
    stage("publish", "r1")
    assert "license: odc-by\n" in (FOLDER / "README.md").read_text()
    with pytest.raises(ParamsError, match="params.yaml has no round 'r7'"):
        stage("publish", "r7")
