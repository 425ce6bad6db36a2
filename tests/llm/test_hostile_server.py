"""A stage that asks a hostile server: an odd reply costs its own row at most, and nothing secret is shown or stored."""

import base64
import json
import re
import runpy
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path

import pytest

from funreason.config import read_yaml, yaml
from funreason.core.jsonio import read_details, read_jsonl, write_jsonl
from funreason.core.paths import step_ledger, step_metrics
from funreason.core.records import Task
from funreason.core.runtime import outcome
from funreason.llm.engines import attempts

from .hostile_replies import ANSWER, REPLIES, SECRET, Dropped, Stops
from .http_server import completion, serve

ROOT = Path(__file__).parents[2]
TOOLS = [{"name": "get_weather", "description": "Weather", "parameters": {"city": {"description": "c", "type": "str"}}}]
GOOD = "How is good"  # the queries that get the good answer
STOPPING = {kind: entry for kind, entry in REPLIES.items() if isinstance(entry[1], Stops)}
OTHERS = {kind: entry for kind, entry in REPLIES.items() if kind not in STOPPING}
ROUNDS = {"r0": {"recipe": "distill", "tasks": "data/tasks.jsonl", "generator": "teacher", "init": "base",
                 "replay": "data/empty.jsonl"}}  # fmt: skip


@dataclass
class Run:
    """A stage that has ended."""

    folder: Path
    status: int
    shown: str

    @cached_property
    def rows(self) -> list[tuple[str, str, int, int]]:
        """What is stored: text, finish reason, tokens of the prompt and of the completion."""
        with sqlite3.connect(self.folder / "cache/responses.sqlite") as database:
            select = "SELECT text, finish_reason, prompt_tokens, completion_tokens FROM responses"
            return database.execute(select).fetchall()

    @cached_property
    def stored(self) -> list[tuple[str, str]]:
        return [row[:2] for row in self.rows]

    @cached_property
    def ledger(self) -> dict[str, dict]:
        return {line["id"]: line for line in read_jsonl(self.folder / step_ledger("r0", "generate"))}

    def assert_nothing_secret(self) -> None:
        parts = [SECRET[at : at + 5] for at in range(len(SECRET) - 4)]
        parts += [base64.b64encode(before + SECRET.encode()).decode()[4:24] for before in (b"", b":", b"u:")]
        assert not [part for part in parts if part in self.shown]
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", self.shown)
        files = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        assert files and not [part for part in parts for data in files if part.encode() in data]


def run_stage(folder: Path, replies: dict, good: int, checks: dict | None = None, **changes) -> Run:
    """Run `generate` in `folder` over one query per odd reply, and some that get the good answer; then checks.

    `checks` maps names of checks to {a query: the odd reply to the judge's question about it}.
    """
    queries = {f"How is {kind}?": entry[0] for kind, entry in replies.items()}
    queries |= {f"{GOOD} {number}?": completion(ANSWER) for number in range(good)}
    prompts = {json.dumps(query)[1:-1]: reply for query, reply in queries.items()}

    def answer(body: dict):
        asked = json.dumps(body["messages"])
        if "<judge>" in asked:
            odd = (reply for check in (checks or {}).values() for query, reply in check.items() if query in asked)
            return next(odd, completion("<judge>True</judge>"))
        return next(reply for query, reply in prompts.items() if query in asked)

    with serve(answer=answer) as server, pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        _fill(folder, queries, server.url, changes)
        patch.chdir(folder)
        patch.setenv("FUNREASON_CACHE", str(folder / "cache"))
        patch.setenv("HOSTILE_KEY", SECRET)
        patch.setattr(attempts, "FIRST_WAIT_S", 0.01)
        patch.syspath_prepend(str(ROOT / "stages"))
        shown = stack.enter_context(redirect_stderr(StringIO()))
        stack.enter_context(redirect_stdout(shown))
        status = outcome(stage("generate"), ["r0"])  # a bug would raise here
        for check in checks or {}:
            status = status or outcome(stage("refine"), [check, "r0"])
        return Run(folder, status, shown.getvalue())


def stage(name: str) -> Callable[..., None]:
    """`main` of a stage; by its path, since a folder of tests has the name of one."""
    return runpy.run_path(str(ROOT / "stages" / f"{name}.py"))["main"]


def _fill(folder: Path, queries, url: str, changes: dict) -> None:
    server = {"kind": "server", "hub": "m", "revision": None, "identity": "server:m@unpinned"}
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/teacher.json").write_text(json.dumps(server))
    (folder / "models/judges.json").write_text(json.dumps({"judge": server}))
    write_jsonl(folder / "data/tasks.jsonl", (Task(query, query, TOOLS, []).to_row() for query in queries))
    params = read_yaml(ROOT / "profiles/toy.yaml", "rt")
    params["models"]["teacher"] = {"path": None, "hub": None, "revision": None}
    params["models"]["judges"] = {"judge": params["models"]["teacher"]}
    params["judge"]["watch"]["rows"] = 0  # probes of an answer that is always True
    params["rounds"], params["llm"]["engine"] = ROUNDS, "server"
    own = {"base_url": url, "model": "m", "api_key_env": "HOSTILE_KEY", "timeout_s": 20.0, "max_retries": 1}
    params["llm"]["server"] |= own | changes
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        yaml().dump(params, file)


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory) -> Run:
    """One stage that gets every odd reply, each for another row."""
    return run_stage(tmp_path_factory.mktemp("hostile"), OTHERS, good=40, max_refused_fraction=1.0, timeout_s=1.5)


@pytest.mark.parametrize("kind", OTHERS)
def test_an_odd_reply_costs_its_own_row_at_most(all_kinds, kind):
    expected, line = OTHERS[kind][1], all_kinds.ledger[f"How is {kind}?"]
    if isinstance(expected, Dropped):
        assert line["action"] == "drop" and re.search(expected.reason, line["reason"])
    else:
        assert line["action"] == "keep" and (expected, "stop") in all_kinds.stored


def test_the_stage_ends_well_and_all_answers_are_stored(all_kinds):
    assert (all_kinds.status, all_kinds.shown) == (0, "")
    assert all_kinds.stored.count((ANSWER, "stop")) >= 40
    lines = [line for name, line in all_kinds.ledger.items() if name.startswith(GOOD)]
    assert len(lines) == 40 and {line["action"] for line in lines} == {"keep"}
    assert all(0 <= count < 2**21 for row in all_kinds.rows for count in row[2:])


def test_nothing_secret_is_shown_or_stored(all_kinds):
    all_kinds.assert_nothing_secret()


@pytest.mark.parametrize("kind", STOPPING)
def test_an_error_of_all_requests_stops_the_stage_in_one_line(tmp_path, kind):
    run = run_stage(tmp_path, {kind: STOPPING[kind]}, good=4, concurrency=1)  # in the order of the queries
    assert run.status == 1 and re.search(STOPPING[kind][1].error, run.shown) and run.shown.count("\n") == 1
    before = sum(f"{GOOD} {number}?" < f"How is {kind}?" for number in range(4))
    assert run.stored == [(ANSWER, "stop")] * before
    run.assert_nothing_secret()


@pytest.mark.parametrize("kind", ["400", "filtered prompt", "always 500", "choices null", "400 with all headers"])
def test_a_question_that_a_judge_is_not_asked_costs_its_row(tmp_path, kind):
    reply, expected = REPLIES[kind]
    run = run_stage(tmp_path, {}, good=12, checks={"response": {}, "query_tool": {f"{GOOD} 3?": reply}})
    assert (run.status, run.shown) == (0, "")
    run.assert_nothing_secret()
    lines = {line["id"]: line for line in read_jsonl(tmp_path / step_ledger("r0", "query_tool"))}
    odd = lines.pop(f"{GOOD} 3?")
    assert (odd["verdict"], odd["action"]) == ("undecided", "drop") and re.search(expected.reason, odd["reason"])
    assert len(lines) == 11 and {line["action"] for line in lines.values()} == {"keep"}
    figures = read_details(tmp_path / step_metrics("r0", "query_tool"))
    assert figures["reasons"] == {odd["reason"]: 1} == figures["llm"]["refused"]
