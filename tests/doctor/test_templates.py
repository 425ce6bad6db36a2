"""Each role's model is tried with its chat template before anything is asked."""

import json
import re
import shutil
from pathlib import Path

import pytest
import trl

from funreason.config import check_params, read_yaml
from funreason.core.errors import FunReasonError
from funreason.doctor.templates import require_templates, templates

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
