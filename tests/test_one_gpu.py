"""The profile for one GPU of 24 GB: what can be known of it without one. The whole of it runs in tests/pipeline."""

import json
import re
from pathlib import Path

import pytest
from data.reading import accepted

from funreason.config import profiles
from funreason.core.jsonio import write_json
from funreason.data.sources import resolve_data, resolve_model
from funreason.doctor import memory
from funreason.llm import Request, load_ref
from funreason.llm.engines.vllm import VllmEngine, engine_arguments
from funreason.plan.capacity import assumed_run, read_assumptions, with_hours

ROOT = Path(__file__).parents[1]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = memory.Gpu("a 24 GB card", 24 * 10**9, (8, 6))
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALLS = [{"name": "get_weather", "arguments": {"city": "Ghent"}}]


@pytest.fixture
def params(monkeypatch):
    monkeypatch.setattr(profiles, "FOLDER", ROOT / "profiles")
    from funreason.config import check_params

    return check_params(profiles.values("one-gpu"), "one-gpu")


def test_both_published_forms_are_the_same_task():
    """Synth-APIGen-v0.1: OpenAI's wrapper, no id. apigen-function-calling: xLAM's form, with an id."""
    xlam = {"name": "get_weather", "description": "Weather of a city.", "parameters": {"city": {"type": "str"}}}
    synth = {
        "func_name": "get_weather", "func_desc": "Weather of a city.", "query": "Weather in Ghent?",
        "tools": json.dumps([{"type": "function", "function": WEATHER}]), "answers": json.dumps(CALLS),
        "model_name": "a model", "hash_id": "f9a0",
    }  # fmt: skip
    mixed = {"id": 7, "query": "Weather in Ghent?", "tools": json.dumps([xlam]), "answers": json.dumps(CALLS)}
    rows = [accepted(synth), accepted(mixed)]
    assert [row.format for row in rows] == ["xlam", "xlam"]
    (first,), (second,) = (row.tasks for row in rows)
    assert first.query == second.query and first.answers == second.answers == CALLS
    assert first.tools[0]["parameters"] == WEATHER["parameters"]
    assert list(second.tools[0]["parameters"]) == list(WEATHER["parameters"]["properties"])


@pytest.fixture
def hub(params, monkeypatch, tmp_path):
    """The hub's cache with copies of the profile's models: the same classes and templates, a few thousand weights."""
    import torch
    import transformers
    from families import tokenizer_of

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    models = params.models
    forms = {
        models.teacher.hub: ("qwen3", "Qwen3", {"head_dim": 16}),
        models.judges["judge"].hub: ("qwen2_5", "Qwen2", {}),
        models.base.hub: ("qwen2_5", "Qwen2", {}),
    }
    for name, (family, kind, more) in forms.items():
        tokenizer = tokenizer_of(family)
        config = getattr(transformers, f"{kind}Config")(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=1, **more,
        )  # fmt: skip
        folder = cached(tmp_path, "models", name)
        getattr(transformers, f"{kind}ForCausalLM")(config).to(torch.bfloat16).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    cached(tmp_path, "datasets", params.data.hub)
    return tmp_path


def cached(cache: Path, kind: str, name: str) -> Path:
    """A snapshot of a repository, as a download leaves it."""
    folder = cache / f"{kind}--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(COMMIT)
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    return folder / "snapshots" / COMMIT


@pytest.mark.model
def test_the_names_resolve_and_the_templates_fit(params, hub, tmp_path, monkeypatch):
    from transformers import AutoTokenizer

    from funreason.srml.segments import label

    assert resolve_data(params.data)["identity"] == f"hub:{params.data.hub}@{COMMIT}"
    models = {"teacher": params.models.teacher, "judge": params.models.judges["judge"], "base": params.models.base}
    for role, model in models.items():
        descriptor = resolve_model(role, model, params.llm)
        assert descriptor["identity"] == f"hub:{model.hub}@{COMMIT}"
        write_json(tmp_path / f"{role}.json", descriptor)
        engine = VllmEngine(load_ref(tmp_path / f"{role}.json"), params.llm)
        assert "Weather in Ghent?" in engine.prompt(Request([{"role": "user", "content": "Weather in Ghent?"}]))
        assert engine_arguments(engine.ref, params.llm)["quantization"] is None  # that of the checkpoint
    student = AutoTokenizer.from_pretrained(hub / f"models--{models['base'].hub.replace('/', '--')}/snapshots/{COMMIT}")
    from srml.rows import row

    segments = label(row("<think>Ghent.</think>\n\n[get_weather(city='Ghent')]"), student)["segment_ids"]
    assert {1, 2} <= set(segments)


def weights(folder: Path, tensors: dict[str, list[int]]) -> None:
    """A checkpoint whose weights are a hole in a file, with the dtypes and numbers of elements of a real one."""
    size, header, at = {"I32": 4, "F16": 2, "BF16": 2}, {}, 0
    for dtype, count in tensors.items():
        end = at + size[dtype] * count
        header[dtype] = {"dtype": dtype, "shape": [count], "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)


@pytest.mark.model
def test_the_doctor_says_what_fits_into_24_gb(params, hub):
    """With the sizes of the real checkpoints: AWQ packs eight weights into an integer, beside float16 embeddings."""
    packed = 6_950_000_000 // 8
    models = params.models
    real = {
        models.teacher.hub: {"I32": packed, "F16": 1_250_000_000 + 6_950_000_000 // 128},
        models.judges["judge"].hub: {"I32": 6_525_000_000 // 8, "F16": 1_090_000_000 + 6_525_000_000 // 128},
        models.base.hub: {"BF16": 1_543_714_304},
    }
    for name, tensors in real.items():
        weights(hub / f"models--{name.replace('/', '--')}/snapshots/{COMMIT}", tensors)
    machine = memory.Machine([CARD], (64 * 10**9, 60 * 10**9))
    found = [*memory.serving(params, machine), *memory.training(params, machine)]
    assert {diagnosis.level for diagnosis in found} == {"ok"}, found
    lines = " ".join(diagnosis.what for diagnosis in found)
    assert "models.teacher takes 6.1 GB of the 21.6 GB" in lines and "takes 6.2 GB of the 24.0 GB of a GPU" in lines


def test_the_hours_of_the_page_are_those_of_the_capacity_model(params):
    assumptions = read_assumptions(ROOT / "configs/capacity/one-gpu.yaml")
    rows = with_hours(assumed_run(assumptions, assumptions.rows), assumptions.speed)
    assert assumptions.rows == params.prepare.limit
    page = (ROOT / "docs/one-gpu.md").read_text()
    hours = {
        name: float(figure) for name, figure in re.findall(r"^\| `?(\w[\w ]*)`? \| ([\d.]+) h", page, re.MULTILINE)
    }
    assert hours["generate"] == pytest.approx(rows[0]["hours"], abs=0.06)
    assert hours["five checks"] == pytest.approx(sum(row["hours"] for row in rows[1:-1]), abs=0.06)
    together = float(re.search(r"together\*\* \| \*\*([\d.]+) h", page)[1])
    assert together == pytest.approx(sum(hours.values()), abs=0.06)
