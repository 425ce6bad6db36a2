"""Each role's model is tried with its chat template before anything is asked."""

import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trl

from funreason.config import check_params, read_yaml
from funreason.core.errors import FunReasonError
from funreason.doctor.templates import fetch_tokenizer, require_templates, templates

ROOT = Path(__file__).parents[2]
TEMPLATES = Path(trl.__file__).parent / "chat_templates"


@pytest.fixture
def try_template(tiny_model, tmp_path, monkeypatch):
    """The diagnoses with a model for all roles that has this chat template."""
    monkeypatch.chdir(ROOT)

    def diagnoses(template: str | None, roles=("teacher", "base", "judges"), config: dict | None = None) -> list:
        folder = shutil.copytree(tiny_model, tmp_path / "model", dirs_exist_ok=True)
        (folder / "chat_template.jinja").unlink(missing_ok=True)
        if template is not None:
            (folder / "chat_template.jinja").write_text(template)
        settings = folder / "tokenizer_config.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | (config or {})))
        values = read_yaml(ROOT / "profiles/toy.yaml")
        model = {"path": str(folder), "hub": None, "revision": None}
        models = {"teacher": model, "base": model, "judges": {name: model for name in values["models"]["judges"]}}
        values["models"].update({role: models[role] for role in roles})
        params = check_params(values, "params.yaml")
        found = list(templates(params))
        if any(diagnosis.level == "error" for diagnosis in found):
            with pytest.raises(FunReasonError):
                require_templates(params)
        else:
            require_templates(params)
        return found

    return diagnoses


def template(name: str) -> str:
    return (TEMPLATES / f"{name}.jinja").read_text()


SAYS = {
    "qwen2_5": "takes a system message, shows results, and ends a turn with <|im_end|>",
    "qwen3": "shows results, shows the reasoning of earlier calls, and",
    "qwen3_6": "its prompt opens <think>, shows the reasoning of earlier calls",
    "gemma": "has no system role: it goes into the first query, shows no results: they are the user's",
}


@pytest.mark.parametrize(("name", "says"), SAYS.items())
def test_a_fit_template_is_described(try_template, name, says):
    found = try_template(template(name))
    assert [diagnosis.level for diagnosis in found] == ["ok", "ok"]  # of all roles, and of the base model's training
    assert all(says in str(diagnosis) for diagnosis in found)


def test_the_toy_models_are_fit(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = list(templates(check_params(read_yaml(ROOT / "profiles/toy.yaml"), "params.yaml")))
    assert found and {diagnosis.level for diagnosis in found} == {"ok"}


def errors(found: list) -> list[str]:
    return [str(diagnosis) for diagnosis in found if diagnosis.level == "error"]


BAD = {
    "no template": (None, "models.teacher: model .* has no chat template; use an instruct model"),
    "refuses all": ("{{ raise_exception('no') }}", r"models.teacher: the chat template .* refuses .*\(no\); take"),
    "parts only": (template("smolvlm"), "models.teacher: .* does not show messages of system, user, assistant, tool;"),
    "no syntax": ("{% for %}", "models.teacher: the chat template of .* refuses a chat"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), BAD.values(), ids=BAD)
def test_an_unfit_template_stops_the_run_before_anything_is_asked(try_template, source, message):
    found = errors(try_template(source))
    assert len(found) == 2 and re.search(message, found[0]) and "\n" not in found[0]


def test_the_base_model_must_be_trainable(try_template):
    """Nothing ends a turn: a teacher's is ended by max_tokens, a student would never learn to end one."""
    source = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    assert errors(try_template(source, config={"eos_token": None}, roles=["teacher"])) == []
    (problem,) = errors(try_template(source, config={"eos_token": None}))
    assert problem.startswith("models.base: rows cannot be labelled") and "(no_end_of_turn); take" in problem


COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """A hub with the model own/student: the files of `folder`."""

    folder: Path
    sent: list[str]

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        files = sorted(self.folder.iterdir())
        listed = [{"type": "file", "path": file.name, "size": file.stat().st_size, "oid": COMMIT} for file in files]
        info = {"id": "own/student", "sha": COMMIT, "siblings": [{"rfilename": file.name} for file in files]}
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/api/"):
            content = json.dumps(listed if "/tree/" in self.path else info).encode()
        else:
            content = (self.folder / name).read_bytes()
        self.send_response(200)
        for header, value in {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT, "Content-Length": len(content)}.items():
            self.send_header(header, str(value))
        self.end_headers()
        if self.command == "GET":
            self.sent.append(name)
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tiny_model, tmp_path, monkeypatch):
    folder = shutil.copytree(tiny_model, tmp_path / "student")
    handler = type("OwnHub", (Hub,), {"folder": folder, "sent": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield handler
        server.shutdown()


def test_a_student_of_the_hub_is_tried_before_its_weights_are_here(hub, monkeypatch, capsys):
    """Else a student without a chat template would be found when teacher and judges are paid."""
    monkeypatch.chdir(ROOT)
    values = read_yaml(ROOT / "profiles/toy.yaml")
    values["models"]["base"] = {"path": None, "hub": "own/student", "revision": None}
    params = check_params(values, "params.yaml")
    (hub.folder / "chat_template.jinja").unlink()
    fetch_tokenizer("models.base", params.models.base)
    assert "tokenizer.json" in hub.sent and not any(name.endswith(".safetensors") for name in hub.sent)
    with pytest.raises(FunReasonError, match=r"models\.base: model .* has no chat template; use an instruct model"):
        require_templates(params)
    values["models"]["base"]["hub"] = "own/it"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    fetch_tokenizer("models.base", check_params(values, "params.yaml").models.base)
    warned = capsys.readouterr().err
    assert re.search(r"warning: the chat template of models\.base 'own/it' was not tried \(.+\)\n", warned)
