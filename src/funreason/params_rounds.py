"""The blocks `sets` and `rounds` of params.yaml: the chain of training sets, and how a set of each kind is made."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from funreason.params_data import NOTHING, Block, Count, Name, Share, Temperature

TASKS = "data/tasks.jsonl"  # prepare's; the other files of tasks are the hard pools of sets
FOLDERS = {"base", "desk", "judges", "sweep", "teacher"}  # a set of this name would write where something else does

Kind = Literal["distil", "refine", "hdr"]


class SetParams(Block):
    kind: Kind
    tasks: str
    sampler: Name
    init: Name
    earlier: str


class PanelParams(Block):
    judges: Annotated[list[Name], Field(min_length=1)]
    rule: Literal["any", "majority", "unanimous"] | Annotated[float, Field(gt=0, le=1)]
    temperature: Temperature
    max_regen: Annotated[int, Field(ge=0)]


class KindParams(Block):
    samples: Count
    temperature: Temperature
    choice: Literal["all", "first", "shortest", "best"]
    earlier_share: Share
    panel: PanelParams | None


class RoundsParams(Block):
    measure: Literal["desk", "bfcl"]
    max_regression: Share
    max_hdr: Count
    distil: KindParams
    refine: KindParams
    hdr: KindParams

    def panels(self) -> dict[str, PanelParams]:
        """The panels that take the place of fcdr's, by their place in params.yaml."""
        return {f"rounds.{kind}.panel": value.panel for kind, value in self
                if isinstance(value, KindParams) and value.panel}  # fmt: skip


def check_seats(where: str, judges: list[str], known: list[str], temperature: float) -> None:
    """Every seat has a model, and two seats of one model have something to differ by. Raises ValueError."""
    if strange := [name for name in judges if name not in known]:
        raise ValueError(f"{where}.judges names {strange[0]!r}, models.judges has {known}")
    if len(set(judges)) < len(judges) and not temperature:
        raise ValueError(f"{where}.judges is {judges}: a greedy judge votes alike; set its temperature above 0")


def check_chain(sets: Mapping[str, SetParams], max_hdr: int) -> None:
    """A set builds on what stands before it; DVC would only report a cycle or a missing file. Raises ValueError."""
    if reserved := FOLDERS & set(sets):
        raise ValueError(f"sets.{min(reserved)}: the project has files of this name; choose another")
    models, rows, tasks = ["base"], [NOTHING], [TASKS]
    for name, chosen in sets.items():
        allowed = {
            "tasks": tasks[1:] if chosen.kind == "hdr" else tasks,
            "sampler": ["teacher"] if chosen.kind == "distil" else models,
            "init": models,
            "earlier": rows,
        }
        for key, known in allowed.items():
            if (value := getattr(chosen, key)) not in known:
                raise ValueError(f"sets.{name}.{key} is {value!r}, allowed here are {known}")
        if chosen.kind == "hdr" and (length := _hdr_rounds(sets, name)) > max_hdr:
            raise ValueError(f"sets.{name} is HDR round {length}, rounds.max_hdr allows {max_hdr}")
        models, rows = [*models, name], [*rows, f"data/{name}/train.jsonl"]
        tasks = [*tasks, hard_pool(name)]


def made_by(path: str) -> str:
    """The set that writes data/<set>/…"""
    return path.split("/")[1]


def hard_pool(name: str) -> str:
    """The file with the tasks that a set leaves to HDR."""
    return f"data/{name}/hard.jsonl"


def _hdr_rounds(sets: Mapping[str, SetParams], name: str) -> int:
    """How many rounds the pool of an HDR set has gone through, this one counted."""
    before = made_by(sets[name].tasks)
    return 1 + (_hdr_rounds(sets, before) if sets[before].kind == "hdr" else 0)
