"""`funreason push-dataset` against a real HTTP server with the hub's endpoints: what is sent, what is refused."""

import base64
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from llm.http_server import JsonHandler, running

from funreason.publish.build import publish

from .published import read_folder, write_round

FOLDER = "data/r1/dataset"
OID = "0123456789abcdef0123456789abcdef01234567"


class Hub(JsonHandler):
    """Data sets in memory: server.visible (id → private), server.branches, server.commits (branch → files)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.removeprefix("/api/datasets/")
        if name not in self.server.visible:
            return self._send(404, {"error": "Repository not found"})
        self._send(200, {"id": name, "sha": OID, "private": self.server.visible[name]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.add(self.headers["Authorization"])
        what = self.path.removeprefix("/api/").split("/")
        if what[:2] == ["repos", "create"]:
            self._create(json.loads(body))
        elif what[0] == "validate-yaml":
            self._send(200, {"warnings": [], "errors": []})
        elif what[3] == "branch":
            self.server.branches.append(what[4])
            self._send(200, {})
        elif what[3] == "preupload":
            files = [file["path"] for file in json.loads(body)["files"]]
            ready = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            self._send(200, {"files": [{"path": path, **ready} for path in files]})
        elif what[3] == "commit":
            self._commit("/".join(what[1:3]), what[4], [json.loads(text) for text in body.splitlines()])

    def _create(self, wanted: dict) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        if wanted["organization"] == "others":
            return self._send(403, {"error": "You don't have the rights to create a dataset there"})
        status = 409 if name in self.server.visible else 200
        self.server.visible.setdefault(name, wanted.get("visibility") == "private")
        self._send(status, {"url": f"{self.server.url}/datasets/{name}", "name": name})

    def _commit(self, name: str, branch: str, lines: list[dict]) -> None:
        files = {line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines[1:]}
        self.server.commits[branch] = (lines[0]["value"]["summary"], files)
        self._send(200, {"commitUrl": f"{self.server.url}/datasets/{name}/commit/{OID}", "commitOid": OID})


@contextmanager
def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.visible, server.branches, server.commits, server.tokens = {}, [], {}, set()
    with running(server):
        yield server


@pytest.fixture
def hub():
    with serve() as server:
        yield server


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A project whose round r1 is published."""
    folder = write_round(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        publish("r1", "cc-by-4.0", "models/r0")
    return folder


def push(folder: Path, url: str, *words: str, token: str | None = "hf_mine") -> subprocess.CompletedProcess:
    """The command in a process of its own: the hub's library reads its address and token from the environment."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    environment |= {"HF_ENDPOINT": url, "HF_HOME": str(folder.parent / "hf-home"), "NO_PROXY": "127.0.0.1"}
    if token:
        environment["HF_TOKEN"] = token
    run = [sys.executable, "-c", "from funreason.cli.main import main; main()", "push-dataset", *words]
    return subprocess.run(run, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def refused(done: subprocess.CompletedProcess) -> str:
    """The one line of an error."""
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_the_folder_arrives_unchanged(published, hub):
    done = push(published, hub.url, "own/calls", "--round", "r1")
    address = f"{hub.url}/datasets/own/calls/commit/{OID}"
    assert (done.returncode, done.stdout) == (0, f"uploaded data/r1/dataset: {address}\n"), done.stderr
    assert hub.commits == {"main": ("FunReason-DVC, round r1", read_folder(published / FOLDER))}
    assert (hub.visible, hub.tokens, hub.branches) == ({"own/calls": False}, {"Bearer hf_mine"}, [])
    assert push(published, hub.url, "own/calls", "--round", "r1").returncode == 0  # it exists already


def test_a_private_data_set_and_a_branch_are_made(published, hub):
    done = push(published, hub.url, "own/calls", "--round", "r1", "--private", "--revision", "draft")
    assert done.returncode == 0, done.stderr
    assert (hub.visible, hub.branches, list(hub.commits)) == ({"own/calls": True}, ["draft"], ["draft"])


def test_nothing_private_goes_to_a_public_data_set(published, hub):
    hub.visible["own/calls"] = False
    message = refused(push(published, hub.url, "own/calls", "--round", "r1", "--private"))
    assert "own/calls exists and is public; make it private in its settings" in message and not hub.commits


def test_without_a_token_nothing_is_sent(published, hub):
    message = refused(push(published, hub.url, "own/calls", "--round", "r1", token=None))
    assert "no token for the hub; set HF_TOKEN" in message and not hub.visible


def test_a_dry_run_lists_the_files_and_sends_nothing(published, hub):
    done = push(published, hub.url, "own/calls", "--round", "r1", "--private", "--dry-run", token=None)
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == "would upload to own/calls (private, licence cc-by-4.0):"
    sizes = {name: len(content) for name, content in read_folder(published / FOLDER).items()}
    assert {line.split()[1]: int(line.split()[0].replace(",", "")) for line in lines} == sizes
    assert not (hub.visible or hub.tokens or hub.commits)


def test_an_error_of_the_hub_is_one_line(published, hub):
    hub.visible["own/calls"] = False
    assert "the token may not write there" in refused(push(published, hub.url, "others/calls", "--round", "r1"))
    assert "a/b/c" in refused(push(published, hub.url, "a/b/c", "--round", "r1"))
    message = refused(push(published, "http://127.0.0.1:9", "own/calls", "--round", "r1"))
    assert "own/calls at http://127.0.0.1:9: the upload failed (" in message
    assert not hub.commits


def test_an_unknown_licence_is_refused_unless_allowed(tmp_path, hub, monkeypatch):
    monkeypatch.chdir(write_round(tmp_path))
    publish("r1", None, "models/r0")
    message = refused(push(tmp_path, hub.url, "own/calls", "--round", "r1"))
    assert "the source's licence is unknown" in message and "--allow-unknown-license" in message and not hub.visible
    assert "unknown" in refused(push(tmp_path, hub.url, "own/calls", "--round", "r1", "--dry-run", token=None))
    assert push(tmp_path, hub.url, "own/calls", "--round", "r1", "--allow-unknown-license").returncode == 0
    assert list(hub.commits) == ["main"]


def test_a_missing_or_incomplete_folder_is_refused(tmp_path, hub, monkeypatch):
    assert "data/r0/dataset does not exist; run `dvc repro publish@r0`" in refused(push(tmp_path, hub.url, "own/calls"))
    monkeypatch.chdir(write_round(tmp_path))
    publish("r1", "cc-by-4.0", "models/r0")
    (tmp_path / FOLDER / "README.md").unlink()
    message = refused(push(tmp_path, hub.url, "own/calls", "--round", "r1"))
    assert "data/r1/dataset has no README.md" in message and not hub.visible
