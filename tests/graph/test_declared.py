"""The stages declare what they use: code, parameters, outputs."""

import subprocess
import sys

import pytest
from code_closure import ROOT, SRC, closure

from funreason.config import read_yaml

from .pipeline_copy import PARAMS, Declared, within

# They can refuse a run, not change its result (serve/ writes a template for servers beside the weights, which
# `funreason serve` and `export` write anew); the values that config/ reads are tracked as parameters, and a file name
# that changes in core/paths.py changes in dvc.yaml, too.
UNTRACKED = {f"src/funreason/core/{name}.py" for name in ("__init__", "errors", "paths", "runtime", "stage_times")}
UNTRACKED_PACKAGES = (SRC / "funreason/config", SRC / "funreason/doctor", SRC / "funreason/serve")
# A change in these makes answers come faster or slower, or hardly differ.
SPEED_ONLY = {
    "llm.kv_cache_gb", "llm.gpu_memory_utilization", "llm.tensor_parallel_size", "llm.max_num_seqs",
    "llm.data_parallel_size", "llm.enable_prefix_caching", "llm.max_num_batched_tokens",
    "llm.server.base_url", "llm.server.api_key_env", "llm.server.concurrency", "llm.server.timeout_s",
    "llm.server.max_retries", "llm.server.max_requests", "llm.server.max_tokens", "llm.server.max_refused_fraction",
    "llm.keep_alive_s",
    "llm.ray.address", "llm.ray.replicas", "llm.ray.pipeline_parallel_size", "llm.ray.cpus", "llm.ray.gpus",
    "llm.ray.start_s",
}  # fmt: skip
HASHED = {"publish": {"src/funreason/prompts"}}  # read as texts, not imported: the data card names their hashes
STAGES = sorted(path.name for path in (ROOT / "stages").glob("[a-z]*.py"))


def used_code(stage: Declared) -> set[str]:
    script = stage.cmd[1]
    return closure(ROOT / script, *UNTRACKED_PACKAGES) - UNTRACKED | {script}


def undeclared(used: set[str], stage: Declared) -> set[str]:
    return {path for path in used if not any(within(path, dep, "/") for dep in stage.deps)}


def unused(used: set[str], stage: Declared) -> set[str]:
    """Modules and packages among the deps of which the stage imports nothing."""
    code = {dep for dep in stage.deps if dep.startswith("src/") and (dep.endswith(".py") or (ROOT / dep).is_dir())}
    code -= HASHED.get(stage.name.partition("@")[0], set())
    return {dep for dep in code if not any(within(path, dep, "/") for path in used)}


def test_a_stage_depends_on_the_code_it_uses_and_no_other(stages):
    for stage in stages:
        used = used_code(stage)
        assert not (missing := undeclared(used, stage)), f"{stage.name}: add {sorted(missing)} to its deps"
        assert not (needless := unused(used, stage)), f"{stage.name}: does not use {sorted(needless)}"


def test_a_missing_and_a_needless_package_are_found(stages):
    stage = next(stage for stage in stages if stage.name == "cot@r0")
    used = used_code(stage)
    judged, needless = "src/funreason/refine", "src/funreason/train"
    other = Declared(stage.name, stage.cmd, stage.deps - {judged} | {needless}, stage.params, stage.outs)
    missing = undeclared(used, other)
    assert missing and all(within(path, judged, "/") for path in missing)
    assert unused(used, other) == {needless}


def test_the_toy_models_depend_on_the_code_that_trains_them():
    """By file: a needless training takes hours. core/jsonio.py only writes their curves."""
    used = closure(ROOT / "toy/train.py", *UNTRACKED_PACKAGES) - UNTRACKED - {"src/funreason/core/jsonio.py"}
    stages = read_yaml(ROOT / "toy/dvc.yaml")["stages"]
    for role in ("tokenizer", "trunk", "teacher", "judge", "base"):
        declared = {dep for dep in stages[role]["deps"] if dep.startswith("src/") and dep.endswith(".py")}
        assert declared == used - {"src/funreason/toy/tokenizer.py"}  # as ${start} of the tokenizer


def test_every_dependency_in_the_repository_exists(stages):
    """DVC would only complain when the stage runs."""
    named = {dep for stage in stages for dep in stage.deps if dep.startswith(("src/", "stages/", "requirements/"))}
    assert {dep for dep in named if not (ROOT / dep).exists()} == set()


def leaves(values: dict, prefix: str = ""):
    for key, value in values.items():
        yield from leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]


def test_every_parameter_is_tracked_by_a_stage(stages):
    """A parameter that no stage depends on could be changed without anything happening."""
    tracked = set().union(*(stage.params for stage in stages))
    values = read_yaml(PARAMS)
    # A recipe waits for the first round that uses it; recipes.hdr.max_rounds only refuses rounds.
    tracked |= {f"recipes.{name}" for name in set(values["recipes"]) - {r["recipe"] for r in values["rounds"].values()}}
    for leaf in leaves(values):
        # `rounds` reaches the stages through the paths they depend on, as tests/graph/test_reruns.py shows.
        covered = leaf.startswith("rounds.") or any(within(leaf, key, ".") for key in tracked)
        assert covered != (leaf in SPEED_ONLY), leaf


def test_what_stages_write_is_ignored_and_what_is_compared_is_not(stages):
    written = {path: kept for stage in stages for path, kept in stage.outs.items()}
    command = ["git", "check-ignore", "--no-index", "--stdin"]
    checked = subprocess.run(command, input="\n".join(written), cwd=ROOT, text=True, capture_output=True)
    assert set(checked.stdout.split()) == {path for path, kept in written.items() if kept}


@pytest.mark.parametrize("script", STAGES)
def test_a_stage_refuses_a_bad_parameter_in_one_line_and_writes_nothing(tmp_path, script):
    """Whichever stage is the first to run, and whoever's the parameter is."""
    text = PARAMS.read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("  lambda:", "  lamda:"), encoding="utf-8")
    words = {"refine.py": ["cot", "r0"]}.get(script, [] if script in NO_ROUND else ["r0"])
    command = [sys.executable, ROOT / "stages" / script, *words]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "unknown key `loss.lamda`, the nearest known key is `loss.lambda`" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


NO_ROUND = ("decontaminate.py", "inputs.py", "prepare.py", "report.py", "resolve.py", "world.py")


def test_dvc_keeps_the_earlier_runs_of_every_stage():
    """It does where all outputs outside its cache are metrics or plots: else a value that is set back trains again."""
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    del stages["report"]  # takes seconds, and its tables are in Git for people to read
    del stages["inputs"]  # has to look again
    for name, stage in stages.items():
        outs = stage.get("do", stage).get("outs", [])
        assert not [out for out in outs if isinstance(out, dict) and out[next(iter(out))].get("cache") is False], name
