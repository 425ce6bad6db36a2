"""Three self-refine rounds and three HDR rounds on the toy world, each with three seeds of training: what improves?

Run as: python benchmarks/rounds.py FOLDER [--seeds 0 1 2] [--profiles toy-self-refine toy-hdr] [-S KEY=VALUE ...]

FOLDER becomes a clone of this project, in which each profile is run with each seed by `dvc repro`; what has run is
kept in FOLDER/results/, a file a seed, so that a broken run goes on where it stopped; `dvc repro` ends with it.
Prints the mean and the spread over the seeds, a line a set. Two hours of a core. Other parameters by -S:
recipes.self_refine.replay_fraction=0, '~rounds.r3'.
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
SHARES = ("accuracy", "code", "accepted")
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
    """The sets side by side after the profile's run with this seed, up to where the chain ended."""
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


def repro(sets: Iterable[str]) -> None:
    """A chain may end before its last set, which says so: what other seeds left of later sets is deleted first."""
    for name in list(sets)[1:]:
        shutil.rmtree(Path("metrics", name), ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": str(Path("src").resolve()),
        "PATH": f"{Path('.venv/bin').resolve()}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(["dvc", "repro", "--keep-going", "report"], env=environment, preexec_fn=end_with_parent)


def table(results: list[list[dict]]) -> str:
    """Mean ± standard deviation over the seeds, a line a set; then what each seed's last set gained on r0."""
    names = list(dict.fromkeys(row["set"] for rows in results for row in rows))
    by_set = {name: [row for rows in results for row in rows if row["set"] == name] for name in names}
    lines = [[name, *(spread(rows, column) for column in (*SHARES, *COUNTS)), len(rows)]
             for name, rows in by_set.items()]  # fmt: skip
    gains = [100 * (float(rows[-1]["accuracy"]) - float(rows[1]["accuracy"])) for rows in results]
    shown = tabulate(lines, ("set", *SHARES, *COUNTS, "seeds"), "github", disable_numparse=True)
    return f"{shown}\nlast set minus {results[0][1]['set']}: {', '.join(f'{gain:+.1f}' for gain in gains)}"


def spread(rows: list[dict], column: str) -> str:
    values = [float(row[column]) * (100 if column in SHARES else 1) for row in rows if row[column]]
    if not values:
        return ""
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


if __name__ == "__main__":
    main()
