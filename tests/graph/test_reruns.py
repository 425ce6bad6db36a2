"""What the real dvc.yaml reruns when something changes."""

from pathlib import Path

import networkx as nx
import pytest
from code_closure import ROOT
from dvc.repo import Repo

from funreason.config import read_yaml

from .pipeline_copy import LOOPED, PARAMS, ROUNDS, changed, edit, every, put_back, set_param, within


def test_nothing_changed_nothing_runs(project):
    assert changed() == (set(), set())


def test_another_lambda_reruns_training_and_what_follows(project):
    set_param("loss.lambda", 0.3)
    direct, all_of_them = changed()
    assert direct == every("train")
    after = every("train", "evaluate_bfcl", "evaluate_code", "gate", "code_retention", "summary")
    assert all_of_them == after | every(*LOOPED, rounds=["r1"]) | {"report"}


def test_a_further_round_plans_its_own_stages_only(project):
    hard = {
        "recipe": "hdr",
        "tasks": "data/r1/hard.jsonl",
        "generator": "r1",
        "init": "r1",
        "replay": "data/empty.jsonl",
    }
    following = {
        "recipe": "self_refine",
        "tasks": "data/tasks.jsonl",
        "generator": "r1",
        "init": "r1",
        "replay": "data/r1/train.jsonl",
    }
    for further in (following, hard):
        set_param("rounds.r2", further)
        planned = every(*LOOPED, rounds=["r2"]) | {"report"}
        assert changed() == (planned, planned)


def test_a_prompt_edit_reruns_its_check_and_what_follows(project):
    """The CoT check is asked again about new answers; the data card names the prompts' hashes."""
    order = ("response", "query_tool", "cot", "call", "format")
    for place, check in enumerate(order):
        edit(f"src/funreason/prompts/judge_{check}.txt", "Another prompt.\n")
        direct, all_of_them = changed()
        asked = ("cot", "call", "format") if check == "cot" else (check,)
        assert direct == every(*asked, "publish"), check
        spared = every("generate", *order[:place], rounds=["r0"])
        assert not spared & all_of_them and every(*order[place:], "validate", "train") <= all_of_them
        put_back()


CHECKED = every("response", "query_tool", "cot", "call", "format")
LLM_STAGES = every("generate", "response", "query_tool", "cot", "call", "format", "evaluate_bfcl", "evaluate_code")
BASELINES = {"baseline_bfcl", "baseline_code"}


def test_a_link_of_the_chain_reaches_its_stage_only(project):
    set_param("rounds.r1.init", "base")
    set_param("rounds.r1.replay", "data/empty.jsonl")
    set_param("rounds.r1.generator", "base")
    set_param("rounds.r1.tasks", "data/r0/hard.jsonl")
    assert changed()[0] == every("train", "gate", "validate", "generate", "publish", "method", rounds=["r1"]) | {
        "report"
    }


def test_a_source_reaches_the_stages_that_read_it(project):
    """Two sources on the hub are two times the same empty file to DVC; their descriptor is what tells them apart."""
    set_param("data.multi_turn.path", "data/toy/conversations.jsonl")
    assert changed()[0] == {"inputs", "resolve", "prepare"}
    put_back()
    set_param("data.path", "data/empty.jsonl")
    set_param("data.hub", "own/it")
    direct, all_of_them = changed()
    assert direct == {"inputs", "resolve"} and "prepare" in all_of_them


def test_a_file_and_a_parameter_deep_in_a_dependency_are_seen(project):
    edit("src/funreason/llm/client.py", "# changed")
    set_param("llm.max_num_seqs", 7)
    set_param("evaluate.code.timeout_s", 7)
    assert changed()[0] == LLM_STAGES | BASELINES


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("toy.pool_rows", {"world"}),
        ("toy.conversation_rows", {"world"}),
        ("data.multi_turn.split", {"resolve", "prepare"}),
        ("data.multi_turn.path", {"inputs", "resolve"}),
        ("models.judges.judge.path", {"resolve"}),
        ("prepare.max_bad_fraction", {"prepare"}),
        ("decontaminate.ngram", {"decontaminate"}),
        ("decontaminate.mode", every("generate") | {"decontaminate"}),
        ("generate.seed", every("generate")),
        ("recipes.distill.temperature", every("generate", rounds=["r0"])),
        ("recipes.self_refine.samples", every("generate", "validate", rounds=["r1"])),
        ("recipes.self_refine.selection", every("validate", rounds=["r1"])),
        ("recipes.self_refine.replay_fraction", every("validate", rounds=["r1"])),
        ("recipes.self_refine.panel.rule", every("response", "query_tool", "cot", "call", "format", rounds=["r1"])),
        ("recipes.hdr.samples", set()),
        ("gate.max_regression", every("gate")),
        ("gate.measure", every("gate", "summary") | {"baseline_summary", "report"}),
        ("recipes.hdr.max_rounds", set()),
        ("judge.max_attempts", every("response", "query_tool", "cot", "call", "format")),
        ("fcdr.undecided", every("response", "query_tool", "cot", "call", "format")),
        ("fcdr.mode", every("response", "query_tool", "cot", "call", "format")),
        ("fcdr.cot.rule", every("cot", "call", "format")),
        ("fcdr.recheck_cot", every("call", "format")),
        ("data.license", every("publish")),
        ("fcdr.call.max_regen", every("call")),
        ("fcdr.format.max_regen", every("format")),
        ("train.epochs", every("train")),
        ("grpo.samples", every("method")),
        ("recipes.distill.method", every("method", rounds=["r0"])),
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
        ("src/funreason/refine/checks.py", CHECKED | every("generate")),
        ("src/funreason/srml/loss.py", every("train")),
        ("src/funreason/llm/refs.py", LLM_STAGES | BASELINES | every("train", "gate", "publish") | {"resolve"}),
        ("src/funreason/llm/client.py", LLM_STAGES | BASELINES),
        ("src/funreason/config/params.py", set()),
        ("metrics/r0/bfcl.json", every("gate") | {"summary@r0", "report"}),
        ("metrics/r1/bfcl.json", every("gate", "summary", rounds=["r1"]) | {"report"}),
        ("data/toy/new/x", every("evaluate_bfcl", "summary") | {"baseline_bfcl", "baseline_summary"}),
        ("toy/models/MANIFEST.json", {"resolve"}),
        ("models/judges.json", every("response", "query_tool", "cot", "call", "format", "publish") | {"report"}),
        (
            "requirements/bfcl.lock",
            every("evaluate_bfcl", "summary") | {"baseline_bfcl", "baseline_summary", "decontaminate"},
        ),
        ("data/tasks.jsonl", every("generate", "validate", "summary") | {"decontaminate"}),
        ("data/overlaps.jsonl", every("generate")),
    ],
)  # fmt: skip
def test_a_file_reaches_its_stages_only(stages, path, expected):
    assert {stage.name for stage in stages if any(within(path, own, "/") for own in stage.deps)} == expected


def test_what_python_leaves_behind_changes_nothing(project):
    edit("src/funreason/llm/__pycache__/client.cpython-311.pyc", "compiled")
    assert changed() == (set(), set())


def test_the_toy_models_are_never_trained_from_here(project):
    with Repo(".") as repo:
        graph = repo.index.graph
        root = {stage for stage in graph if stage.path_in_repo == "dvc.yaml"}
        assert len(root) == 9 + len(LOOPED) * len(ROUNDS)
        needed = set().union(*(nx.descendants(graph, stage) for stage in root))
        assert not needed - root


def test_the_page_names_the_stages_of_each_block(stages):
    """docs/reruns.md: one line per block of params.yaml, with the stages that depend on a key of it."""
    lines = [
        line for line in (ROOT / "docs/reruns.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    table = {
        block.strip("`"): set(named.split(", ")) for block, named in (line.strip("| ").split(" | ") for line in lines)
    }
    assert set(table) == set(read_yaml(PARAMS))
    for block, named in table.items():
        declared = {
            stage.name.partition("@")[0] for stage in stages if any(within(key, block, ".") for key in stage.params)
        }
        assert named == declared | TEMPLATED.get(block, set()), block


# What ${...} in dvc.yaml takes, beside what stages declare; tested above by changing it.
TEMPLATED = {"rounds": {"generate", "validate", "train", "gate"}}


def rewritten(*changes: tuple[str, str]) -> None:
    text = Path("params.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    edit("params.yaml", text)


def test_comments_and_layout_rerun_nothing(project):
    rewritten(
        ("train:\n  learning_rate", "# A comment.\n\ntrain:\n  learning_rate"),
        (
            "  response:\n    judges:\n    - judge\n    rule: majority",
            "  response: {judges: ['judge'], rule: \"majority\"}",
        ),
        ("  pool_rows: 1200", "  pool_rows:     1200 "),
    )
    assert changed() == (set(), set())


@pytest.mark.parametrize("number", ["4e-4", "4.0E-04"])
def test_the_way_a_number_is_written_reruns_nothing(project, number):
    """PyYAML reads 4e-4 as a text; DVC reads YAML 1.2, as the project does."""
    rewritten(("learning_rate: 0.0004", f"learning_rate: {number}"))
    assert changed() == (set(), set())


def test_1_and_1_point_0_are_one_number(project):
    """To DVC; what must be whole is refused before any stage runs (`funreason params check`)."""
    rewritten(("anchor: 1.0", "anchor: 1"), ("timeout_s: 120", "timeout_s: 120.0"))
    assert changed() == (set(), set())


def test_another_number_reruns(project):
    rewritten(("learning_rate: 0.0004", "learning_rate: 4e-3"))
    assert changed()[0] == every("train")
