"""How much a stage would ask, by how much it asked the last time. Nothing is asked, nothing is written."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate

from funreason.config import Params, PriceParams, RecipeParams
from funreason.core import paths
from funreason.core.jsonio import read_json
from funreason.core.paths import CHECKS

TOKENS = ("prompt_tokens", "completion_tokens")
EVALUATIONS = ("bfcl", "code")
BASE = "base"  # the untrained model, which is only evaluated


@dataclass(frozen=True)
class Work:
    """What a stage would do; a stage that asks no model has no requests, and 0 rows where it counts none."""

    stage: str
    rows: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def counts(self) -> dict[str, int]:
        return {key: value for key, value in asdict(self).items() if key != "stage"}


@dataclass(frozen=True)
class Measured:
    """A set whose run is measured in metrics/, and the parameters it ran with."""

    name: str
    params: Params

    def rows(self) -> int:
        """The samples that were written or given."""
        return self.read("0_generate")["in"]

    def read(self, stem: str) -> dict:
        return read_json(metrics_file(self.name, stem))

    def usage(self, stem: str, share: float) -> dict[str, int]:
        used = self.read(stem)["llm"]
        return {key: round(used[key] * share) for key in ("requests", *TOKENS)}


def metrics_file(name: str, stem: str) -> Path:
    return Path(paths.metrics_folder(name), f"{stem}.json")


def has_run(name: str) -> bool:
    """Whether the run of a set is measured to its end."""
    stems = ("6_validate", "train") if name != BASE else ()
    return all(metrics_file(name, stem).exists() for stem in (*stems, *EVALUATIONS))


def estimate(
    params: Params, kind: RecipeParams, rows: int, like: Measured, trained: int, again: bool
) -> dict[str, Work]:
    """A set's stages, by name, from `rows` samples. `again`: the same set, so that rows that came with responses do so
    again; a further round writes all of its own. `trained`: rows to train on. Raises DataError for a missing file.
    """
    asked = rows / max(like.rows() if again else like.read("0_generate")["llm"]["requests"], 1)
    work = [Work("generate", rows, **like.usage("0_generate", asked))]
    work += [_check(params, step, kind, like, rows) for step in CHECKS]
    return {one.stage: one for one in [*work, Work("train", trained), *evaluations(like)]}


def trained(kind: RecipeParams, like: Measured, rows: int, earlier: int) -> int:
    """Rows to train on: new ones at the same share that is kept, and the share of `earlier` trained on again."""
    return round(rows * like.read("6_validate")["kept_fraction"] + kind.replay_fraction * earlier)


def evaluations(like: Measured) -> list[Work]:
    """As last time, whatever the benchmarks are now."""
    return [Work(f"evaluate_{what}", **like.usage(what, 1)) for what in EVALUATIONS]


def _check(params: Params, step: str, kind: RecipeParams, like: Measured, rows: int) -> Work:
    """As many rows, requests and tokens for a row of the set as there, by as many judges as sit here."""
    stem = paths.stem(step)
    share = rows / max(like.rows(), 1)
    seats = _seats(params, step, kind) / _seats(like.params, step, like.params.recipe_of(like.name))
    return Work(step, round(like.read(stem)["in"] * share), **like.usage(stem, share * seats))


def _seats(params: Params, step: str, kind: RecipeParams) -> int:
    return len((kind.panel or params.fcdr.panels()[step]).judges)


def cost(prices: PriceParams, stages: Iterable[Work]) -> float:
    """Prices are for a million tokens."""
    stages = list(stages)
    prompt, completion = (sum(getattr(work, key) for work in stages) / 1e6 for key in TOKENS)
    return prompt * prices.prompt + completion * prices.completion


def table(stages: list[Work], because: list[str] | None = None) -> str:
    """For people, with a line of totals; `because` is a column beside the stages."""
    counts = [list(work.counts().values()) for work in stages]
    total = ["total", 0, *(sum(column) for column in list(zip(*counts, strict=True))[1:])] if stages else []
    rows = [[work.stage, *row] for work, row in zip(stages, counts, strict=True)] + ([total] if total else [])
    shown = [[row[0], *(f"{count:,}" if count else "" for count in row[1:])] for row in rows]
    headers, left = ["stage", "rows", "requests", "prompt tokens", "answer tokens"], 1
    if because is not None:
        shown = [[row[0], why, *row[1:]] for row, why in zip(shown, [*because, ""], strict=False)]
        headers, left = [headers[0], "because", *headers[1:]], 2
    align = ["left"] * left + ["right"] * 4
    return tabulate(shown, headers, "simple", disable_numparse=True, colalign=align)
