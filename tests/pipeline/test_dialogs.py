"""A real `dvc repro` over two sources, single queries and conversations: every turn has one outcome, trained on once.

The toy models have not seen conversations, so what they answer is poor; half of the conversations are distilled. Where
the rules are not clear nobody is asked, and the row is kept: the accounts are the point.
"""

from collections import Counter
from pathlib import Path

import pytest
from project import copy_project, dvc
from transformers import AutoTokenizer

from funreason.calls.results import for_template
from funreason.core.jsonio import read_details, read_jsonl
from funreason.core.records import Task
from funreason.prompts.conversation import chat
from funreason.srml.segments import MASKED, label

pytestmark = pytest.mark.model
SMALL = {
    "toy": {"pool_rows": 12, "heldout_rows": 12, "judge_rows": 2, "code_rows": 6, "conversation_rows": 16},
    "data": {"multi_turn": {"path": "data/toy/conversations.jsonl"}},
    "fcdr": {"mode": "heuristics", "undecided": "keep"},
    "generate": {"max_tokens": 64},
    "validate": {"labels": "data/toy/conversations_labels.jsonl"},
    "train": {"epochs": 1},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("dialogs") / "project", SMALL)
    dvc(folder, "repro", "publish@r0", "train@r0")
    return folder


@pytest.fixture(scope="module")
def tasks(finished) -> dict[str, Task]:
    return {row["id"]: Task.from_row(row) for row in read_jsonl(finished / "data/tasks.jsonl")}


def metrics(folder: Path, name: str) -> dict:
    return read_details(folder / "metrics" / name)


def test_all_turns_of_all_conversations_are_tasks(finished, tasks):
    counts = metrics(finished, "prepare.json")
    assert (counts["rows"], counts["conversations"], counts["quarantined"]) == (12 + 16, 16, 0)
    assert counts["tasks"] == len(tasks) == 12 + counts["turns"]
    said = [
        message["role"] for row in read_jsonl(finished / "data/toy/conversations.jsonl") for message in row["messages"]
    ]
    assert counts["turns"] == said.count("assistant") > 60
    assert {name: found["rows"] for name, found in counts["sources"].items()} == {"data": 12, "data.multi_turn": 16}


def test_every_turn_has_one_fate(finished, tasks):
    pools = (finished / "data/r0/pools").glob("*.jsonl")
    pooled = [row for pool in pools for row in read_jsonl(pool)]
    assert Counter(row["id"] for row in pooled) == Counter(list(tasks))
    counts = metrics(finished, "r0/6_validate.json")
    assert counts["outcomes"] == {
        outcome: sum(row["outcome"] == outcome for row in pooled) for outcome in counts["outcomes"]
    }
    assert counts["planted"]["clean"]["rows"] > 0 and counts["outcomes"]["statement"] > 0 < counts["outcomes"]["kept"]
    generated = metrics(finished, "r0/0_generate.json")
    assert generated["given"] == sum(task.response is not None for task in tasks.values())
    assert generated["given"] + generated["llm"]["requests"] == len(tasks)


def said(prompt: list[dict]) -> list[tuple[str, str]]:
    """Role and content. Earlier calls of a turn have their reasoning too, from the accepted rows of this round."""
    return [(message["role"], message["content"]) for message in prompt]


def test_training_rows_hold_each_turn_in_its_context(finished, tasks):
    trained = list(read_jsonl(finished / "data/r0/train.jsonl"))
    assert all(said(row["prompt"]) == said(chat(tasks[row["id"].removeprefix("r0/")])) for row in trained)
    within = [row for row in trained if any(message["role"] == "assistant" for message in row["prompt"])]
    assert {"tool", "user"} == {row["prompt"][-1]["role"] for row in within}
    assert metrics(finished, "r0/dataset.json")["rows_within_conversations"] == len(within)
    shared = read_jsonl(finished / "data/r0/dataset/sharegpt/train.jsonl")
    spoken = {"/".join(turn["from"] for turn in row["conversations"]) for row in shared}
    assert {"human/gpt", "human/gpt/observation/gpt", "human/gpt/observation/gpt/human/gpt"} <= spoken


def test_the_student_was_trained_on_them(finished):
    counts = metrics(finished, "r0/train.json")
    trained = list(read_jsonl(finished / "data/r0/train.jsonl"))
    used = counts["rows"]["used"] + counts["rows"]["heldout"]
    assert used == len(trained) and counts["rows"]["dropped"] == {} and counts["steps"] > 0
    tokenizer = AutoTokenizer.from_pretrained(finished / "models/r0")
    for row in trained[-8:]:
        labelled = label(row, tokenizer, adapt_prompt=for_template)
        ids = [i for i, s in zip(labelled["input_ids"], labelled["segment_ids"], strict=True) if s != MASKED]
        assert tokenizer.decode(ids) == row["completion"][0]["content"] + tokenizer.eos_token
