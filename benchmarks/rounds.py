"""Three self-refine rounds and three HDR rounds at the desk, each with three seeds of training: what improves?

Run as: python benchmarks/rounds.py FOLDER [--seeds 0 1 2] [--profiles desk-refine desk-hdr]

FOLDER becomes a clone of this project, in which each profile is run with each seed by `dvc repro`; what has run is
kept in FOLDER/results/<profile>-<seed>.csv, so that a broken run goes on where it stopped; `dvc repro` ends with
it, however it ends. Prints the mean and the spread over the seeds, a line a set. About 45 minutes on two cores.
"""

import argparse
import csv
import os
import shutil
import subprocess
from contextlib import chdir
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from funreason import profiles
from funreason.params import check_params, read_yaml, yaml
from funreason.records import write_csv
from funreason.report.rounds import COLUMNS, rounds
from funreason.stage import end_with_parent

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
    """The sets side by side after the profile's run with this seed, up to where the chain ended."""
    result = folder / "results" / f"{profile}-{seed}.csv"
    if not result.exists():
        with chdir(folder):
            values = choose(profile, seed)
            repro(values)
            params = check_params(values, "params.yaml")
            write_csv(result, COLUMNS, rounds(params.sets, params.rounds.measure))
    with open(result, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def choose(profile: str, seed: int) -> dict:
    profiles.use(profile)
    values = read_yaml("params.yaml", "rt")
    values["train"]["seed"] = seed
    with open("params.yaml", "w", encoding="utf-8") as file:
        yaml().dump(values, file)
    return read_yaml("params.yaml")


def repro(values: dict) -> None:
    """A chain may end before its last set, which says so: what other seeds left of later sets is deleted first."""
    for name in list(values["sets"])[1:]:
        shutil.rmtree(Path("metrics", name), ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": str(Path("src").resolve()),
        "PATH": f"{Path('.venv/bin').resolve()}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(["dvc", "repro", "report"], env=environment, check=False, preexec_fn=end_with_parent)


def table(results: list[list[dict]]) -> str:
    """Mean ± standard deviation over the seeds, a line a set; then how many seeds end at or above r0."""
    names = list(dict.fromkeys(row["set"] for rows in results for row in rows))
    by_set = {name: [row for rows in results for row in rows if row["set"] == name] for name in names}
    lines = [[name, *(spread(rows, column) for column in (*SHARES, *COUNTS)), len(rows)]
             for name, rows in by_set.items()]  # fmt: skip
    better = sum(float(rows[-1]["accuracy"]) >= float(rows[1]["accuracy"]) for rows in results)
    shown = tabulate(lines, ("set", *SHARES, *COUNTS, "seeds"), "github", disable_numparse=True)
    return f"{shown}\n{better} of {len(results)} seeds end at or above {results[0][1]['set']}"


def spread(rows: list[dict], column: str) -> str:
    values = [float(row[column]) * (100 if column in SHARES else 1) for row in rows if row[column]]
    if not values:
        return ""
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


if __name__ == "__main__":
    main()
