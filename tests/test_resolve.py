"""The name of a model or data source in params.yaml becomes an identity, or one clear error."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from funreason.config import DataParams, ModelParams, MultiTurnParams, load_params
from funreason.core.errors import DataError, ModelError
from funreason.core.jsonio import write_json
from funreason.data.sources import resolve_data, resolve_model
from funreason.llm import load_ref

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LLM = load_params(Path(__file__).parents[1] / "profiles/toy.yaml").llm


def model(path=None, hub=None, revision=None) -> ModelParams:
    return ModelParams(path=path, hub=hub, revision=revision)


def data(path="data/empty.jsonl", hub=None, revision=None) -> DataParams:
    return DataParams(path=path, hub=hub, revision=revision, split="train", license=None, multi_turn=second())


def second(path="data/empty.jsonl", hub=None) -> MultiTurnParams:
    return MultiTurnParams(path=path, hub=hub, revision=None, split="train")


class Hub(BaseHTTPRequestHandler):
    """Answers like the hub: an error code in a header, the commit in `sha`."""

    def do_GET(self):
        kind, _, rest = self.path.removeprefix("/api/").partition("/")
        status, code, body = 200, "", {"id": "own/it", "sha": COMMIT, "gated": "gated" in rest and "auto"}
        if "missing" in rest:
            status, code = 404, "RepoNotFound"
        elif rest.endswith("revision/nope"):
            status, code = 404, "RevisionNotFound"
        elif rest.endswith("auth-check"):
            status, code = 403, "GatedRepo"
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.end_headers()
        self.wfile.write(json.dumps(body if status == 200 else {"error": code}).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def test_the_identity_of_a_folder_follows_its_content(tiny_model, tmp_path):
    first = resolve_model("base", model(path=str(tiny_model)), LLM)
    assert first["kind"] == "local" and first["identity"].startswith("sha256:")
    config = tiny_model / "config.json"
    before = config.read_text()
    try:
        config.write_text(before + "\n")
        assert resolve_model("base", model(path=str(tiny_model)), LLM)["identity"] != first["identity"]
    finally:
        config.write_text(before)


@pytest.mark.parametrize("role", ["teacher", "base"])
def test_an_id_becomes_a_commit(hub, role):
    descriptor = resolve_model(role, model(hub="own/it", revision="main"), LLM)
    assert descriptor == {"kind": "hub", "hub": "own/it", "revision": COMMIT, "identity": f"hub:own/it@{COMMIT}"}
    assert resolve_data(data(hub="own/it"))["identity"] == f"hub:own/it@{COMMIT}"


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("own/missing", None, r"models.judge.hub: 'own/missing' is not on the hub; correct it"),
        (
            "own/it",
            "nope",
            r"models.judge.hub: 'own/it' has no revision 'nope'; correct models.judge.revision",
        ),
        ("own/gated", None, r"models.judge.hub: 'own/gated' is gated .* accept its terms"),
        ("a/b/c", None, r"models.judge.hub: 'a/b/c' is not a hub id; write owner/name"),
    ],
)
def test_a_wrong_id_is_one_clear_error(hub, name, revision, message):
    with pytest.raises(ModelError, match=message) as caught:
        resolve_model("judge", model(hub=name, revision=revision), LLM)
    assert "models.judge.path" in str(caught.value) or revision
    assert "\n" not in str(caught.value)


def test_without_a_network_the_commit_is_that_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="no answer from the hub .* not in its cache; go online"):
        resolve_model("base", model(hub="own/it"), LLM)
    folder = tmp_path / "models--own--it"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(COMMIT)
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    assert resolve_model("base", model(hub="own/it"), LLM)["revision"] == COMMIT


def test_missing_paths_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"models.base.path: no folder 'nowhere'; correct it"):
        resolve_model("base", model(path="nowhere"), LLM)
    with pytest.raises(ModelError, match=r"models.base.path: .* is not a Hugging Face checkpoint"):
        resolve_model("base", model(path=str(tmp_path)), LLM)
    with pytest.raises(DataError, match=r"data.path: no file 'nowhere.jsonl'; correct it"):
        resolve_data(data(path="nowhere.jsonl"))


def test_the_identity_of_data_follows_its_content(tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("{}\n")
    first = resolve_data(data(path=str(source)))
    source.write_text("{} \n")
    assert first["kind"] == "local" and resolve_data(data(path=str(source)))["identity"] != first["identity"]


def test_the_identity_of_a_server_model_is_its_name_and_revision():
    server = LLM.model_copy(update={"engine": "server", "server": LLM.server.model_copy(update={"model": "gpt"})})
    descriptor = resolve_model("teacher", model(revision="june"), server)
    assert descriptor == {"kind": "server", "hub": "gpt", "revision": "june", "identity": "server:gpt@june"}
    for role, llm in (("base", server), ("teacher", LLM)):
        with pytest.raises(ModelError, match=f"models.{role} names no model; give models.{role}.path"):
            resolve_model(role, model(), llm)


def test_engines_read_descriptors(tiny_model, tmp_path):
    descriptor = resolve_model("base", model(path=str(tiny_model)), LLM)
    write_json(tmp_path / "base.json", descriptor)
    ref, folder = load_ref(tmp_path / "base.json"), load_ref(tiny_model)
    assert (ref.name_or_path, ref.identity) == (str(tiny_model), folder.identity)
