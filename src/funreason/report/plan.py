"""What one more round would run and cost, by what the last one did. Nothing is asked, nothing is written."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate

from funreason.errors import DataError
from funreason.params import NOTHING, KindParams, Params, SetParams, read_yaml
from funreason.params_rounds import TASKS, check_chain, hard_pool
from funreason.prompts import CHECKS
from funreason.records import read_json, read_jsonl

LETTERS = {"refine": "r", "hdr": "h"}  # what the names of rounds begin with
TOKENS = ("prompt_tokens", "completion_tokens")


@dataclass(frozen=True)
class Work:
    """What a stage would do; a stage that asks no model has no requests, and 0 rows where it counts none."""

    stage: str
    rows: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Plan:
    """`line` goes into `sets` of params.yaml; `like` is the set whose measurements were taken."""

    name: str
    line: str
    like: str
    stages: list[Work]
    cost: float

    def to_row(self) -> dict:
        return asdict(self)


def plan(params: Params, kind: str, after: str | None = None) -> Plan:
    """The next round of a kind (refine or hdr) on the model of `after` (None: the last set). Raises DataError."""
    after = after or list(params.sets)[-1]
    params.chosen_set(after)
    name, chosen = _next(params, kind, after)
    like = _measured(params, kind, after)
    rows = sum(1 for _ in read_jsonl(chosen.tasks)) * getattr(params.rounds, kind).samples
    work = [_generate(like, rows)]
    work += [_check(params, step, kind, like, rows) for step in CHECKS]
    work += [Work("train", _trained(params, chosen, like, rows))]
    work += [Work(f"evaluate_{what}", **_usage(like, what, 1)) for what in ("bfcl", "code")]
    known = {one.stage: one for one in work}
    stages = [Work(f"{step}@{name}", **_counts(known.get(step, Work(step)))) for step in _looped()]
    flow = ", ".join(f"{key}: {value}" for key, value in chosen.model_dump().items())
    return Plan(name, f"{name}: {{{flow}}}", like, stages, _cost(params, stages))


def text(found: Plan) -> str:
    """The plan for people."""
    counts = [list(_counts(work).values()) for work in found.stages]
    total = ["total", 0, *(sum(column) for column in list(zip(*counts, strict=True))[1:])]
    rows = [[work.stage, *row] for work, row in zip(found.stages, counts, strict=True)] + [total]
    shown = [[row[0], *(f"{count:,}" if count else "" for count in row[1:])] for row in rows]
    headers = ("stage", "rows", "requests", "prompt tokens", "answer tokens")
    return (
        tabulate(shown, headers, "simple", disable_numparse=True, colalign=("left", *["right"] * 4))
        + f"\n\nEstimated from what {found.like} did; answers that the cache holds are not asked for again.\n"
        f"Cost at llm.prices: {found.cost:.2f}. To run it, put this line under `sets` in params.yaml, then dvc repro:\n"
        f"  {found.line}"
    )


def _next(params: Params, kind: str, after: str) -> tuple[str, SetParams]:
    again = kind == "refine"
    chosen = SetParams(
        kind=kind, tasks=TASKS if again else hard_pool(after), sampler=after, init=after,
        earlier=f"data/{after}/train.jsonl" if again else NOTHING,
    )  # fmt: skip
    names = (f"{LETTERS[kind]}{number}" for number in range(1, len(params.sets) + 2))
    name = next(name for name in names if name not in params.sets)
    try:
        check_chain({**params.sets, name: chosen}, params.rounds.max_hdr)
    except ValueError as error:
        raise DataError(f"no further round after {after}: {error}") from None
    if not any(read_jsonl(chosen.tasks)):
        raise DataError(f"no further round after {after}: {chosen.tasks} is empty, nothing is left to sample")
    return name, chosen


def _measured(params: Params, kind: str, after: str) -> str:
    """The newest set of the kind that has run, else `after`."""
    same = [name for name, chosen in params.sets.items() if chosen.kind == kind and _file(name, "bfcl").exists()]
    return same[-1] if same else after


def _generate(like: str, rows: int) -> Work:
    """By the request, not by the row: where the source brings responses along, fewer were asked."""
    asked = max(read_json(_file(like, "0_generate"))["llm"]["requests"], 1)
    return Work("generate", rows, **_usage(like, "0_generate", rows / asked))


def _check(params: Params, step: str, kind: str, like: str, rows: int) -> Work:
    """As many rows, requests and tokens for a row of the set as there, by as many judges as sit here."""
    stem = f"{1 + CHECKS.index(step)}_{step}"
    share = rows / max(read_json(_file(like, "0_generate"))["in"], 1)
    seats = _seats(params, step, getattr(params.rounds, kind)) / _seats(params, step, params.kind_of(like))
    return Work(step, round(read_json(_file(like, stem))["in"] * share), **_usage(like, stem, share * seats))


def _seats(params: Params, step: str, kind: KindParams) -> int:
    return len((kind.panel or params.fcdr.panels()[step]).judges)


def _trained(params: Params, chosen: SetParams, like: str, rows: int) -> int:
    """New rows at the same share that is kept, and the earlier ones that are trained on again."""
    earlier = getattr(params.rounds, chosen.kind).earlier_share * sum(1 for _ in read_jsonl(chosen.earlier))
    return round(rows * read_json(_file(like, "6_validate"))["share_kept"] + earlier)


def _usage(like: str, stem: str, share: float) -> dict[str, int]:
    usage = read_json(_file(like, stem))["llm"]
    return {key: round(usage[key] * share) for key in ("requests", *TOKENS)}


def _counts(work: Work) -> dict[str, int]:
    return {key: value for key, value in asdict(work).items() if key != "stage"}


def _cost(params: Params, stages: list[Work]) -> float:
    """Prices are for a million tokens."""
    prices = params.llm.prices
    million = [sum(getattr(work, key) for work in stages) / 1e6 for key in TOKENS]
    return million[0] * prices.prompt + million[1] * prices.completion


def _looped() -> list[str]:
    """The stages that every set has."""
    return [name for name, stage in read_yaml("dvc.yaml")["stages"].items() if "foreach" in stage]


def _file(name: str, stem: str) -> Path:
    return Path("metrics", name, f"{stem}.json")
