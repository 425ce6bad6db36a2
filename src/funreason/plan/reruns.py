"""What `dvc repro` would run, and what that would ask, before it runs. Nothing is run, nothing is written.

DVC's own comparison of its lock with the files, over a view of the folder in which params.yaml has other values.
"""

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import networkx as nx
from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException
from dvc.fs import LocalFileSystem
from dvc.repo import Repo
from dvc.repo.graph import build_graph
from dvc.stage import Stage

from funreason.config import Params, load_params
from funreason.core.errors import DataError
from funreason.plan.estimate import RunEstimates, StageEstimate, cost, table

FILE, PIPELINE = "params.yaml", "dvc.yaml"
# A change in these asks nothing that has not been answered: no part of a question, nor of how it is drawn.
SAME_QUESTIONS = {"fcdr.undecided", "fcdr.max_removed", "fcdr.max_undecided",
                  "fcdr.response.rule", "fcdr.query_tool.rule", "fcdr.cot.rule",
                  "generate.watch.rows", "generate.watch.max_unreadable",
                  "llm.max_model_len", "llm.prices.prompt", "llm.prices.completion"}  # fmt: skip


@dataclass(frozen=True)
class Rerun:
    """A stage that would run.

    Attributes:
        estimate: What it would do.
        because: What changed for it; empty where it only comes after others.
        after: The stages before it that run.
        stored: Whether its questions are those of the last run, whose responses the cache has, unless changed code asks
            others.
    """

    estimate: StageEstimate
    because: tuple[str, ...]
    after: tuple[str, ...]
    stored: bool


@dataclass(frozen=True)
class RerunPlan:
    """The stages that would run, in an order in which they can.

    Attributes:
        stages: At most these; a stage whose inputs come out as before is skipped.
        absent: Outputs that are not here; where `dvc pull` does not bring them, their stages run, too.
        cost: Money at llm.prices.
    """

    stages: list[Rerun]
    absent: list[str]
    cost: float

    def to_row(self) -> dict:
        """As JSON."""
        return asdict(self)


class Overlay(LocalFileSystem):
    """The folder, in which one file has another text."""

    def __init__(self, path: Path, text: str):
        super().__init__()
        self._own, self._text = str(path.absolute()), text

    def open(self, path: str, mode: str = "r", **kwargs: Any) -> IO:
        """Open a file, or the other text."""
        if str(Path(path).absolute()) != self._own:
            return super().open(path, mode, **kwargs)
        return io.BytesIO(self._text.encode()) if "b" in mode else io.StringIO(self._text)


def plan_reruns(text: str, params: Params, targets: Collection[str] = ()) -> RerunPlan:
    """What `dvc repro` would run with another params.yaml.

    Args:
        text: Of params.yaml.
        params: The checked values of `text`.
        targets: Only these stages and what they need; all without any.

    Raises:
        DataError: A target is unknown, or the pipeline cannot be read.
    """
    changes: dict[Stage, list[str]] = {}
    absent: list[str] = []
    try:
        with Repo(".", fs=Overlay(Path(FILE), text)) as repo:
            graph = _graph(repo, targets)
            for stage in nx.topological_sort(graph.reverse(copy=False)):
                changes[stage] = list(changes_of(stage, absent))
            closure = _closure(graph, changes)
    except DvcException as error:
        raise DataError(f"{PIPELINE}: {' '.join(str(error).split())}") from None
    estimates = RunEstimates(load_params(), params)
    stages = [Rerun(estimates.of(stage.name), *reason) for stage, reason in closure.items()]
    return RerunPlan(stages, absent, cost(params.llm.prices, [rerun.estimate for rerun in stages]))


def _graph(repo: Repo, targets: Collection[str]) -> nx.DiGraph:
    """The stages of dvc.yaml, edges from a stage to what it needs."""
    graph = build_graph(repo.stage.load_file(PIPELINE))
    names = {stage.name for stage in graph}
    names |= {stage.name.partition("@")[0] for stage in graph if "@" in stage.name}
    if unknown := [target for target in targets if target.partition("@")[0] not in names]:
        raise DataError(f"no stage {unknown[0]!r} in {PIPELINE}, which has {', '.join(sorted(names))}")
    wanted = [stage for stage in graph if stage.name in targets or stage.name.partition("@")[0] in targets]
    needed = set(wanted).union(*(nx.descendants(graph, stage) for stage in wanted)) if targets else set(graph)
    return graph.subgraph(needed)


def changes_of(stage: Stage, absent: list[str]) -> Iterator[str]:
    """What differs from the last run of a stage: keys of params.yaml, files. Outputs not here go to `absent`."""
    if not any(dep.hash_info.value for dep in stage.deps):
        yield "never run"
        return
    if stage.changed_stage():
        yield "its command, or what it declares"
    for dep in stage.deps:
        status = dep.status().get(str(dep))
        if isinstance(dep, ParamsDependency):
            yield from _keys(dep, status or ())
        elif status not in (None, "deleted"):
            yield dep.def_path
    for out in stage.outs:
        status = out.status().get(str(out))
        if status in ("deleted", "not in cache"):
            absent.append(out.def_path)
        elif status:
            yield f"{out.def_path} was changed by hand"


def _keys(dep: ParamsDependency, changed: Iterable[str]) -> Iterator[str]:
    """The leaves that differ, of blocks that a stage depends on as wholes."""
    now = dep.read_params() if changed else {}
    for key in changed:
        yield from _leaves(key, dep.hash_info.value.get(key), now.get(key))


def _leaves(key: str, before: Any, now: Any) -> Iterator[str]:
    if not isinstance(before, dict) or not isinstance(now, dict):
        yield key
        return
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            yield from _leaves(f"{key}.{name}", before.get(name), now.get(name))


def _closure(graph: nx.DiGraph, changes: dict[Stage, list[str]]) -> dict[Stage, tuple]:
    """(because, after, stored) of each stage that runs, in an order in which they can."""
    closure: dict[Stage, tuple] = {}
    for stage, because in changes.items():
        after = _nearest(graph, [before for before in graph.successors(stage) if before in closure])
        if because or after:
            closure[stage] = (tuple(because), after, not after and all(map(_same_questions, because)))
    return closure


def _nearest(graph: nx.DiGraph, stages: list[Stage]) -> tuple[str, ...]:
    """The names of those that none of the others needs."""
    needed = set().union(*(nx.descendants(graph, stage) for stage in stages))
    return tuple(sorted(stage.name for stage in stages if stage not in needed))


def _same_questions(reason: str) -> bool:
    code = reason.startswith(("src/", "stages/")) and not reason.startswith("src/funreason/prompts")
    return code or reason in SAME_QUESTIONS


def plan_text(plan: RerunPlan) -> str:
    """The plan for people."""
    if not plan.stages:
        return "\n".join(["Nothing would run.", *_absent(plan)])
    stored = sum(rerun.estimate.requests for rerun in plan.stages if rerun.stored)
    direct = sum(bool(rerun.because) for rerun in plan.stages)
    lines = [
        table([rerun.estimate for rerun in plan.stages], [_because(rerun) for rerun in plan.stages]),
        "",
        f"{direct} changed, and at most {len(plan.stages) - direct} run after them: a stage whose inputs come out as",
        "before is skipped. Counts are those of the last run; responses in the cache are not asked for again.",
    ]
    if stored:
        lines += [f"{stored:,} requests repeat questions of the last run: their responses are in the cache."]
    return "\n".join([*lines, f"Cost at llm.prices: {plan.cost:.2f} at most.", *_absent(plan)])


def _because(rerun: Rerun) -> str:
    shown = rerun.because or tuple(f"after {name}" for name in rerun.after)
    return shown[0] + (f" and {len(shown) - 1} more" if len(shown) > 1 else "")


def _absent(plan: RerunPlan) -> list[str]:
    if not plan.absent:
        return []
    return [
        f"{len(plan.absent)} outputs are not here ({plan.absent[0]}, …): `dvc pull` them, or their stages run, too."
    ]
