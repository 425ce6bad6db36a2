"""What the real dvc.yaml reruns when something changes. No stage runs: every output is a placeholder."""

import contextlib
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import pytest
from code_closure import ROOT, closure
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from funreason.params import read_yaml, yaml

SETS = ("r0", "r1")
LOOPED = ("generate", "response", "query_tool", "cot", "call", "format", "validate", "publish", "train",
          "evaluate_bfcl", "evaluate_code", "forgetting")  # fmt: skip
# They can refuse a run, not change its result; the values read by params.py are tracked as parameters.
UNTRACKED = {f"src/funreason/{name}.py" for name in ("errors", "params", "params_errors", "stage")}
# A change in these makes answers come faster or slower, or hardly differ.
SPEED_ONLY = {
    "llm.kv_cache_gb", "llm.gpu_memory_utilization", "llm.tensor_parallel_size", "llm.max_num_seqs",
    "llm.server.base_url", "llm.server.api_key_env", "llm.server.concurrency", "llm.server.timeout_s",
    "llm.server.max_retries", "llm.server.max_requests", "llm.server.max_tokens", "llm.keep_s",
}  # fmt: skip


def every(*stages: str, sets=SETS) -> set[str]:
    return {f"{stage}@{name}" for stage in stages for name in sets}


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Path:
    """A copy of the project in which every stage has run, as far as DVC can tell."""
    folder = tmp_path_factory.mktemp("project")
    for name in (
        "dvc.yaml",
        "params.yaml",
        "desk/dvc.yaml",
        "desk/params.yaml",
        "requirements/bfcl.lock",
        "requirements/bfcl3.lock",
        "requirements/evalplus.lock",
        ".dvcignore",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    with contextlib.chdir(folder), Repo.init(".", no_scm=True) as repo:
        for stage in repo.index.stages:
            if stage.path_in_repo == "dvc.yaml":
                for path in [*(dep.fs_path for dep in stage.deps), *(out.fs_path for out in stage.outs)]:
                    _placeholder(Path(path))
        repo.commit("dvc.yaml", force=True)
    return folder


def _placeholder(path: Path) -> None:
    """A file, or for a name without an ending a folder with one."""
    if not path.exists():
        path = path if path.suffix else path / "file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.as_posix() if path.name != "empty.jsonl" else "")


@dataclass
class Declared:
    """What dvc.yaml says about one stage; paths are relative."""

    name: str
    cmd: list[str]
    deps: set[str]
    params: set[str]
    outs: dict[str, bool]  # path → whether DVC keeps it


@pytest.fixture(scope="module")
def stages(committed) -> list[Declared]:
    with contextlib.chdir(committed), Repo(".") as repo:
        return [
            Declared(
                stage.name,
                stage.cmd.split(),
                {dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)},
                {key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params},
                {out.def_path: out.use_cache for out in stage.outs},
            )
            for stage in repo.index.stages
            if stage.path_in_repo == "dvc.yaml"
        ]


def within(name: str, whole: str, separator: str) -> bool:
    """Whether `name` is `whole` or a part of it."""
    return name == whole or name.startswith(whole + separator)


@pytest.fixture
def project(committed, monkeypatch) -> Iterator[Path]:
    """The copy as the current folder; what a test `edit`s is put back after it."""
    monkeypatch.chdir(committed)
    _before.clear()
    yield committed
    for path, content in _before.items():
        path.write_bytes(content) if content is not None else path.unlink()


_before: dict[Path, bytes | None] = {}


def edit(name: str, text: str) -> None:
    path = Path(name).absolute()
    _before.setdefault(path, path.read_bytes() if path.exists() else None)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def names(stages) -> set[str]:
    return {stage.name for stage in stages if stage.path_in_repo == "dvc.yaml"}


def changed() -> tuple[set[str], set[str]]:
    """(stages changed themselves, those and all that follow them), of the root pipeline."""
    with Repo(".") as repo, repo.lock:
        graph = repo.index.graph
        direct = {
            stage
            for stage in graph
            if stage.path_in_repo == "dvc.yaml"
            and (stage.changed_stage() or stage.changed_deps(True) or stage.changed_outs(True))
        }
        return names(direct), names(direct.union(*(nx.ancestors(graph, stage) for stage in direct)))


def set_param(dotted: str, value) -> None:
    document = read_yaml("params.yaml", "rt")
    *blocks, key = dotted.split(".")
    node = document
    for block in blocks:
        node = node[block]
    node[key] = value
    text = io.StringIO()
    yaml().dump(document, text)
    edit("params.yaml", text.getvalue())


def test_nothing_changed_nothing_runs(project):
    assert changed() == (set(), set())


def test_another_lambda_reruns_training_and_what_follows(project):
    set_param("loss.lambda", 0.3)
    direct, all_of_them = changed()
    assert direct == every("train")
    assert all_of_them == every("train", "evaluate_bfcl", "evaluate_code", "forgetting") | every(*LOOPED, sets=["r1"])


def test_a_further_set_plans_its_own_stages_only(project):
    following = {"sampler": "models/r1", "init": "models/r1", "earlier": "data/r1/train.jsonl"}
    set_param("sets.r2", following)
    assert changed() == (every(*LOOPED, sets=["r2"]), every(*LOOPED, sets=["r2"]))


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
        for path, content in _before.items():
            path.write_bytes(content)


LLM_STAGES = every("generate", "response", "query_tool", "cot", "call", "format", "evaluate_bfcl", "evaluate_code")
BASELINES = {"baseline_bfcl", "baseline_code"}


def test_a_link_of_the_chain_reaches_its_stage_only(project):
    set_param("sets.r1.init", "models/base.json")
    set_param("sets.r1.earlier", "data/empty.jsonl")
    set_param("sets.r1.sampler", "models/teacher.json")
    assert changed()[0] == every("train", "validate", "generate", "publish", sets=["r1"])


def test_a_file_and_a_parameter_deep_in_a_dependency_are_seen(project):
    edit("src/funreason/llm/client.py", "# changed")
    set_param("llm.max_num_seqs", 7)
    set_param("evaluate.code.timeout_s", 7)
    assert changed()[0] == LLM_STAGES | BASELINES


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("desk.pool_rows", {"world"}),
        ("models.judges.judge.path", {"resolve"}),
        ("prepare.max_bad_share", {"prepare"}),
        ("generate.temperature", every("generate")),
        ("generate.samples", every("generate", "validate")),
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
        ("src/funreason/llm/refs.py", LLM_STAGES | BASELINES | every("train", "publish") | {"resolve"}),
        ("src/funreason/llm/client.py", LLM_STAGES | BASELINES),
        ("src/funreason/params.py", set()),
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
        assert len(root) == 5 + len(LOOPED) * len(SETS)
        needed = set().union(*(nx.descendants(graph, stage) for stage in root))
        assert not needed - root


def code(stage: Declared) -> set[str]:
    """The modules of a stage. The checks are imported all together; a stage uses its own, and may ask `cot` again."""
    script = stage.cmd[1]
    own = {stage.cmd[2]} if script == "stages/refine.py" else set()
    own |= {"cot"} if own & {"call", "format"} else set()
    return {
        path
        for path in closure(ROOT / script) - UNTRACKED
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
    for leaf in leaves(read_yaml(ROOT / "params.yaml")):
        # `sets` reaches the stages through the paths they depend on, as tested above.
        covered = leaf.startswith("sets.") or any(within(leaf, key, ".") for key in tracked)
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
