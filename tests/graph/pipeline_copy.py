"""A copy of the project in which every stage has run, as far as DVC can tell; outputs are placeholders.

Its params.yaml is the toy profile, whatever the user's own one says.
"""

import contextlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
from code_closure import ROOT
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from funreason.config import read_yaml, yaml

PARAMS = ROOT / "profiles/toy.yaml"  # complete
ROUNDS = ("r0", "r1")
LOOPED = ("generate", "response", "query_tool", "cot", "call", "format", "validate", "publish", "method", "train",
          "evaluate_bfcl", "evaluate_code", "gate", "code_retention", "summary")  # fmt: skip


def every(*stages: str, rounds=ROUNDS) -> set[str]:
    return {f"{stage}@{name}" for stage in stages for name in rounds}


def make_copy(folder: Path) -> None:
    shutil.copy(PARAMS, folder / "params.yaml")
    for name in (
        "dvc.yaml",
        "toy/dvc.yaml",
        "toy/params.yaml",
        "requirements/acebench.lock",
        "requirements/bfcl-vector.lock",
        "requirements/bfcl.lock",
        "requirements/bfcl3.lock",
        "requirements/evalplus.lock",
        ".dvcignore",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "metrics", folder / "metrics")  # of the last run, for estimates
    with contextlib.chdir(folder), Repo.init(".", no_scm=True) as repo:
        for stage in repo.index.stages:
            if stage.path_in_repo == "dvc.yaml":
                for path in [*(dep.fs_path for dep in stage.deps), *(out.fs_path for out in stage.outs)]:
                    _placeholder(Path(path))
        repo.commit("dvc.yaml", force=True)


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


def declared_stages(folder: Path) -> list[Declared]:
    with contextlib.chdir(folder), Repo(".") as repo:
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


_before: dict[Path, bytes | None] = {}


def put_back() -> None:
    """Undo every `edit`."""
    for path, content in _before.items():
        path.write_bytes(content) if content is not None else path.unlink(missing_ok=True)
    _before.clear()


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
