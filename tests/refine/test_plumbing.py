"""The stages over real vLLM, with a model that nobody trained: all is asked, nothing can be read."""

import json
from pathlib import Path

from .conftest import rows, stage, write_project
from .rows import TASKS

LLM = {"max_model_len": 1024, "kv_cache_gb": 0.25, "max_num_seqs": 8}


def test_a_random_model_leaves_no_row_unaccounted(project, tiny_model):
    tasks = [task for task in TASKS if task["id"] in ("kept", "statement", "sampled", "silent")]
    tasks.append({**tasks[-1], "id": "long", "query": "many words " * 900})
    write_project(
        project, None, tasks, tiny_model, llm=LLM, generate={"max_tokens": 8}, judge={"max_tokens": 12},
        fcdr={"undecided": "keep"},
    )  # fmt: skip
    stage("generate", "r0")
    generated = {row["id"]: row for row in rows("data/r0/0_generate.ledger.jsonl")}
    assert generated["kept"]["reason"] == "given"
    assert generated["long"]["reason"] == "prompt too long"
    assert {generated[name]["action"] for name in ("sampled", "silent")} <= {"keep", "drop"}
    stage("refine", "response", "r0")
    judged = rows("data/r0/1_response.ledger.jsonl")
    assert [row["id"] for row in judged] == [row["id"] for row in rows("data/r0/0_generate.jsonl")]
    assert {(row["verdict"], row["action"], row["asks"]) for row in judged} == {("undecided", "keep", 2)}
    assert all(row["votes"][0] != row["votes"][1] for row in judged)  # asked again, not greedily
    found = json.loads(Path("metrics/r0/1_response.json").read_text())
    assert found["parse_failures"] == found["asks"] == 2 * len(judged)
