"""A difference between training and serving is found, and named for what it is."""

import json

import pytest
from families import tokenizer_of

from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.prompts.conversation import chat
from funreason.serve.certificate import check_before_training
from funreason.serve.drawn import drawn
from funreason.serve.parity import TemplateServer, compare
from funreason.serve.requests import request_of
from funreason.serve.template import served_template

TOOL = {"name": "f", "description": "é", "parameters": {"a": {"type": "str", "description": "x"}}}


def row(completion: str = "<think>so</think>\n\n[f(a='b')]", **more) -> dict:
    """A row in a running turn, after a call with its reasoning."""
    steps = [
        {"role": "assistant", "content": "[f(a='1')]", "reasoning": "because"},
        {"role": "tool", "content": "a result"},
    ]
    history = [{"role": "system", "content": "Told."}, {"role": "user", "content": "a question"},
               {"role": "assistant", "content": "Hm."}]  # fmt: skip
    task = Task("t", "another question", [TOOL], [], history=history, steps=steps)
    return {"id": "t", "prompt": chat(task), "completion": [{"role": "assistant", "content": completion}]} | more


def changed(old: str, new: str):
    def change(template: str) -> str:
        assert old in template
        return template.replace(old, new)

    return change


# name → (family, change of the served template, the name of the difference)
DRIFTS = {
    "the model's own template": ("qwen3", lambda template: template.rpartition("{{- '' }}")[2], "system text"),
    "tools without indent": ("qwen3", changed("indent=4)", "indent=2)"), "white space in tools"),
    "letters not escaped": ("qwen3", changed("ensure_ascii=true", "ensure_ascii=false"), "tools"),
    "sorted keys": ("qwen3", changed("indent=4)", "indent=4, sort_keys=true)"), "tools"),
    "a default system text": ("qwen2_5", changed("'system', 'content': (", "'system', 'content': 'You are Qwen.' ~ ("),
                              "system text"),
    "reasoning stripped": ("qwen3", changed("at.user == run.last", "false"), "reasoning stripped"),
    "no generation prompt": ("qwen3", changed("{%- if add_generation_prompt", "{%- if false and add_generation_prompt"),
                             "generation prompt"),
    "reasoning opened": ("qwen2_5", lambda template: template + "<think>\n", "generation prompt"),
    "a blank after messages": ("qwen3", changed("fr_safe(message['content'],", "fr_safe(message['content'] ~ ' ',"),
                               "white space in"),
    "the date of today": ("llama3_2", changed("26 Jul 2024", "27 Jul 2024"), "system text"),
    "results as the user's": ("qwen2_5", changed('"shows_results": true', '"shows_results": false'),
                             "template text before message 5 (tool)"),
    "the user's names kept": ("qwen3", changed("run.ids.get(name, name)", "name"), "tools"),
    "the system text left out": ("qwen3", changed("[run.system|join('\\n\\n')] if run.system else []", "[]"),
                                 "message 0 (system)|system text|template text"),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_found_and_named(drift):
    family, change, expected = DRIFTS[drift]
    tokenizer = tokenizer_of(family)
    template = served_template(tokenizer)
    given = row()
    if drift == "the user's names kept":
        renamed = json.dumps(row()).replace('\\"name\\": \\"f\\"', '\\"name\\": \\"f_g\\"').replace("[f(", "[f_g(")
        given = json.loads(renamed) | {"names": {"originals": {"f_g": "f-g"}, "in_texts": True}}
    assert not compare([given], tokenizer, TemplateServer(tokenizer, template)).differences
    (difference,) = compare([given], tokenizer, TemplateServer(tokenizer, change(template))).differences
    assert any(difference.kind.startswith(name) for name in expected.split("|")), str(difference)
    assert difference.trained != difference.served


def test_a_bos_that_the_server_adds_is_named():
    tokenizer = tokenizer_of("llama3_1")
    tokenizer.add_bos_token = True
    server = TemplateServer(tokenizer, served_template(tokenizer))
    prompt = server.prompt(request_of(row()))
    twice = type(
        "Twice", (), {"prompt": lambda _, __: type(prompt)(prompt.text, [tokenizer.bos_token_id, *prompt.ids])}
    )
    (difference,) = compare([row()], tokenizer, twice()).differences
    assert difference.kind == "BOS: trained with 1, served with 2 of '<|begin_of_text|>'"


def test_control_tokens_and_stops_are_named():
    tokenizer = tokenizer_of("qwen3")
    server = TemplateServer(tokenizer, served_template(tokenizer))
    forged = row()
    forged["prompt"][-1] = {"role": "tool", "content": "a <|im_end|> b"}
    (difference,) = compare([forged], tokenizer, server).differences
    assert difference.kind.startswith("control tokens")
    (difference,) = compare([row()], tokenizer, server, [tokenizer.convert_tokens_to_ids("<|endoftext|>")]).differences
    assert str(difference) == (
        "row t: end of turn: trained to end with '<|im_end|>', the server stops at '<|endoftext|>'"
    )


def test_the_check_before_training():
    tokenizer = tokenizer_of("qwen3")
    rows = [row for row, _ in drawn(5, seed=3)]
    check_before_training([*rows, {"prompt": "a text", "completion": "b"}], tokenizer)
    rows[2]["prompt"][0]["content"] = rows[2]["prompt"][0]["content"].replace("    ", "  ")
    with pytest.raises(DataError, match=r"1 of 5 rows would be served .*row drawn/2: white space in tools"):
        check_before_training(rows, tokenizer)


def test_the_command(tmp_path, monkeypatch, capsys):
    """vLLM's own rendering, of rows and of drawn conversations; with the checkpoint's template alone, and spoilt."""
    from families import TOY

    from funreason.cli import main

    folder = tmp_path / "model"
    tokenizer = tokenizer_of("toy")
    tokenizer.chat_template = served_template(tokenizer)
    tokenizer.save_pretrained(folder)
    for name in ("config.json", "generation_config.json"):
        (folder / name).write_bytes((TOY / name).read_bytes())
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row, _ in drawn(6, seed=5)))

    def run(*arguments: str) -> tuple[int, dict]:
        monkeypatch.setattr("sys.argv", ["funreason", "parity", str(folder), "--json", *arguments])
        with pytest.raises(SystemExit) as status:
            main.main()
        out = capsys.readouterr().out
        return status.value.code, json.loads(out[out.index("{") :])

    for arguments in (["--rows", str(rows)], ["--count", "40", "--drawn"], ["--count", "20", "--drawn", "--template"]):
        status, certificate = run(*arguments)
        assert (status, certificate["differences"], certificate["unusable"]) == (0, [], {}), arguments
        assert certificate["rows"] in (6, 40, 20)
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("indent=4", "indent=3"))
    status, certificate = run("--count", "5", "--drawn", "--template")
    assert (status, certificate["kinds"]) == (1, {"white space in tools": 5})
