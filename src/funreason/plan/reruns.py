"""What `dvc repro` would run, and what that would ask, before it runs. Nothing is run, nothing is written.

DVC's own comparison of its lock with the files, over a view of the folder in which params.yaml has other values.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import networkx as nx
from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException
from dvc.fs import LocalFileSystem
from dvc.repo import Repo
from dvc.repo.graph import build_graph
from dvc.stage import Stage

from funreason.config import Params, load_params
from funreason.core.errors import DataError
from funreason.plan.estimate import Work, cost, table
from funreason.plan.rerun_work import Estimates

FILE, PIPELINE = "params.yaml", "dvc.yaml"
# A change in these asks nothing that has not been answered: no part of a question, nor of how it is drawn.
SAME_QUESTIONS = {"fcdr.undecided", "fcdr.response.rule", "fcdr.query_tool.rule", "fcdr.cot.rule",
                  "llm.dtype", "llm.max_model_len", "llm.prices.prompt", "llm.prices.completion"}  # fmt: skip


@dataclass(frozen=True)
class Rerun:
    """A stage that would run. `because`: what changed for it, empty where it only comes after others (`after`).
    `stored`: its questions are those of the last time, whose answers the cache has, unless new code asks otherwise.
    """

    work: Work
    because: tuple[str, ...]
    after: tuple[str, ...]
    stored: bool


@dataclass(frozen=True)
class Reruns:
    """`absent`: outputs that are not here; where `dvc pull` does not bring them, their stages run, too."""

    stages: list[Rerun]
    absent: list[str]
    cost: float

    def to_row(self) -> dict:
        return asdict(self)


class Overlay(LocalFileSystem):
    """The folder, but for one file that has another text."""

    def __init__(self, path: Path, text: str):
        super().__init__()
        self._own, self._text = str(path.absolute()), text

    def open(self, path, mode="r", **kwargs):
        if str(Path(path).absolute()) != self._own:
            return super().open(path, mode, **kwargs)
        return io.BytesIO(self._text.encode()) if "b" in mode else io.StringIO(self._text)


def reruns(text: str, params: Params, targets: Iterable[str] = ()) -> Reruns:
    """What runs with `text` in place of params.yaml, whose checked values are `params`.

    `targets`: only these stages and what they need. Raises DataError for an unknown target or an unreadable pipeline.
    """
    was, changes, absent = load_params(), {}, []
    try:
        with Repo(".", fs=Overlay(Path(FILE), text)) as repo:
            graph = _graph(repo, targets)
            for stage in nx.topological_sort(graph.reverse(copy=False)):
                changes[stage] = list(_changes(stage, absent))
            found = _closure(graph, changes)
    except DvcException as error:
        raise DataError(f"{PIPELINE}: {' '.join(str(error).split())}") from None
    estimates = Estimates(was, params)
    stages = [Rerun(estimates.work(stage.name), *reason) for stage, reason in found.items()]
    return Reruns(stages, absent, cost(params.llm.prices, [rerun.work for rerun in stages]))


def _graph(repo: Repo, targets: Iterable[str]) -> nx.DiGraph:
    """The stages of dvc.yaml, edges from a stage to what it needs."""
    graph = build_graph(repo.stage.load_file(PIPELINE))
    names = {stage.name: stage for stage in graph}
    names |= {stage.name.partition("@")[0]: None for stage in graph if "@" in stage.name}
    if unknown := [target for target in targets if target.partition("@")[0] not in names and target not in names]:
        raise DataError(f"no stage {unknown[0]!r} in {PIPELINE}, which has {', '.join(sorted(names))}")
    chosen = [stage for stage in graph if stage.name in targets or stage.name.partition("@")[0] in targets]
    needed = set(chosen).union(*(nx.descendants(graph, stage) for stage in chosen)) if targets else set(graph)
    return graph.subgraph(needed)


def _changes(stage: Stage, absent: list[str]) -> Iterator[str]:
    """What differs from the last run of a stage: keys of params.yaml, files. Outputs not here go to `absent`."""
    if not any(dep.hash_info.value for dep in stage.deps):
        yield "never run"
        return
    if stage.changed_stage():
        yield "its command, or what it declares"
    for dep in stage.deps:
        status = dep.status().get(str(dep))
        if isinstance(dep, ParamsDependency):
            yield from _knobs(dep, status or ())
        elif status not in (None, "deleted"):
            yield dep.def_path
    for out in stage.outs:
        status = out.status().get(str(out))
        if status in ("deleted", "not in cache"):
            absent.append(out.def_path)
        elif status:
            yield f"{out.def_path} was changed by hand"


def _knobs(dep: ParamsDependency, changed: Iterable[str]) -> Iterator[str]:
    """The leaves that differ, of blocks that a stage depends on as wholes."""
    now = dep.read_params() if changed else {}
    for key in changed:
        yield from _leaves(key, dep.hash_info.value.get(key), now.get(key))


def _leaves(key: str, was, now) -> Iterator[str]:
    if not isinstance(was, dict) or not isinstance(now, dict):
        yield key
        return
    for name in {**was, **now}:
        if was.get(name) != now.get(name):
            yield from _leaves(f"{key}.{name}", was.get(name), now.get(name))


def _closure(graph: nx.DiGraph, changes: dict[Stage, list[str]]) -> dict[Stage, tuple]:
    """(because, after, stored) of each stage that runs, in an order in which they can."""
    found: dict[Stage, tuple] = {}
    for stage, because in changes.items():
        after = _nearest(graph, [before for before in graph.successors(stage) if before in found])
        if because or after:
            found[stage] = (tuple(because), after, not after and all(map(_same_questions, because)))
    return found


def _nearest(graph: nx.DiGraph, stages: list[Stage]) -> tuple[str, ...]:
    """The names of those that none of the others needs."""
    needed = set().union(*(nx.descendants(graph, stage) for stage in stages))
    return tuple(sorted(stage.name for stage in stages if stage not in needed))


def _same_questions(reason: str) -> bool:
    code = reason.startswith(("src/", "stages/")) and not reason.startswith("src/funreason/prompts")
    return code or reason in SAME_QUESTIONS


def text(found: Reruns) -> str:
    """For people."""
    if not found.stages:
        return "\n".join(["Nothing would run.", *_absent(found)])
    because = [_because(rerun) for rerun in found.stages]
    stored = sum(rerun.work.requests for rerun in found.stages if rerun.stored)
    direct = sum(bool(rerun.because) for rerun in found.stages)
    lines = [
        table([rerun.work for rerun in found.stages], because),
        "",
        f"{direct} changed, and at most {len(found.stages) - direct} after them: a stage whose inputs come out as they",
        "were is skipped. Counts are those of the last run; answers that the cache holds are not asked for again.",
    ]
    if stored:
        lines += [f"{stored:,} requests repeat questions of the last run: their answers are stored."]
    return "\n".join([*lines, f"Cost at llm.prices: {found.cost:.2f} at most.", *_absent(found)])


def _because(rerun: Rerun) -> str:
    shown = rerun.because or tuple(f"after {name}" for name in rerun.after)
    return shown[0] + (f" and {len(shown) - 1} more" if len(shown) > 1 else "")


def _absent(found: Reruns) -> list[str]:
    if not found.absent:
        return []
    return [
        f"{len(found.absent)} outputs are not here ({found.absent[0]}, …): `dvc pull` them, or their stages run, too."
    ]
