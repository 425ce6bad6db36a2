"""How fast `prepare` reads source rows, and how its memory grows with them.

    python benchmarks/read_rows.py [FILE …]

Without files: rows made in xLAM's published form (2 kB; tools and answers are JSON text, drawn from 3,600 tools), as
.jsonl, .json and .parquet, 20,000 and 100,000 of them. Each file is read in a process of its own, from its bytes to the
tasks; writing them is not part of it. Rows per second of processor time, so that a busy machine counts less.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

TOOLS, COUNTS, KINDS = 3_600, (20_000, 100_000), (".jsonl", ".json", ".parquet")
WORDS = (
    "the value of a given region time currency city market index user identifier that is used to filter results".split()
)


def made_tool(number: int, rng: Random) -> dict:
    """A tool as xLAM has them: two to five parameters, some with a default."""
    kinds = ("str", "int", "float, optional", "List[int]", "str, optional", "bool")
    parameters = {
        f"{rng.choice(WORDS)}_{at}": {"description": " ".join(rng.choices(WORDS, k=9)), "type": rng.choice(kinds)}
        for at in range(rng.randint(2, 5))
    }
    return {"name": f"tool_{number}", "description": " ".join(rng.choices(WORDS, k=12)), "parameters": parameters}


def made_rows(count: int, rng: Random) -> list[dict[str, object]]:
    """Rows in xLAM's published form."""
    catalog = [made_tool(number, rng) for number in range(TOOLS)]
    rows = []
    for number in range(count):
        tools = rng.sample(catalog, rng.randint(1, 5))
        calls = [{"name": tool["name"], "arguments": dict.fromkeys(tool["parameters"], 7)} for tool in tools[:2]]
        texts = {"tools": json.dumps(tools), "answers": json.dumps(calls)}
        rows.append({"id": number, "query": " ".join(rng.choices(WORDS, k=25)), **texts})
    return rows


def written(rows: list[dict[str, object]], path: Path) -> Path:
    """The rows as a file of the kind that the path ends in."""
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> None:
    """Read a file and print what it took. The process does nothing else, so that its memory is that of reading."""
    from funreason.data.files import path_rows
    from funreason.data.prepare import Tally
    from funreason.data.rows import TaskIds, read_tasks

    tally, start = Tally(), time.process_time()
    for row in read_tasks(path_rows(path), path.name, TaskIds()):
        tally.add(row)
    seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows, bad = tally.counts["rows"], tally.counts["quarantined"]
    size = f"{path.stat().st_size / rows:,.0f} B/row"
    print(f"{path.name:<22}{rows:>9,} rows{size:>14}{rows / seconds:>10,.0f} rows/s{peak:>7,.0f} MiB{bad:>6} bad")


def main() -> None:
    """Print rows per second and peak memory per file."""
    command, *arguments = sys.argv[1:] or [""]
    if command == "--read":
        read(Path(arguments[0]))
    elif command == "--make":
        rows = made_rows(max(COUNTS), Random(0))
        for kind in KINDS:
            for count in COUNTS:
                written(rows[:count], Path(arguments[0]) / f"{count}{kind}")
    else:
        with tempfile.TemporaryDirectory() as folder:
            if not command:  # in a process of its own: the peak of a child counts from that of its parent
                subprocess.run([sys.executable, __file__, "--make", folder], check=True)
            files = sys.argv[1:] or [f"{folder}/{count}{kind}" for kind in KINDS for count in COUNTS]
            for file in files:
                subprocess.run([sys.executable, __file__, "--read", file], check=True)


if __name__ == "__main__":
    main()
