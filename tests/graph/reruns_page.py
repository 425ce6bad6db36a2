"""docs/reruns.md, from dvc.yaml and params.yaml. Run as: python tests/graph/reruns_page.py (writes the page)."""

import copy
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import networkx as nx
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo
from dvc.repo.graph import build_graph
from dvc.stage import Stage

from funreason.config.params import read_yaml, yaml
from funreason.plan.reruns import Overlay

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reruns.md"
TEMPLATED = ("data.path", "rounds.", "validate.labels")  # what ${...} in dvc.yaml takes, beside what stages declare
HEAD = """# What reruns

For every parameter and every source file: the stages that `dvc repro` runs again when it changes. A name without `@`
is that stage of all rounds. `python tests/graph/reruns_page.py` writes this page from `dvc.yaml`; a test
compares them.

A stage that runs again may write what it wrote before: then nothing after it runs (early cut-off; all outputs are
byte-deterministic). The last table is thus the most that can follow. Answers of models are stored: a stage that runs
again asks only what it has not asked before. Comments, layout and the way a number is written (`1e-5`, `0.00001`) rerun
nothing. For a change at hand: `funreason rerun-plan -S loss.lambda=0.3`.
"""


def leaves(values: dict, prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield from leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]


def load(text: str) -> list[Stage]:
    """The stages of dvc.yaml with `text` as params.yaml."""
    with Repo(ROOT, fs=Overlay(ROOT / "params.yaml", text)) as repo:
        return list(repo.stage.load_file("dvc.yaml"))


def files(stage: Stage) -> set[str]:
    return {dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)}


def knobs(stage: Stage) -> set[str]:
    return {key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params}


def within(name: str, whole: str, separator: str) -> bool:
    return name == whole or name.startswith(whole + separator)


def declaring(stages: list[Stage], leaf: str) -> set[str]:
    return {stage.name for stage in stages if any(within(leaf, key, ".") for key in knobs(stage))}


def by_parameter(stages: list[Stage], values: dict) -> dict[str, set[str]]:
    """The stages that change themselves, by the leaf that changed."""
    found = {leaf: declaring(stages, leaf) for leaf in leaves(values)}
    for leaf in filter(lambda leaf: leaf.startswith(TEMPLATED), found):
        text = io.StringIO()
        yaml("safe").dump(with_other(values, leaf), text)
        found[leaf] |= _differing(stages, load(text.getvalue()))
    return found


def with_other(values: dict, leaf: str) -> dict:
    """A copy with another value there."""
    changed = copy.deepcopy(values)
    *blocks, key = leaf.split(".")
    node = changed
    for block in blocks:
        node = node[block]
    node[key] = f"{node[key]}-other"
    return changed


def _differing(before: list[Stage], after: list[Stage]) -> set[str]:
    shapes = {stage.name: (files(stage), knobs(stage)) for stage in after}
    return {stage.name for stage in before if shapes[stage.name] != (files(stage), knobs(stage))}


def by_file(stages: list[Stage]) -> dict[str, set[str]]:
    """The same by the file of src/ or stages/."""
    sources = sorted(path for room in ("src", "stages") for path in (ROOT / room).rglob("*") if path.is_file())
    names = [path.relative_to(ROOT).as_posix() for path in sources]
    names = [name for name in names if "__pycache__" not in name and ".egg-info" not in name]
    return {
        name: {stage.name for stage in stages if any(within(name, dep, "/") for dep in files(stage))} for name in names
    }


def following(stages: list[Stage]) -> dict[str, set[str]]:
    graph = build_graph(stages)
    return {stage.name: {after.name for after in nx.ancestors(graph, stage)} for stage in stages}


def shown(names: Iterable[str], stages: list[Stage]) -> str:
    """In the pipeline's order, stages of all rounds by their name alone."""
    names, found = set(names), {}
    for stage in stages:
        step = stage.name.partition("@")[0]
        own = {other.name for other in stages if other.name.partition("@")[0] == step}
        if stage.name in names:
            found[step if own <= names else stage.name] = None
    return ", ".join(found) or "–"


def page() -> str:
    values = read_yaml(ROOT / "params.yaml")
    stages = load((ROOT / "params.yaml").read_text())
    tables = [
        ("## Parameters", "parameter", by_parameter(stages, values)),
        ("## Source files", "file", by_file(stages)),
        ("## What follows", "stage", following(stages)),
    ]
    parts = [HEAD]
    for title, first, rows in tables:
        second = "stages after it, at most" if first == "stage" else "stages that run again themselves"
        lines = [f"| `{name}` | {shown(found, stages)} |" for name, found in rows.items()]
        parts.append("\n".join([title, "", f"| {first} | {second} |", "|---|---|", *lines]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
