"""A model folder of somebody else: its code is never run, and its chat template ends."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from funreason.core.errors import ModelError
from funreason.llm.chat import ChatRenderer
from funreason.llm.refs import ModelRef
from funreason.llm.request import Request
from funreason.srml.bounded import EndlessTemplate, require_bounded

_LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
ENDLESS = {
    "loops in loops": _LOOPS,
    "a long text": "{{ 'x' * 10 ** 10 }}",
    "many texts": "{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
    "a list that doubles": "{% set n = namespace(v=[1]) %}{% for a in range(99) %}{% set n.v = n.v * 2 %}{% endfor %}",
    "a range beyond the limit": "{% for a in range(10 ** 9) %}x{% endfor %}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a power": "{{ 9 ** (9 ** 9) }}",
    "only with tools": f"{{% if tools %}}{_LOOPS}{{% endif %}}",
    "only after a result": "{% if messages[-1].role == 'tool' %}{{ 'x' * 10 ** 10 }}{% endif %}",
}
QWEN = """{%- for m in messages %}<|im_start|>{{ m.role }}
{% generation %}{{ m.content }}{% endgeneration %}<|im_end|>
{% if loop.last %}{% break %}{% endif %}{% endfor %}{{ tools | tojson if tools }}{{ strftime_now('%d') }}"""


@pytest.mark.slow
@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
def test_a_template_that_does_not_end_is_refused_in_one_line(template):
    started = time.monotonic()
    with pytest.raises(EndlessTemplate, match=r"does not end within 5 s .* another chat_template.jinja$") as caught:
        require_bounded(template)
    assert "\n" not in str(caught.value) and time.monotonic() - started < 100


@pytest.mark.parametrize(
    "template", [QWEN, "{{ raise_exception('no') }}", "{% broken", "{{ missing.of.what }}", "None"]
)
def test_others_are_left_to_their_users(template):
    require_bounded(template)


@pytest.fixture
def model(tiny_model, tmp_path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / "model")


@pytest.mark.model
def test_a_model_with_such_a_template_is_not_used(model):
    (model / "chat_template.jinja").write_text(ENDLESS["loops in loops"])
    config = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": ENDLESS["loops in loops"]}))
    with pytest.raises(ModelError, match="the chat template does not end within"):
        ChatRenderer(ModelRef(str(model), None, "")).render(Request([{"role": "user", "content": "x"}]))


@pytest.mark.model
def test_the_code_of_a_model_is_not_run_and_nothing_is_asked(model, tmp_path):
    """transformers alone would ask on the terminal, and run it at a `y`."""
    planted = tmp_path / "planted"
    (model / "own.py").write_text(f"open({str(planted)!r}, 'w')\nclass Own: pass\n")
    for name, auto in (
        ("tokenizer_config.json", {"AutoTokenizer": ["own.Own", None]}),
        ("config.json", {"AutoConfig": "own.Own"}),
    ):
        config = json.loads((model / name).read_text()) | {"auto_map": auto}
        config |= {"model_type": "own"} if name == "config.json" else {"tokenizer_class": "Own"}
        (model / name).write_text(json.dumps(config))
    source = f"""
from funreason.core.errors import ModelError
from funreason.llm.chat import ChatRenderer
from funreason.llm.refs import ModelRef
try:
    ChatRenderer(ModelRef({str(model)!r}, None, "")).tokenizer
except ModelError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", source], input="y\ny\n", capture_output=True, text=True, timeout=120)
    assert not planted.exists()
    assert "brings code of its own" in done.stdout and done.stdout.count("\n") == 1, done.stderr[-500:]
