"""Three self-refine rounds and three HDR rounds at the desk, each with three seeds of training: what improves?

Run as: python benchmarks/rounds.py FOLDER [--seeds 0 1 2] [--profiles desk-refine desk-hdr]

FOLDER becomes a clone of this project, in which each profile is run with each seed by `dvc repro`; what has run is
kept in FOLDER/results/<profile>-<seed>.csv, so that a broken run goes on where it stopped. Prints the mean and the
spread over the seeds, a line a set. About 45 minutes on two cores.
"""

import argparse
import csv
import os
import shutil
import subprocess
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from funreason import profiles
from funreason.params import read_yaml, yaml

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = (".venv", ".venv-bfcl", ".venv-evalplus")
SHARES = ("accuracy", "code", "accepted")
COUNTS = ("reasoning_chars", "hard", "rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="train.seed; 0 1 2")
    parser.add_argument("--profiles", nargs="+", default=["desk-refine", "desk-hdr"], help="desk-refine desk-hdr")
    arguments = parser.parse_args()
    folder = cloned(arguments.folder)
    for profile in arguments.profiles:
        results = [ran(folder, profile, seed) for seed in arguments.seeds]
        print(f"\n{profile}, seeds {arguments.seeds}\n{table(results)}", flush=True)


def cloned(folder: Path) -> Path:
    if not folder.exists():
        subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
        for name in ENVIRONMENTS:
            (folder / name).symlink_to((ROOT / name).resolve())
    return folder.resolve()


def ran(folder: Path, profile: str, seed: int) -> list[dict]:
    """The rows of report/rounds.csv after the profile's run with this seed."""
    result = folder / "results" / f"{profile}-{seed}.csv"
    if not result.exists():
        choose(folder, profile, seed)
        environment = os.environ | {
            "PYTHONPATH": str(folder / "src"),
            "PATH": f"{folder / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
        }
        subprocess.run(["dvc", "repro", "report"], cwd=folder, env=environment, check=True)
        result.parent.mkdir(exist_ok=True)
        shutil.copy(folder / "report/rounds.csv", result)
    with open(result, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def choose(folder: Path, profile: str, seed: int) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        profiles.use(profile)
        values = read_yaml("params.yaml", "rt")
        values["train"]["seed"] = seed
        with open("params.yaml", "w", encoding="utf-8") as file:
            yaml().dump(values, file)
    finally:
        os.chdir(before)


def table(results: list[list[dict]]) -> str:
    """Mean ± standard deviation over the seeds, a line a set; then how many seeds end at or above r0."""
    lines = [[sets[0]["set"], *(spread(sets, column) for column in (*SHARES, *COUNTS))]
             for sets in zip(*results, strict=True)]  # fmt: skip
    better = sum(float(rows[-1]["accuracy"]) >= float(rows[1]["accuracy"]) for rows in results)
    shown = tabulate(lines, ("set", *SHARES, *COUNTS), "github", disable_numparse=True)
    return f"{shown}\n{better} of {len(results)} seeds end at or above {results[0][1]['set']}"


def spread(rows: list[dict], column: str) -> str:
    values = [float(row[column]) * (100 if column in SHARES else 1) for row in rows if row[column]]
    if not values:
        return ""
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


if __name__ == "__main__":
    main()
