"""The stages that a run of DVC has from its first stage on: `python -m funreason.plan.coming STAGE dvc repro …`.

Called by the first stage that runs, for `core.stage_times`. Prints a JSON list; an empty one where the command is none
that runs stages of dvc.yaml, or one whose stages are not known from it.
"""

import json
import sys
from collections.abc import Sequence

from dvc.repo import Repo
from dvc.repo.graph import build_graph
from dvc.repo.reproduce import plan_repro
from dvc.stage import Stage

from funreason.plan.reruns import PIPELINE, changes_of

_OTHER = {"--downstream", "-p", "--pipeline", "-P", "--all-pipelines", "-R", "--recursive", "--glob"}


def stages_to_come(first: str, command: Sequence[str]) -> list[str]:
    """The names of the stages that will run, at most: `first`, then the others in DVC's order.

    Args:
        first: The first stage, which runs already.
        command: The words of DVC's command line.
    """
    words = _arguments(list(command))
    if words is None or _OTHER & set(words):
        return []
    with Repo(".") as repo:
        stages = repo.stage.load_file(PIPELINE)
        targets = _targets(words, stages)
        if targets is None:
            return []
        graph = build_graph(stages)
        single = {"-s", "--single-item"} & set(words)
        order = targets if single else plan_repro(graph, targets or list(graph))
        force = bool({"-f", "--force", "--force-downstream"} & set(words))
        coming: list[Stage] = []
        for stage in order if any(stage.name == first for stage in order) else []:
            after = set(graph.successors(stage)) & set(coming)
            if force or stage.name == first or after or _runs(stage):
                coming.append(stage)
    # DVC's order of two stages that do not depend on each other is another one in each process.
    return [first] * bool(coming) + [stage.name for stage in coming if stage.name != first]


def _arguments(words: list[str]) -> list[str] | None:
    """What follows `dvc repro` or `dvc exp run`; None for other commands."""
    for names in (["repro"], ["exp", "run"], ["experiments", "run"]):
        for at in range(len(words)):
            if words[at : at + len(names)] == names:
                return words[at + len(names) :]
    return None


def _targets(words: list[str], stages: list[Stage]) -> list[Stage] | None:
    """The stages that are named, by themselves or by an output; None where a word is something else."""
    targets: list[Stage] = []
    for before, word in zip(["", *words], words, strict=False):
        named = [stage for stage in stages if word in (stage.name, stage.name.partition("@")[0])]
        named = named or [stage for stage in stages if word in {out.def_path for out in stage.outs}]
        if not (named or word.startswith("-") or before.startswith("-") or word == PIPELINE):
            return None
        targets += [] if word.startswith("-") else [stage for stage in named if stage not in targets]
    return targets


def _runs(stage: Stage) -> bool:
    """Whether a stage runs by itself: something changed, or outputs are neither here nor in DVC's cache."""
    absent: list[str] = []
    return bool(list(changes_of(stage, absent))) or bool(absent and not stage.outs_cached())


if __name__ == "__main__":
    print(json.dumps(stages_to_come(sys.argv[1], sys.argv[2:])))
