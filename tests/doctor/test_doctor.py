"""Real things that are wrong, and what the doctor says about them."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from llm.http_server import JsonHandler, running, serve
from project import merged

from funreason.cli.main import main
from funreason.config import check_params, read_yaml
from funreason.core.errors import FunReasonError
from funreason.doctor import access, memory, rates, remotes, scorers, space
from funreason.doctor.memory import Gpu
from funreason.doctor.preflight import preflight
from funreason.sandbox import cgroup
from funreason.sandbox import isolation as sandbox

ROOT = Path(__file__).parents[2]
GB = 10**9
CARD = Gpu("an 80 GB card", 80 * GB, (9, 0))
OLD = Gpu("an old card", 16 * GB, (7, 0))


def params(**changes):
    values = read_yaml(ROOT / "profiles/toy.yaml")
    merged(values, changes)
    return check_params(values, "params.yaml")


def said(diagnoses, level: str = "error") -> str:
    """The one diagnosis of this level, whose remedy is not empty."""
    (found,) = [diagnosis for diagnosis in diagnoses if diagnosis.level == level]
    assert level == "ok" or (found.remedy and "\n" not in str(found))
    return str(found)


def quiet(diagnoses) -> bool:
    return all(diagnosis.level == "ok" for diagnosis in diagnoses)


def base(path) -> dict:
    return {"models": {"base": {"path": str(path), "hub": None, "revision": None}}}


@pytest.fixture
def small(tmp_path):
    """A file system of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder]).returncode:
        pytest.skip("only root may mount a small tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def huge(tiny_model, tmp_path):
    """A checkpoint whose weights are a hole in a file: 7.6 billion parameters in bfloat16."""
    folder = shutil.copytree(tiny_model, tmp_path / "huge")
    size = 7_600_000_000
    tensor = {"dtype": "BF16", "shape": [size // 1000, 1000], "data_offsets": [0, 2 * size]}
    header = json.dumps({"weight": tensor}).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2 * size)
    return folder


@pytest.mark.model
def test_the_default_is_ready_and_asks_nobody(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["funreason", "doctor", "--json"])
    monkeypatch.setattr(socket.socket, "connect", lambda *a: pytest.fail(f"connected to {a[1:]}"))
    with pytest.raises(SystemExit) as end:
        main()
    found = json.loads(capsys.readouterr().out)
    assert end.value.code == 0 and len(found) > 8, found


def test_a_bad_parameter_is_the_one_finding(monkeypatch, capsys, tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("  lambda:", "  lamda:"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["funreason", "doctor"])
    with pytest.raises(SystemExit) as end:
        main()
    out = capsys.readouterr().out
    assert end.value.code == 1 and out.count("\n") == 1
    assert out.startswith("ERROR   params.yaml: ") and "unknown key `loss.lamda`" in out


def test_models(tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert quiet(access.models(params(**base(tiny_model))))
    assert "models.base.path: no folder 'nowhere'; correct it" in said(access.models(params(**base("nowhere"))))
    copy = shutil.copytree(tiny_model, tmp_path / "cut")
    weights = copy / "model.safetensors"
    os.truncate(weights, weights.stat().st_size - 1)
    assert "model.safetensors ends at byte" in said(access.models(params(**base(copy))))
    weights.write_bytes(b"not one")
    assert "is not a safetensors file; copy the checkpoint anew" in said(access.models(params(**base(copy))))
    (copy / "config.json").unlink()
    assert "has no config.json; give the folder" in said(access.models(params(**base(copy))))
    absent = {"models": {"base": {"path": None, "hub": "own/it", "revision": None}}}
    assert "models.base.hub: 'own/it': no answer from the hub" in said(access.models(params(**absent)))


def test_hub_ids_without_a_revision_are_named():
    assert list(access.revisions(params())) == []
    hub = {"path": None, "hub": "own/it", "revision": None}
    loose = params(models={"base": hub, "teacher": hub | {"revision": "abc"}})
    (diagnosis,) = access.revisions(loose)
    assert diagnosis.level == "warning" and "models.base.revision (own/it)" in str(diagnosis)
    assert "teacher" not in str(diagnosis) and "models/*.json" in str(diagnosis)


class Refusing(JsonHandler):
    def do_GET(self):
        self._send(401, {"error": "no"})


def served(url: str, **changes):
    return params(llm={"engine": "server", "server": {"base_url": url, **changes}})


def test_a_server(monkeypatch):
    assert quiet(access.server(params()))
    with serve() as server:
        assert quiet(access.server(served(server.url, model="m")))
        assert "serves m, not llm.server.model 'other'" in said(access.server(served(server.url, model="other")))
    assert "does not answer" in said(access.server(served("http://127.0.0.1:9/v1")))
    with (server := ThreadingHTTPServer(("127.0.0.1", 0), Refusing)), running(server):
        url = f"http://127.0.0.1:{server.server_port}/v1"
        assert "refuses the key (401); set the variable" in said(access.server(served(url)))
        monkeypatch.delenv("NO_SUCH_KEY", raising=False)
        assert "NO_SUCH_KEY is not set; export" in said(access.server(served(url, api_key_env="NO_SUCH_KEY")))


def test_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
    source = tmp_path / "rows.jsonl"

    def found(text: str | None, path=source):
        if text is not None:
            source.write_text(text)
        return access.data(params(data={"path": str(path)}))

    assert "is written by the stage world" in said(access.data(params()), "ok")
    assert "no file" in said(found(None))
    assert "holds no rows" in said(found("\n"))
    assert "row 1" in said(found('{"id": 1}\n'))
    row = {"id": "1", "query": "Go.", "tools": [{"name": "f", "description": "", "parameters": {}}], "answers": []}
    assert quiet(found(json.dumps(row)))


def test_scorers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "requirements", "requirements")
    python = tmp_path / ".venv-bfcl/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    packages = tmp_path / ".venv-bfcl/lib/python3.11/site-packages"
    toy = {"evaluate": {"code": {"benchmarks": ["toy"]}}}
    assert ".venv-bfcl holds no bfcl_eval, not bfcl_eval-2026.3.23" in said(scorers.environments(params(**toy)))
    (packages / "bfcl_eval-2026.3.23.dist-info").mkdir(parents=True)
    assert quiet(scorers.environments(params(**toy)))
    plus = {"evaluate": {"code": {"benchmarks": ["humaneval+"], "evalplus_data": str(tmp_path)}}}
    assert "has no HumanEvalPlus.jsonl(.gz)" in said(scorers.benchmark_data(params(**plus)))
    assert "api_bank" in said(scorers.benchmark_data(params(evaluate={"api_bank": "nowhere"})))
    lost = {"mode": "remove", "benchmarks": ["nowhere.jsonl"]}
    assert "nowhere.jsonl is not here" in said(scorers.decontamination(params(decontaminate=lost)))
    assert not list(scorers.decontamination(params(decontaminate=lost | {"mode": "off"})))


def test_the_sandbox(tmp_path, monkeypatch):
    sandbox.resolve.cache_clear()
    told = said(scorers.sandbox_works(params()), "ok")
    assert "works" in told and ("by control group" in told) is not bool(cgroup.problem())
    assert cgroup.problem() in told
    assert "unprotected" in said(scorers.sandbox_works(params(evaluate={"sandbox": "none"})), "warning")
    sandbox.resolve.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "cannot isolate model code" in said(scorers.sandbox_works(params()))
    sandbox.resolve.cache_clear()


def test_room_on_the_disk(small, tmp_path, monkeypatch, huge, tiny_model):
    monkeypatch.chdir(small)
    monkeypatch.setenv("FUNREASON_CACHE", str(tmp_path))
    assert "MB free for workspace at models" in said(space.disk(params(**base(huge))))
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.chdir(tmp_path)
    assert free > 10 * GB and quiet(space.disk(params(**base(tiny_model))))
    unknown = params(models={"base": {"path": None, "hub": "nobody/nothing", "revision": None}})
    assert "models and checkpoints of a size that is not known" in said(space.disk(unknown), "ok")
    monkeypatch.setenv("FUNREASON_CACHE", str(small))
    assert "responses at" in said(space.disk(params(**base(tiny_model))), "warning")


def machine(*gpus, total=24 * GB, free=20 * GB) -> memory.Machine:
    return memory.Machine(list(gpus), (total, free))


def test_a_model_that_does_not_fit_to_be_trained(huge):
    big = params(**base(huge))
    assert "takes 121.6 GB of the 80.0 GB of a GPU; set train.launcher" in said(memory.training(big, machine(CARD)))
    assert "takes 121.6 GB of 20.0 GB free memory, 24.0 GB in all" in said(memory.training(big, machine()))
    tight = machine(total=200 * GB, free=130 * GB)
    assert "end other programs" in said(memory.training(big, tight), "warning")
    sharded = params(**base(huge), train={"launcher": "fsdp2", "processes": 2, "batch_size": 32})
    assert quiet(memory.training(sharded, machine(CARD, CARD)))  # 60.8 GB each
    assert "this machine has 1 GPUs" in said(memory.training(sharded, machine(CARD)), "warning")
    assert "fsdp2 without GPUs: it rehearses" in said(memory.training(sharded, machine()), "warning")
    accumulating = params(**base(huge), train={"launcher": "fsdp2", "processes": 2, "batch_size": 64})
    found = said(memory.training(accumulating, machine(CARD, CARD)))
    assert "30.4 GB of gradients that FSDP2 keeps whole between micro-batches: 91.2 GB of the 80.0 GB" in found
    flash = params(train={"attn_implementation": "flash_attention_2", "bf16": True})
    assert "which needs a GPU; here is none; set it to sdpa" in said(memory.training(flash, machine()))
    assert "needs flash_attn, which is not installed" in said(memory.training(flash, machine(CARD)))
    zero = params(**base(huge), train={"launcher": "zero3", "processes": 2, "batch_size": 32})
    assert "zero3, which needs GPUs" in str(next(memory.training(zero, machine())))
    assert quiet(memory.training(params(**base(huge), train={"lora": {"rank": 8}}), machine(CARD)))
    assert "has no bfloat16" in said(memory.training(params(train={"bf16": True}), machine(OLD)))


def test_a_model_that_does_not_fit_to_answer(huge):
    def found(*gpus, **llm):
        return memory.serving(params(**base(huge), llm=llm), machine(*gpus))

    assert "models.base takes 30.4 GB of the 14.4 GB" in said(found(OLD))
    assert quiet(found(CARD)) and quiet(found(OLD, OLD, OLD, tensor_parallel_size=3))
    assert "this machine has 1 GPUs" in said(found(CARD, tensor_parallel_size=2))
    copies = said(found(CARD, CARD, CARD, tensor_parallel_size=2, data_parallel_size=2))
    assert "tensor_parallel_size is 2, data_parallel_size 2, this machine has 3 GPUs; lower one" in copies
    assert quiet(found(OLD, quantization={str(huge): "fp8"}))  # 7.6 GB
    assert "which an old card lacks; set llm.dtype to float16" in str(next(found(OLD, dtype="bfloat16")))
    assert "llm.kv_cache_gb take 31.5 GB" in said(found())
    assert quiet(memory.serving(params(llm={"engine": "server"}), machine()))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/no/such/folder/remote", "DVC remote team: no folder /no/such/folder"),
        ("http://127.0.0.1:9/team", "DVC remote team: "),
        ("s3://bucket/team", "DVC remote team: Unable to locate credentials; export AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_remote_out_of_reach(tmp_path, monkeypatch, url, expected):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(remotes, "TIMEOUT_S", 120)  # loading botocore counts
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(f"[core]\n    no_scm = true\n['remote \"team\"']\n    url = {url}\n")
    assert expected in said(remotes.remotes())


def test_a_remote_that_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    text = f"[core]\n    no_scm = true\n    remote = other\n['remote \"team\"']\n    url = {tmp_path / 'team'}\n"
    (tmp_path / ".dvc/config").write_text(text)
    diagnoses = list(remotes.remotes())
    assert "DVC remote team answers" in said(diagnoses, "ok")
    assert "the default DVC remote 'other' does not exist" in said(diagnoses)


def test_the_first_stage_stops_for_it(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(ROOT)
    preflight(params())
    lacking = {"api_bank": "nowhere", "code": {"benchmarks": ["mbpp+"], "evalplus_data": str(tmp_path)}}
    with pytest.raises(FunReasonError, match=r"has no MbppPlus.jsonl.* \(1 more: `funreason doctor`\)$"):
        preflight(params(evaluate=lacking))


def student(folder: Path, parameters: int, **train):
    """A student of this many parameters, of SmolLM2's shape, with rows of 40 words from an earlier run."""
    config = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
              "num_key_value_heads": 3, "vocab_size": 49152}  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    header = json.dumps(
        {"weight": {"dtype": "BF16", "shape": [parameters], "data_offsets": [0, 2 * parameters]}}
    ).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2 * parameters)
    return params(**base(folder), train=train)


def test_a_micro_batch_that_does_not_fit_names_one_that_does(tmp_path, monkeypatch, tiny_model):
    """Activations and logits count: SmolLM2-135M took 5.9 GB with 4 rows of 512 tokens, 4.2 GB with 2."""
    monkeypatch.chdir(tmp_path)
    chosen = student(tmp_path / "s", 134_515_008, micro_batch_size=4, batch_size=8, max_length=512)
    fits = said(memory.training(chosen, machine(total=16 * GB, free=4 * GB + 10**9)), "warning")
    assert "micro_batch_size 4 with rows of up to 512 tokens takes about 6." in fits
    assert "set it to a value that fits: 2 fits with 4.7 GB, and `train` takes it by itself" in fits
    assert quiet(memory.training(chosen, machine(total=16 * GB, free=10 * GB)))
    hopeless = said(memory.training(chosen, machine(total=16 * GB, free=3 * GB)), "warning")
    assert "with micro-batches of 1; lower train.max_length, set train.gradient_checkpointing" in hopeless
    rows = [{"prompt": [{"role": "user", "content": "a b"}], "completion": [{"content": f"{'it is so ' * 40}[f()]"}]}]
    (tmp_path / "data/r0").mkdir(parents=True)
    (tmp_path / "data/r0/train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows * 30))
    shutil.copy(tiny_model / "tokenizer.json", tmp_path / "s")
    seen = [str(line) for line in memory.training(chosen, machine(total=16 * GB, free=10 * GB))]
    assert int(re.search(r"rows of up to (\d+) tokens", seen[1])[1]) in range(100, 420)  # those of the last run


@pytest.mark.parametrize(
    ("parameters", "rank", "rate", "fits"),
    [
        (7_600_000_000, 0, 4e-5, True), (7_600_000_000, 0, 1e-3, False), (7_600_000_000, 16, 2e-4, True),
        (135_000_000, 0, 5e-4, True), (135_000_000, 0, 1e-2, False), (135_000_000, 16, 1e-3, True),
        (7_600_000_000, 16, 5e-6, False),
    ],
)  # fmt: skip
def test_a_learning_rate_off_by_ten_times_is_a_warning(tmp_path, monkeypatch, parameters, rank, rate, fits):
    monkeypatch.chdir(tmp_path)
    found = list(rates.rates(student(tmp_path / "s", parameters, learning_rate=rate, lora={"rank": rank})))
    assert quiet(found) == fits
    assert fits or "off by ten times or more; set it nearer" in said(found, "warning")


def test_a_batch_as_large_as_the_data_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/r0").mkdir(parents=True)
    (tmp_path / "data/r0/train.jsonl").write_text("{}\n" * 600)
    few = said(rates.rates(student(tmp_path / "s", 10**6, batch_size=512, micro_batch_size=8)), "warning")
    assert "600 rows make 6 optimizer steps of 512 in 3 epochs; lower train.batch_size" in few
    assert quiet(rates.rates(student(tmp_path / "s", 10**6)))
