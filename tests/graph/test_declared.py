"""The stages declare what they use: code, knobs, outputs."""

import subprocess
import sys
from pathlib import Path

import pytest
from code_closure import ROOT, closure

from funreason.config.params import read_yaml

from .pipeline_copy import Declared, within

# They can refuse a run, not change its result; the values read by params.py are tracked as parameters.
UNTRACKED = {
    f"src/funreason/{name}.py"
    for name in ("errors", "params", "params_data", "params_errors", "params_rounds", "params_training", "stage")
}
PREFLIGHT = ROOT / "src/funreason/doctor"  # it refuses, too, and what it imports changes nothing for the stage
# A change in these makes answers come faster or slower, or hardly differ.
SPEED_ONLY = {
    "llm.kv_cache_gb", "llm.gpu_memory_utilization", "llm.tensor_parallel_size", "llm.max_num_seqs",
    "llm.server.base_url", "llm.server.api_key_env", "llm.server.concurrency", "llm.server.timeout_s",
    "llm.server.max_retries", "llm.server.max_requests", "llm.server.max_tokens", "llm.keep_alive_s",
    "llm.ray.address", "llm.ray.replicas", "llm.ray.pipeline_parallel_size", "llm.ray.cpus", "llm.ray.gpus",
    "llm.ray.start_s", "recipes.hdr.max_rounds",
}  # fmt: skip


def code(stage: Declared) -> set[str]:
    """The modules of a stage. The checks are imported all together; a stage uses its own, and may ask `cot` again."""
    script = stage.cmd[1]
    own = {stage.cmd[2]} if script == "stages/refine.py" else set()
    own |= {"cot"} if own & {"call", "format"} else set()
    return {
        path
        for path in closure(ROOT / script, PREFLIGHT) - UNTRACKED
        if not path.startswith("src/funreason/refine/checks/") or Path(path).stem in own
    } | {script}


def test_a_stage_depends_on_the_code_it_uses_and_no_other(stages):
    for stage in stages:
        used = code(stage)
        missing = {path for path in used if not any(within(path, dep, "/") for dep in stage.deps)}
        assert not missing, f"{stage.name}: add {sorted(missing)} to its deps"
        modules = {dep for dep in stage.deps if dep.endswith(".py") and "/drivers/" not in dep}
        assert modules <= used, f"{stage.name}: does not use {sorted(modules - used)}"


def leaves(values: dict, prefix: str = ""):
    for key, value in values.items():
        yield from leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]


def test_every_knob_is_tracked_by_a_stage(stages):
    """A knob that no stage depends on could be turned without anything happening."""
    tracked = set().union(*(stage.params for stage in stages))
    values = read_yaml(ROOT / "params.yaml")
    # A kind of set waits for its first set.
    tracked |= {f"recipes.{kind}" for kind in ("distill", "self_refine", "hdr")} - {
        f"rounds.{chosen['recipe']}" for chosen in values["rounds"].values()
    }
    for leaf in leaves(values):
        # `rounds` reaches the stages through the paths they depend on, as tested above.
        covered = leaf.startswith("rounds.") or any(within(leaf, key, ".") for key in tracked)
        assert covered != (leaf in SPEED_ONLY), leaf


def test_what_stages_write_is_ignored_and_what_is_compared_is_not(stages):
    written = {path: kept for stage in stages for path, kept in stage.outs.items()}
    command = ["git", "check-ignore", "--no-index", "--stdin"]
    checked = subprocess.run(command, input="\n".join(written), cwd=ROOT, text=True, capture_output=True)
    assert set(checked.stdout.split()) == {path for path, kept in written.items() if kept}


@pytest.mark.parametrize("stage", sorted(path.name for path in (ROOT / "stages").glob("*.py")))
def test_every_stage_checks_all_parameters_first(stage):
    """Whichever stage is the first to run refuses a bad parameter of any other."""
    assert "load_params()" in (ROOT / "stages" / stage).read_text()


def test_a_bad_parameter_is_one_line_before_anything_is_written(tmp_path):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("  lambda:", "  lamda:"))
    done = subprocess.run(
        [sys.executable, ROOT / "stages/world.py"], cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert done.returncode == 1 and done.stdout == ""
    assert (
        done.stderr.count("\n") == 1
        and "unknown key `loss.lamda`, the nearest known key is `loss.lambda`" in done.stderr
    )
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
