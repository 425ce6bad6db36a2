"""Three self-refine rounds and three HDR rounds on the toy world, each with three seeds of training: what improves?

Run as: python benchmarks/rounds.py FOLDER [--seeds 0 1 2] [--profiles toy-self-refine toy-hdr] [-S KEY=VALUE ...]

FOLDER becomes a clone of this project, in which `dvc repro` runs each profile with each seed. The results are kept in
FOLDER/results/, one file per seed, so that an interrupted benchmark continues where it stopped; its `dvc repro` ends
with it. Prints the mean and the spread over the seeds, one line per round. It takes two hours on one core. Other
parameters by -S: recipes.self_refine.replay_fraction=0, '~rounds.r3'.
"""

import argparse
import csv
import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from funreason.config import Params, profiles
from funreason.config.overrides import overridden
from funreason.core.jsonio import write_csv
from funreason.core.runtime import end_with_parent
from funreason.report.rounds import COLUMNS, round_rows

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = (".venv", ".venv-bfcl", ".venv-evalplus")
FRACTIONS = ("calls_wanted", "no_call_wanted", "code", "accepted")
COUNTS = ("reasoning_chars", "hard", "rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="train.seed; 0 1 2")
    parser.add_argument("--profiles", nargs="+", default=["toy-self-refine", "toy-hdr"], help="toy-self-refine toy-hdr")
    parser.add_argument("-S", "--set-param", action="append", default=[], metavar="KEY=VALUE", help="as dvc exp run")
    arguments = parser.parse_args()
    folder = cloned(arguments.folder)
    for profile in arguments.profiles:
        results = [ran(folder, profile, seed, arguments.set_param) for seed in arguments.seeds]
        print(f"\n{' '.join([profile, *arguments.set_param])}, seeds {arguments.seeds}\n{table(results)}", flush=True)


def cloned(folder: Path) -> Path:
    if not folder.exists():
        subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
        for name in ENVIRONMENTS:
            (folder / name).symlink_to((ROOT / name).resolve())
    return folder.resolve()


def ran(folder: Path, profile: str, seed: int, changes: list[str]) -> list[dict]:
    """The rounds side by side after the profile's run with this seed, up to the end of the chain."""
    result = folder / "results" / f"{'-'.join([profile, *changes, str(seed)]).replace('/', '_')}.csv"
    if not result.exists():
        with chdir(folder):
            params = choose(profile, [f"train.seed={seed}", *changes])
            repro(params.rounds)
            write_csv(result, COLUMNS, round_rows(params.rounds, params.gate.measure))
    with open(result, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def choose(profile: str, changes: list[str]) -> Params:
    profiles.use(profile, force=True)
    path = Path("params.yaml")
    text, params = overridden(path, changes)
    path.write_text(text, encoding="utf-8")
    return params


def repro(rounds: Iterable[str]) -> None:
    """A chain may end before its last round: metrics that other seeds left of later rounds are deleted first."""
    for name in list(rounds)[1:]:
        shutil.rmtree(Path("metrics", name), ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": str(Path("src").resolve()),
        "PATH": f"{Path('.venv/bin').resolve()}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(["dvc", "repro", "--keep-going", "report"], env=environment, preexec_fn=end_with_parent)


def table(results: list[list[dict]]) -> str:
    """Mean ± standard deviation over the seeds, one line per round; then the gain of each seed's last round."""
    names = list(dict.fromkeys(row["name"] for rows in results for row in rows))
    by_round = {name: [row for rows in results for row in rows if row["name"] == name] for name in names}
    lines = [[name, *(spread(rows, column) for column in (*FRACTIONS, *COUNTS)), len(rows)]
             for name, rows in by_round.items()]  # fmt: skip
    gains = [100 * (float(rows[-1]["calls_wanted"]) - float(rows[1]["calls_wanted"])) for rows in results]
    shown = tabulate(lines, ("round", *FRACTIONS, *COUNTS, "seeds"), "github", disable_numparse=True)
    return f"{shown}\nlast round minus {results[0][1]['name']}: {', '.join(f'{gain:+.1f}' for gain in gains)}"


def spread(rows: list[dict], column: str) -> str:
    values = [float(row[column]) * (100 if column in FRACTIONS else 1) for row in rows if row[column]]
    if not values:
        return ""
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


if __name__ == "__main__":
    main()
