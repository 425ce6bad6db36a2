"""The model of a round for others: its card, an exported folder, what would go to the hub."""

import json

import pytest
from families import TOY, tokenizer_of
from jinja2 import Environment
from project import ROOT

from funreason.cli import main
from funreason.config import load_params
from funreason.core.errors import DataError, ModelError
from funreason.publish.hub import PublishError
from funreason.publish.model_card import model_card
from funreason.publish.model_hub import checked_card
from funreason.serve.ollama import modelfile, parts
from funreason.serve.template import plain_template, served_template
from funreason.srml.template import ChatTemplate, unmarked

TRAIN = {
    "loss": {"think": 0.1, "result": 0.02, "total": 0.07}, "heldout": {"think": 0.2, "result": 0.03}, "weight": 0.7,
    "tokens": {"think": 30, "result": 15}, "rows": {"used": 8, "heldout": 2},
}  # fmt: skip
BFCL = {"toy": {"known": {"accuracy": 0.5, "low": 0.4, "high": 0.6, "n": 9, "categories": {"x": {"accuracy": 1.0}}}}}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a trained round, as the pipeline leaves it."""
    files = {
        "metrics/r0/train.json": [TRAIN], "metrics/r0/bfcl.json": [BFCL],
        "metrics/r0/6_validate.json": [{"outcomes": {"kept": 7, "dropped": 3}}],
        "models/base.json": {"kind": "local", "path": "/secret/place/base", "identity": "sha256:1"},
    }  # fmt: skip
    for name, value in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "models/r0").mkdir()
    for file in TOY.iterdir():
        (tmp_path / "models/r0" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "params.yaml").write_bytes((ROOT / "profiles/toy.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["funreason", *arguments])
    with pytest.raises(SystemExit) as status:
        main.main()
    out, err = capsys.readouterr()
    return status.value.code, out + err


def test_the_card(project):
    card = model_card("r0", load_params(), "apache-2.0")
    assert checked_card(card, "r0") == card == model_card("r0", load_params(), "apache-2.0")
    for text in ("`base`", "sha256:1", "| kept", "| 7", "0.7 at the end", "50.0", "40.0–60.0", "license: apache-2.0",
                 "funreason serve", "Not tested for"):  # fmt: skip
        assert text in card
    assert "secret" not in card and "100.0" not in card
    (project / "metrics/r0/bfcl.json").unlink()
    with pytest.raises(DataError, match="has no accuracies: run `dvc repro evaluate_bfcl@r0"):
        model_card("r0", load_params(), None)
    with pytest.raises(PublishError, match="has no Data, Serve"):
        checked_card(card.replace("## Data", "").replace("## Serve", ""), "r0")


def test_the_card_of_a_model_trained_by_grpo_names_rewards_and_no_loss(project):
    trained = TRAIN | {"method": "grpo", "loss": {"total": 0.1}, "heldout": None, "weight": None}
    samples = {"reward": 0.75, "exact": 0.5}
    (project / "metrics/r0/train.json").write_text(json.dumps([trained | {"samples": samples}]))
    card = checked_card(model_card("r0", load_params(), None), "r0")
    assert "GRPO" in card and "mean at the end 0.75" in card
    assert "λ" not in card and "None" not in card


def test_export_and_the_dry_run(project, monkeypatch, capsys):
    status, out = run(monkeypatch, capsys, "export", "r0", "--out", "share")
    assert status == 0 and "convert_hf_to_gguf.py share" in out and "chat-template-file share/llama.cpp.jinja" in out
    status, out = run(monkeypatch, capsys, "export", "models/r0", "--out", "other")
    assert status == 1 and "'models/r0' is not a round; params.yaml has r0, r1" in out
    template = (project / "share/chat_template.jinja").read_text()
    Environment(extensions=["jinja2.ext.loopcontrols"]).parse(template)
    assert "tools" in template and (project / "models/r0/chat_template.jinja").read_text() != template
    assert {"README.md", "Modelfile", "model.safetensors", "tokenizer.json"} <= {
        f.name for f in project.glob("share/*")
    }
    assert run(monkeypatch, capsys, "export", "r0", "--out", "share")[0] == 1
    status, out = run(monkeypatch, capsys, "push-model", "own/model", "--dry-run")
    assert status == 0 and "would upload to own/model (public, licence unknown)" in out and "README.md" in out
    status, out = run(monkeypatch, capsys, "push-model", "own/model")
    assert status == 1 and "give --license, or push it with --private" in out
    assert [file.name for file in (project / "models").iterdir()] in (["base.json", "r0"], ["r0", "base.json"])
    status, out = run(monkeypatch, capsys, "serve", "r0", "--print", "--vllm=--seed 3")
    assert status == 0 and "--tool-call-parser funreason" in out and out.endswith("--seed 3\n")
    status, out = run(monkeypatch, capsys, "serve", "r7", "--print")
    assert status == 1 and "`dvc repro train@r7` trains it" in out


def test_bad_tools_counts_and_ports_are_one_line(project, monkeypatch, capsys):
    """Before a model is loaded."""
    (project / "tools.json").write_text('[{"description": "no name"}]')
    chat = ["chat", "r0", "q", "--tools", "tools.json"]
    status, out = run(monkeypatch, capsys, *chat)
    assert status == 1 and out.startswith("error: tools.json: {")
    rows = {
        '{"prompt": "a text", "completion": "<think>a</think>b"}': "no row can be compared",
        '{"prompt": [{"role": "user", "content": "q"}], "completion": "b"}': "rows.jsonl: training row 0 is in no",
    }
    for row, message in rows.items():
        (project / "rows.jsonl").write_text(row)
        status, out = run(monkeypatch, capsys, "parity", "r0", "--rows", "rows.jsonl", "--template")
        assert status == 1 and message in out
    for arguments in (
        ["parity", "r0", "--count", "0"],
        ["serve", "r0", "--port", "99999"],
        [*chat, "--max-tokens", "-1"],
    ):
        status, out = run(monkeypatch, capsys, *arguments)
        assert status == 2 and "give a whole number, 1" in out


@pytest.mark.parametrize("name", ["toy", "qwen2_5", "qwen3", "llama3", "granite", "glm4", "zephyr"])
def test_a_modelfile_writes_what_the_template_writes(name):
    tokenizer = tokenizer_of(name)
    template, (begin, turns, prompt) = ChatTemplate.of(tokenizer), parts(tokenizer)
    roles = ["system", "user", "assistant", *(["tool"] if "tool" in turns else []), "assistant", "user"]
    chat = [{"role": role, "content": f"{role} {number}"} for number, role in enumerate(roles)]
    written = "".join(f"{turns[one['role']][0]}{one['content']}{turns[one['role']][1]}" for one in chat)
    assert begin + written + prompt == unmarked(template.text(chat))
    text = modelfile(tokenizer, "./model.gguf")
    assert text.startswith('FROM ./model.gguf\nTEMPLATE """') and f'eq .Role "user" }}}}{turns["user"][0]}' in text
    assert "PARAMETER temperature 0\n" in text and "PARAMETER stop" in text


@pytest.mark.parametrize("name", ["toy", "qwen2_5", "qwen3", "llama3_2"])
def test_the_template_for_llama_cpp_writes_what_training_reads(name):
    """It is the model's own: llama.cpp stops at the part for servers, whose `**` its parser does not know."""
    tokenizer = tokenizer_of(name)
    chat = [{"role": role, "content": role} for role in ("system", "user", "assistant", "user")]
    trained = unmarked(ChatTemplate.of(tokenizer).text(chat))
    tokenizer.chat_template = served_template(tokenizer)
    template = plain_template(tokenizer)
    written = tokenizer.apply_chat_template(chat, chat_template=template, tokenize=False, add_generation_prompt=True)
    assert written == trained and "**" not in template


def test_a_template_without_a_form_for_ollama():
    with pytest.raises(ModelError, match="llama.cpp with `llama.cpp.jinja`"):
        modelfile(tokenizer_of("llama2"), "x")
