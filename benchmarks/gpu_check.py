"""Is training exact on this GPU, and what does it cost beside TRL? One command, under 8 minutes: `make gpu-check`.

    python benchmarks/gpu_check.py [--rehearse] [--minutes 8] [--only exact fsdp2 ...] [--out docs/gpu.md]

Each group of measurements (gpu_cases.py) is a process of its own: one that fails, or finds no memory, leaves the rest
of the table. The table is printed and takes the place of the figures in docs/gpu.md. With --rehearse the same code runs
with tiny shapes, also on a CPU, and no file is written unless --out names one.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tabulate import tabulate

CASES = Path(__file__).with_name("gpu_cases.py")
DOCS = Path(__file__).parents[1] / "docs/gpu.md"
BEGIN, END = "<!-- figures: written by `make gpu-check` -->", "<!-- end of the figures -->"
ROW = "ROW "  # what a line of gpu_cases.py begins with that holds a row of the table

# Group → (seconds that it takes at most, arguments), the most important ones first: when time is over, it is skipped.
GROUPS: dict[str, tuple[int, list[str]]] = {
    "machine": (60, ["machine"]),
    "exact": (120, ["exact"]),
    "speed-0.5b-2k": (120, ["speed", "0.5B", "2048"]),
    "fsdp2": (90, ["fsdp2"]),
    "vllm": (150, ["vllm"]),
    "speed-1.5b-2k": (120, ["speed", "1.5B", "2048"]),
    "speed-0.5b-8k": (120, ["speed", "0.5B", "8192"]),
    "qlora": (90, ["qlora"]),
    "speed-1.5b-8k": (150, ["speed", "1.5B", "8192"]),
}
COLUMNS = ("group", "case", "error", "bound", "s per step", "tokens per s", "peak GB", "result")


def main() -> int:
    """Measure, print and write. Returns 1 where a measurement failed."""
    options = arguments()
    end, rows = time.monotonic() + 60 * options.minutes, []
    for name in options.only or GROUPS:
        rows += measured(name, options.rehearse, end)
        print(f"{name}: done, {max(0, end - time.monotonic()):.0f} s left", file=sys.stderr, flush=True)
    text = table(rows)
    print(text)
    if out := options.out or (None if options.rehearse else DOCS):
        write(Path(out), text)
    return int(any(row["result"].startswith("failed") for row in rows))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="tiny shapes, on a CPU too")
    parser.add_argument("--minutes", type=float, default=8, help="no group starts after them")
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="these groups")
    parser.add_argument("--out", type=Path, help="the page whose figures are replaced")
    return parser.parse_args()


def measured(group: str, rehearse: bool, end: float) -> list[dict]:
    """The rows of a group.

    Args:
        group: A name in GROUPS.
        rehearse: Whether shapes are tiny.
        end: When nothing runs any more, in seconds of `time.monotonic`.
    """
    seconds, case = GROUPS[group]
    seconds = 600 if rehearse else min(seconds, int(end - time.monotonic()))
    if seconds < 15:
        return [row(group, "", result="skipped: no time left; run it alone with --only")]
    command = [*launcher(group), str(CASES), *case, *["--rehearse"] * rehearse]
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(command, env=os.environ | quiet, capture_output=True, text=True, timeout=seconds)
        shown, problem = done.stdout, f"status {done.returncode}: {last(done.stderr)}" if done.returncode else ""
    except subprocess.TimeoutExpired as error:
        shown, problem = (error.stdout or b"").decode(), f"not done after {seconds} s"
    rows = [row(group, **json.loads(line[len(ROW) :])) for line in shown.splitlines() if line.startswith(ROW)]
    return [*rows, row(group, "", result=f"failed: {problem}")] if problem else rows


def launcher(group: str) -> list[str]:
    """How a group's process is started: FSDP2 needs torchrun, also for one rank."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1"]
    return [sys.executable, *(torchrun if group == "fsdp2" else [])]


def row(group: str, case: str, result: str = "", **figures: float) -> dict:
    """A row of the table. With an `error` and its `bound`, the result is their comparison."""
    if not result and "bound" in figures:
        result = "ok" if figures["error"] <= figures["bound"] else "failed: over the bound"
    return dict.fromkeys(COLUMNS, "") | {"group": group, "case": case, **figures, "result": result}


def table(rows: list[dict]) -> str:
    """The rows for people, as Markdown."""
    formats = {"error": "{:.1e}", "bound": "{:.0e}", "s per step": "{:.3f}", "tokens per s": "{:,.0f}"}
    cells = [
        [formats.get(name, "{}").format(value) if value != "" else "" for name, value in row.items()] for row in rows
    ]
    return tabulate(cells, COLUMNS, "github", disable_numparse=True)


def write(page: Path, text: str) -> None:
    """Put a table in the place of the page's figures."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, marked, after = rest.partition(END)
    if not marked:
        sys.exit(f"{page} has no lines {BEGIN!r} and {END!r}, between which the figures stand")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def last(text: str) -> str:
    """The last line of an error, short."""
    lines = text.strip().splitlines() or ["no message"]
    return lines[-1].replace("|", "/")[:160]


if __name__ == "__main__":
    sys.exit(main())
