"""How long `dvc repro` and `funreason rerun-plan` take to find nothing to do, with data of full size.

Run as: python benchmarks/noop.py FOLDER [ROWS]   (default 60,000: about 2 GB, twice)
Every .jsonl that a stage writes has ROWS rows of 1,000 bytes; DVC takes them for the outputs of a finished run.
"""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
TIMES = 3


def main(folder: str, rows: str = "60000") -> None:
    from graph.pipeline_copy import declared_stages, make_copy

    project = Path(folder)
    line = json.dumps({"id": "0", "query": "x" * 970}) + "\n"
    for stage in declared_stages(ROOT):
        for path in stage.outs:
            if path.endswith(".jsonl"):
                (project / path).parent.mkdir(parents=True, exist_ok=True)
                (project / path).write_text(line * int(rows))
    make_copy(project)
    plan = ("funreason.cli.main", "rerun-plan")
    for words in (("dvc", "repro"), plan, (*plan, "-S", "loss.lambda=0.3")):
        for _ in range(TIMES):
            print(" ".join(words), *(f"{figure:.1f} s" for figure in timed(project, words)), sep=", ")


def timed(project: Path, words: tuple[str, ...]) -> tuple[float, float]:
    """(by the clock, of the processor)."""
    module, *arguments = words
    code = f"import sys, time; sys.argv[1:] = {arguments!r}\nfrom {module} import main\n"
    code += "import atexit; atexit.register(lambda: print(time.process_time()))\nsys.exit(main())"
    if module == "dvc":
        code = code.replace("from dvc import", "from dvc.cli import")
    start = time.perf_counter()
    with contextlib.chdir(project):
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    clock = time.perf_counter() - start
    assert module != "dvc" or "Data and pipelines are up to date." in done.stdout, done.stdout
    return clock, float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
