"""What the real dvc.yaml reruns when something changes."""

import networkx as nx
import pytest
from dvc.repo import Repo

from .pipeline_copy import LOOPED, SETS, changed, edit, every, put_back, set_param, within


def test_nothing_changed_nothing_runs(project):
    assert changed() == (set(), set())


def test_another_lambda_reruns_training_and_what_follows(project):
    set_param("loss.lambda", 0.3)
    direct, all_of_them = changed()
    assert direct == every("train")
    after = every("train", "evaluate_bfcl", "evaluate_code", "accept", "forgetting")
    assert all_of_them == after | every(*LOOPED, sets=["r1"]) | {"report"}


def test_a_further_set_plans_its_own_stages_only(project):
    hard = {"kind": "hdr", "tasks": "data/r1/hard.jsonl", "sampler": "r1", "init": "r1", "earlier": "data/empty.jsonl"}
    following = {
        "kind": "refine",
        "tasks": "data/tasks.jsonl",
        "sampler": "r1",
        "init": "r1",
        "earlier": "data/r1/train.jsonl",
    }
    for further in (following, hard):
        set_param("sets.r2", further)
        planned = every(*LOOPED, sets=["r2"]) | {"report"}
        assert changed() == (planned, planned)


def test_a_prompt_edit_reruns_its_check_and_what_follows(project):
    """The CoT check is asked again about new answers; the data card names the prompts' hashes."""
    order = ("response", "query_tool", "cot", "call", "format")
    for place, check in enumerate(order):
        edit(f"src/funreason/prompts/judge_{check}.txt", "Another prompt.\n")
        direct, all_of_them = changed()
        asked = ("cot", "call", "format") if check == "cot" else (check,)
        assert direct == every(*asked, "publish"), check
        spared = every("generate", *order[:place], sets=["r0"])
        assert not spared & all_of_them and every(*order[place:], "validate", "train") <= all_of_them
        put_back()


LLM_STAGES = every("generate", "response", "query_tool", "cot", "call", "format", "evaluate_bfcl", "evaluate_code")
BASELINES = {"baseline_bfcl", "baseline_code"}


def test_a_link_of_the_chain_reaches_its_stage_only(project):
    set_param("sets.r1.init", "base")
    set_param("sets.r1.earlier", "data/empty.jsonl")
    set_param("sets.r1.sampler", "base")
    set_param("sets.r1.tasks", "data/r0/hard.jsonl")
    assert changed()[0] == every("train", "accept", "validate", "generate", "publish", sets=["r1"]) | {"report"}


def test_a_source_reaches_the_stages_that_read_it(project):
    """Two sources on the hub are two times the same empty file to DVC; their descriptor is what tells them apart."""
    set_param("data.multi_turn.path", "data/desk/dialogs.jsonl")
    assert changed()[0] == {"resolve", "prepare"}
    put_back()
    set_param("data.path", "data/empty.jsonl")
    set_param("data.hub", "own/it")
    direct, all_of_them = changed()
    assert direct == {"resolve"} and "prepare" in all_of_them


def test_a_file_and_a_parameter_deep_in_a_dependency_are_seen(project):
    edit("src/funreason/llm/client.py", "# changed")
    set_param("llm.max_num_seqs", 7)
    set_param("evaluate.code.timeout_s", 7)
    assert changed()[0] == LLM_STAGES | BASELINES


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("desk.pool_rows", {"world"}),
        ("desk.dialog_rows", {"world"}),
        ("data.multi_turn.split", {"resolve", "prepare"}),
        ("data.multi_turn.path", {"resolve"}),
        ("models.judges.judge.path", {"resolve"}),
        ("prepare.max_bad_share", {"prepare"}),
        ("generate.seed", every("generate")),
        ("rounds.distil.temperature", every("generate", sets=["r0"])),
        ("rounds.refine.samples", every("generate", "validate", sets=["r1"])),
        ("rounds.refine.choice", every("validate", sets=["r1"])),
        ("rounds.refine.earlier_share", every("validate", sets=["r1"])),
        ("rounds.refine.panel.rule", every("response", "query_tool", "cot", "call", "format", sets=["r1"])),
        ("rounds.hdr.samples", set()),
        ("rounds.max_regression", every("accept")),
        ("rounds.measure", every("accept") | {"report"}),
        ("rounds.max_hdr", set()),
        ("judge.max_asks", every("response", "query_tool", "cot", "call", "format")),
        ("fcdr.undecided", every("response", "query_tool", "cot", "call", "format")),
        ("fcdr.mode", every("response", "query_tool", "cot", "call", "format")),
        ("fcdr.cot.rule", every("cot", "call", "format")),
        ("fcdr.recheck_cot", every("call", "format")),
        ("data.license", every("publish")),
        ("fcdr.call.max_regen", every("call")),
        ("fcdr.format.max_regen", every("format")),
        ("train.epochs", every("train")),
        ("llm.dtype", LLM_STAGES | BASELINES),
        ("llm.max_num_seqs", set()),
        ("llm.server.concurrency", set()),
        ("evaluate.bfcl.limit", every("evaluate_bfcl") | {"baseline_bfcl"}),
        ("evaluate.code.timeout_s", every("evaluate_code") | {"baseline_code"}),
    ],
)  # fmt: skip
def test_a_parameter_reaches_its_stages_only(stages, key, expected):
    assert {stage.name for stage in stages if any(within(key, own, ".") for own in stage.params)} == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/funreason/prompts/judge_query_tool.txt", every("query_tool", "publish")),
        ("src/funreason/prompts/judge_cot.txt", every("cot", "call", "format", "publish")),
        ("src/funreason/prompts/judge_cot.json", every("cot", "call", "format", "publish")),
        ("src/funreason/refine/checks/call.py", every("call")),
        ("src/funreason/srml/loss.py", every("train")),
        ("src/funreason/llm/refs.py", LLM_STAGES | BASELINES | every("train", "accept", "publish") | {"resolve"}),
        ("src/funreason/llm/client.py", LLM_STAGES | BASELINES),
        ("src/funreason/params.py", set()),
        ("metrics/r0/bfcl.json", every("accept") | {"report"}),
        ("metrics/r1/bfcl.json", every("accept", sets=["r1"]) | {"report"}),
        ("data/desk/new/x", every("evaluate_bfcl") | {"baseline_bfcl"}),
        ("desk/models/MANIFEST.json", {"resolve"}),
        ("models/judges.json", every("response", "query_tool", "cot", "call", "format", "publish")),
        ("requirements/bfcl.lock", every("evaluate_bfcl") | {"baseline_bfcl"}),
    ],
)  # fmt: skip
def test_a_file_reaches_its_stages_only(stages, path, expected):
    assert {stage.name for stage in stages if any(within(path, own, "/") for own in stage.deps)} == expected


def test_what_python_leaves_behind_changes_nothing(project):
    edit("src/funreason/llm/__pycache__/client.cpython-311.pyc", "compiled")
    assert changed() == (set(), set())


def test_the_desk_models_are_never_trained_from_here(project):
    with Repo(".") as repo:
        graph = repo.index.graph
        root = {stage for stage in graph if stage.path_in_repo == "dvc.yaml"}
        assert len(root) == 6 + len(LOOPED) * len(SETS)
        needed = set().union(*(nx.descendants(graph, stage) for stage in root))
        assert not needed - root
