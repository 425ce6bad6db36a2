"""The two releases of bfcl-eval behind the same names: entries, their prompts, and the scoring of one category.

v4 (2026.3.23) names its categories as we do; v3 (2025.6.8) says simple, java, javascript. v3 has no partial
runs: it gets a data folder with the entries that were asked.
"""

import importlib
import json
import tempfile
from pathlib import Path

import bfcl_stub  # must come before bfcl_eval
from bfcl_eval import _llm_response_generation, utils
from bfcl_eval.eval_checker import eval_runner, eval_runner_helper
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from bfcl_eval.model_handler import utils as decoding

V3 = not hasattr(utils, "load_dataset_entry")
NOWHERE = Path()  # where the runner would write, see `evaluated`
_V3_NAMES = {"simple_python": "simple", "simple_java": "java", "simple_javascript": "javascript"}


def name_of(category: str) -> str:
    """The installed release's name for a category."""
    return _V3_NAMES.get(category, category) if V3 else category


def entries(category: str) -> list[dict]:
    """All entries of a category, ready for prompts, in the order of BFCL's file."""
    name = name_of(category)
    if not V3:
        return utils.load_dataset_entry(name)
    rows = unique_ids(utils.load_file(utils.find_file_with_suffix(eval_runner.PROMPT_PATH, name)))
    if name.startswith("multi_turn"):
        return _llm_response_generation.process_multi_turn_test_case(rows)
    for entry in rows:  # as the handlers of v3 do before they ask; for several turns they do it themselves
        decoding.func_doc_language_specific_pre_processing(entry["function"], name)
    return rows


def unique_ids(rows: list[dict]) -> list[dict]:
    """The rows, each with an id of its own: v3's live_relevance has one id twice, and verdicts go by id.

    The second row gets the next free number of a prompt, in live_relevance 3-3-1 after 3-3-0.
    """
    taken: set[str] = set()
    for row in rows:
        while row["id"] in taken:
            head, _, last = row["id"].rpartition("-")
            row["id"] = f"{head}-{int(last) + 1}"
        taken.add(row["id"])
    return rows


def messages(entry: dict, category: str) -> list[dict]:
    """The chat of a single-turn entry of `category`. BFCL's function takes the category in v3, the id in v4."""
    last = name_of(category) if V3 else entry["id"]
    return decoding.system_prompt_pre_processing_chat_model(entry["question"][0], entry["function"], last)


def load_apis() -> None:
    """Import the simulated APIs here: else each forked process imports them, which takes longer."""
    for name, module in multi_turn_utils.CLASS_FILE_PATH_MAPPING.items():
        if not name.startswith(("Memory", "WebSearch")):  # of v4's other categories; they load a vector store
            importlib.import_module(module)


def evaluated(category: str, rows: list[dict], data: dict[str, str] | None) -> list[dict]:
    """Score a category by the official runner.

    Args:
        category: our name of it.
        rows: the answers.
        data: the files of a folder that takes the place of BFCL's own data, v4 only.

    Returns:
        The lines of the official score file: a header with counts, then the failures.
    """
    lines: list[dict] = []
    bfcl_stub.fc_mode(any(isinstance(row["result"], list) for row in rows))
    # Kept, not written: writing and reading the prompts of all failures is a third of the work.
    _writer.write_list_of_dicts_to_file = lambda name, rows, folder: lines.extend(rows)
    runner = _evaluated_v3 if V3 else _evaluated_v4
    runner(name_of(category), sorted(rows, key=utils.sort_key), data)
    return lines


def _evaluated_v4(category: str, rows: list[dict], data: dict[str, str] | None) -> None:
    utils.PROMPT_PATH, utils.POSSIBLE_ANSWER_PATH = write_folder(data) if data else OFFICIAL
    eval_runner.evaluate_task(
        category, None, NOWHERE, rows, bfcl_stub.MODEL, bfcl_stub.Handler(), {}, allow_missing=True
    )  # fmt: skip


def _evaluated_v3(category: str, rows: list[dict], data: None) -> None:
    prompts, answers = OFFICIAL
    asked, files = {row["id"] for row in rows}, {}
    for label, source in (("", prompts), ("possible_answer/", answers)):
        # Irrelevance and relevance have no possible answers.
        if path := next(source.glob(f"BFCL_v3_{category}.json"), None):
            kept = [entry for entry in unique_ids(utils.load_file(path)) if entry["id"] in asked]
            files[label + path.name] = "".join(json.dumps(entry) + "\n" for entry in kept)
    eval_runner.PROMPT_PATH, eval_runner.POSSIBLE_ANSWER_PATH = write_folder(files)
    state = {"leaderboard_table": {}}
    eval_runner.record_result = lambda *_: None  # for the tables of the leaderboard, which are not used
    eval_runner.evaluate_task(category, None, NOWHERE, rows, bfcl_stub.MODEL, bfcl_stub.Handler(), state)


def write_folder(files: dict[str, str]) -> tuple[Path, Path]:
    """(data folder, folder of possible answers), written from texts by file name."""
    root = Path(tempfile.mkdtemp())
    (root / "possible_answer").mkdir()
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root, root / "possible_answer"


_writer = eval_runner if V3 else eval_runner_helper
_paths = eval_runner if V3 else utils
OFFICIAL = _paths.PROMPT_PATH, _paths.POSSIBLE_ANSWER_PATH
