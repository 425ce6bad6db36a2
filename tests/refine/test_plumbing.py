"""The stages over real vLLM, with a model that nobody trained: all is asked, nothing can be read."""

import json
import shutil
from pathlib import Path

from funreason.core.jsonio import read_details

from .conftest import rows, stage, write_project
from .rows import TASKS, row

LLM = {"max_model_len": 4096, "kv_cache_gb": 0.25, "max_num_seqs": 8}


def with_room(tiny_model: Path, folder: Path) -> Path:
    """The tiny model with a context that holds BFCL's system prompt and two tools."""
    shutil.copytree(tiny_model, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 4096}))
    return folder


def test_a_random_model_leaves_no_row_unaccounted(project, tiny_model, tmp_path):
    tasks = [task for task in TASKS if task["id"] in ("kept", "statement", "sampled", "silent")]
    tasks.append({**tasks[-1], "id": "long", "query": "many words " * 900})
    tasks.append(row("endless", "7q" * 3000))
    write_project(
        project, None, tasks, with_room(tiny_model, tmp_path / "model"), llm=LLM, generate={"max_tokens": 8},
        judge={"max_tokens": 12}, fcdr={"undecided": "keep"},
    )  # fmt: skip
    stage("generate", "r0")
    generated = {line["id"]: line for line in rows("data/r0/0_generate.ledger.jsonl")}
    assert generated["kept"]["reason"] == "given"
    assert generated["long"]["reason"] == "prompt too long"
    assert generated["sampled"]["reason"] == "cut at the maximum length"
    assert generated["sampled"]["votes"][0]
    stage("refine", "response", "r0")
    judged = rows("data/r0/1_response.ledger.jsonl")
    assert [line["id"] for line in judged] == [line["id"] for line in rows("data/r0/0_generate.jsonl")]
    assert {(line["verdict"], line["action"]) for line in judged} == {("undecided", "keep")}
    endless = next(line for line in judged if line["id"] == "endless")
    assert (endless["reason"], endless["attempts"], endless["votes"]) == ("prompt too long", 0, [])
    asked = [line for line in judged if line["attempts"]]
    assert all(line["votes"][0]["text"] != line["votes"][1]["text"] for line in asked)  # asked again, not greedily
    counts = read_details("metrics/r0/1_response.json")
    assert counts["parse_failures"] == counts["attempts"] == 2 * len(asked)
