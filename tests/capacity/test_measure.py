"""`funreason capacity measure`, with the real engine over the toy model."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.config import load_params
from funreason.core.errors import DataError
from funreason.llm.chat import ChatRenderer
from funreason.llm.refs import load_ref
from funreason.plan.capacity import read_speed
from funreason.plan.measure import gpus_of, prompts

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "toy/models/toy-base"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A folder with params.yaml, the models and 40 tasks, with a response cache of its own."""
    shutil.copy(ROOT / "profiles/toy.yaml", tmp_path / "params.yaml")
    (tmp_path / "toy").symlink_to(ROOT / "toy")
    (tmp_path / "data").mkdir()
    tool = {"name": "book", "description": "Books a table.", "parameters": {"people": {"type": "int"}}}
    rows = [{"id": str(n), "query": f"a table for {n}", "tools": [tool], "answers": []} for n in range(40)]
    (tmp_path / "data/tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FUNREASON_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.model
def test_speed_is_measured_with_the_real_engine_past_the_cache(toy, monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "argv", ["funreason", "capacity", "measure", str(MODEL), "--rows", "12", "--out", "s.json"]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0, capsys.readouterr().err
    found = json.loads((toy / "s.json").read_text())
    chat = ChatRenderer(load_ref(MODEL))
    tokens = sum(map(len, chat.encode([chat.render(request) for request in prompts(12)[1:]])))
    assert found["measured"]["rows"] == 12 and found["measured"]["prompt_tokens"] == tokens
    assert 12 < found["measured"]["completion_tokens"] <= 12 * load_params().generate.max_tokens
    speed = read_speed("s.json")
    # No order between the two speeds: it is timing, and a loaded machine turns it round.
    assert min(speed.prefill, speed.decode, speed.start_s) > 0 and (speed.gpus, speed.price) == (1, None)
    assert not (toy / "cache").exists()


def test_prompts_are_from_all_over_the_tasks(toy):
    texts = [request.messages[-1]["content"] for request in prompts(9)]
    assert len(texts) == 10 and "a table for 0" in texts[0] and "a table for 36" in texts[-1]
    assert len(prompts(100)) == 40
    (toy / "data/tasks.jsonl").unlink()
    with pytest.raises(DataError, match="dvc repro prepare"):
        prompts(1)


def test_gpus_are_those_of_the_engine():
    llm = load_params(ROOT / "profiles/toy.yaml").llm
    assert gpus_of(llm) == gpus_of(llm.model_copy(update={"engine": "server", "tensor_parallel_size": 8})) == 1
    spread = llm.ray.model_copy(update={"replicas": 3, "pipeline_parallel_size": 2})
    assert gpus_of(llm.model_copy(update={"engine": "ray", "tensor_parallel_size": 4, "ray": spread})) == 24
