"""Models whose chat template opens the reasoning in the prompt: their answers look like those of all others."""

import shutil

import pytest
from tiny import CHATML

from funreason.llm import Cache, Client, Request, Response, load_ref

from .conftest import SAMPLING, llm_params

ASKED = Request([{"role": "user", "content": "q"}])


@pytest.fixture
def opened(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / "chat_template.jinja").write_text(CHATML.replace("assistant\n", "assistant\n<think>\n"))
    return load_ref(folder)


def answered(ref, tmp_path, text: str, sampling: dict = SAMPLING) -> str:
    """What a client gives for a response that is in the cache, so that no engine starts."""
    with Cache(tmp_path / "cache") as cache, Client(ref, llm_params(), sampling, cache=cache) as client:
        job = client._job(ASKED)
        cache.put(job.key, Response(text, "stop", 5, 4), client.engine.identity)
        (response,) = client.run([ASKED])
        assert not client.engine.started
    return response.text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("why</think>\n\n[f()]", "<think>why</think>\n\n[f()]"),
        ("never closed [f()]", "<think>never closed [f()]"),  # no answer, but reasoning
        ("<think>why</think>[f()]", "<think>why</think>[f()]"),  # a model that opens it again
        ("", ""),
    ],
)
def test_the_open_mark_is_in_the_answer(opened, tmp_path, written, seen):
    assert answered(opened, tmp_path, written) == seen


def test_other_answers_are_as_they_were(opened, tiny_model, tmp_path):
    assert answered(load_ref(tiny_model), tmp_path, "why</think>[f()]") == "why</think>[f()]"
    # A regex says what the whole text looks like, and judges may leave the reasoning out.
    assert answered(opened, tmp_path, "True", SAMPLING | {"regex": "True|False"}) == "True"


def test_a_begun_answer_comes_after_the_reasoning(opened):
    with Client(opened, llm_params(), SAMPLING) as client:
        prompt = client.engine.prompt(Request(ASKED.messages, prefix="[f("))
    assert prompt.endswith("<|im_start|>assistant\n<think>\n</think>\n\n[f(")
