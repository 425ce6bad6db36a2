"""A project folder like a user's, with the test rows as its prepared source, and the chain run through in it."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.config import read_yaml, yaml
from funreason.core.jsonio import write_details, write_json, write_jsonl

from .ledgers import GHENT, LINES
from .ledgers import TOOLS as NAMED
from .rows import CAUGHT_BY, LABELS, TASKS
from .scripted import serve

REPO = Path(__file__).parents[2]
CHECKS = ("response", "query_tool", "cot", "call", "format")


def write_project(folder: Path, url: str | None, tasks: list[dict], model: Path | None = None, **blocks) -> None:
    """params.yaml, descriptors, tasks and prepare's count. `url` is a server's, else `model` runs in vLLM."""
    values = read_yaml(REPO / "profiles/toy.yaml")
    values["llm"]["engine"] = "server" if url else "vllm"
    values["llm"]["server"] |= {"base_url": url or "", "max_retries": 0}
    values["judge"]["watch"]["rows"] = 0  # the replies are scripted for single rows
    values["validate"]["labels"] = "labels.jsonl"
    for name, block in blocks.items():
        values[name] |= block
    with open(folder / "params.yaml", "w") as file:
        yaml().dump(values, file)
    write_json(folder / "models/teacher.json", descriptor("teacher", model))
    judges = blocks.get("models", {}).get("judges", {"judge": None})
    write_json(folder / "models/judges.json", {name: descriptor(name, model) for name in judges})
    write_jsonl(folder / "data/tasks.jsonl", tasks)
    write_jsonl(folder / "data/empty.jsonl", [])
    labels = [{"id": t["id"], "defect": LABELS.get(t["id"]), "check": CAUGHT_BY.get(t["id"])} for t in tasks]
    write_jsonl(folder / "labels.jsonl", labels)
    write_jsonl(
        folder / "data/quarantine.jsonl", [{"source": "rows.jsonl", "row": 1, "reason": "no query", "raw": "{}"}]
    )
    counts = {
        "rows": len(tasks) + 1,
        "tasks": len(tasks),
        "quarantined": 1,
        "skipped": 0,
        "conversations": 0,
        "turns": 0,
    }
    write_details(folder / "metrics/prepare.json", counts)


def descriptor(name: str, model: Path | None) -> dict:
    where = {"kind": "local", "path": str(model)} if model else {"kind": "server", "hub": name}
    return where | {"revision": None, "identity": f"test:{name}"}


def stage(script: str, *arguments: str) -> None:
    """Call main of stages/<script>.py in the current folder."""
    runpy.run_path(str(REPO / "stages" / f"{script}.py"))["main"](*arguments)


def rows(path: str | Path) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def chain(name: str = "r0") -> None:
    stage("generate", name)
    for check in CHECKS:
        stage("refine", check, name)
    stage("validate", name)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project folder as the current one, with a cache of its own."""
    monkeypatch.setenv("FUNREASON_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose round r0 went through the whole chain: (folder, its server, still up). Tests only read it."""
    folder = tmp_path_factory.mktemp("refined")
    with pytest.MonkeyPatch.context() as patch, serve() as server:
        patch.setenv("FUNREASON_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        write_project(folder, server.url, TASKS)
        chain()
        yield folder, server


@pytest.fixture
def own_copy(finished, tmp_path, monkeypatch):
    """A copy of `finished` as the current folder, with a cache and a server of its own, for tests that change it."""
    folder, shared = finished
    copy = shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.setenv("FUNREASON_CACHE", str(copy / "cache"))
    monkeypatch.chdir(copy)
    with serve() as server:
        params = copy / "params.yaml"
        params.write_text(params.read_text().replace(shared.url, server.url))
        yield copy


@pytest.fixture
def ledgered(tmp_path, monkeypatch) -> Path:
    """A project with the ledger LINES in it, as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    write_jsonl("data/r0/ledger.jsonl", LINES)
    sample = {
        "id": "12#1",
        "query": "How is Ghent?",
        "tools": NAMED,
        "cot": "It asks for Ghent.",
        "answer": GHENT,
    }
    outcome = {"outcome": "regenerated", "check": "validate", "reason": ""}
    write_jsonl("data/r0/pools/qualified.jsonl", [sample | outcome])
    write_jsonl("data/tasks.jsonl", [{"id": "2", "query": "And Oslo?", "tools": NAMED, "answers": []}])
    return tmp_path


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs `funreason` with words, and gives (exit status, stdout, stderr)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["funreason", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return run
