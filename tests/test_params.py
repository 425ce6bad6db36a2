"""params.yaml is complete, strict and commented; profiles rewrite its values and nothing else."""

import copy
import shutil
import sys
from pathlib import Path

import pytest

from funreason import cli, profiles
from funreason.errors import ParamsError
from funreason.params import Params, check_params, load_params, read_yaml, yaml
from funreason.params_errors import known_keys

ROOT = Path(__file__).parents[1]
VALUES = read_yaml(ROOT / "params.yaml")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the committed params.yaml and profiles, as the current one."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed(dotted: str, value) -> dict:
    values = copy.deepcopy(VALUES)
    *blocks, key = dotted.split(".")
    node = values
    for block in blocks:
        node = node[block]
    node[key] = value
    return values


def problem(dotted: str, value) -> str:
    with pytest.raises(ParamsError) as caught:
        check_params(changed(dotted, value), "params.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_key_of_the_file_is_known_and_every_known_key_in_it():
    params = load_params(ROOT / "params.yaml")
    assert params.loss.lambda_ == VALUES["loss"]["lambda"]
    text = (ROOT / "params.yaml").read_text()
    for key in known_keys(Params):
        assert key.startswith("sets.*") or f"{key.rsplit('.', 1)[-1]}:" in text


def test_every_knob_says_what_it_is():
    """A comment beside the knob, or above it or its block."""
    lines = (ROOT / "params.yaml").read_text().splitlines()
    above = False
    for line in lines:
        above = line.strip().startswith("#") or (above and bool(line.strip()))
        assert above or "#" in line or not line.strip() or line.endswith(":"), f"no comment: {line}"


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("loss.lamda", "loss.lambda"),
        ("train.lambda", "loss.lambda"),
        ("jugde", "judge"),
        ("train.learning-rate", "train.learning_rate"),
        ("llm.server.url", "llm.server.base_url"),
        ("sets.r1.inti", "sets.r1.init"),
        ("models.base.pth", "models.base.path"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(key, nearest):
    assert f"unknown key `{key}`, the nearest known key is `{nearest}`" in problem(key, 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llm.server.api_key_env", "sk-very-secret"),
        ("llm.server.base_url", "https://me:very-secret@host/v1"),
        ("llm.server.base_url", "https://host/v1?api_key=very-secret"),
    ],
)
def test_a_key_is_refused_and_not_repeated(key, value):
    assert "secret" not in (found := problem(key, value))
    assert "api_key_env" in found


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("loss.lambda", "0.3", "`loss.lambda` is '0.3', expected a number"),
        ("loss.lambda", 1, "`loss.lambda` is 1, expected less than 1"),
        (
            "fcdr.cot.rule",
            "most",
            "`fcdr.cot.rule` is 'most', expected 'any', 'majority' or 'unanimous' or a number",
        ),
        ("loss.kind", "mls", "`loss.kind` is 'mls', expected 'msl', 'ssb' or 'sft'"),
        ("judge.max_asks", 1.5, "`judge.max_asks` is 1.5, expected a whole number"),
        ("judge.max_asks", True, "`judge.max_asks` is True, expected a whole number"),
        ("train.bf16", 1, "`train.bf16` is 1, expected true or false"),
        ("train", None, "`train` is None, expected a block of keys"),
        ("train.batch_size", 33, "batch_size 33 is no multiple of micro_batch_size"),
        ("evaluate.bfcl.categories", ["simple"], "categories.0` is 'simple', expected 'simple_python'"),
        ("models.base.hub", "own/it", "`models.base`: with a local `path`, `hub` and"),
        ("data.hub", "own/it", "`data`: give a local `path` and `hub: null`, or a `hub` id"),
        ("sets.r_2", {}, "`sets.r_2` is 'r_2', expected small letters, digits and hyphens"),
        ("loss.reduction", "sum", "`loss.reduction` is 'sum', expected 'batch' or 'sample'"),
        ("loss.ssb.anchor", 200.0, "rate 0.01 times anchor 200.0 is over 1"),
        ("train.lora.quantize", True, "quantized weights cannot be trained themselves"),
        ("train.processes", 2, "no multiple of micro_batch_size 16 times 2"),
        ("sets.r0.sampler", "r1", "sets.r0.sampler is 'r1', allowed here are ['teacher']"),
        ("sets.r1.sampler", "r1", "sets.r1.sampler is 'r1', allowed here are ['base', 'r0']"),
        ("sets.r1.init", "teacher", "sets.r1.init is 'teacher', allowed here are ['base', 'r0']"),
        ("sets.r1.kind", "hdr", "sets.r1.tasks is 'data/tasks.jsonl', allowed here are ['data/r0/hard.jsonl']"),
        ("sets.r1.kind", "again", "`sets.r1.kind` is 'again', expected 'distil', 'refine' or 'hdr'"),
        ("rounds.hdr.panel.judges", ["jugde"], "rounds.hdr.panel.judges names 'jugde'"),
        ("rounds.hdr.panel.temperature", 0.0, "a greedy judge votes alike"),
        ("sets.r1.earlier", "data/r1/train.jsonl", "sets.r1.earlier is 'data/r1/train.jsonl', allowed here"),
        ("sets.base", VALUES["sets"]["r0"], "sets.base: the project has files of this name"),
        ("llm.prices.models", {"gpt": {"prompt": 1.0, "completion": 2.0}}, "names 'gpt', the models are ['desk/"),
        ("llm.prices.models", {"models/r0": {"prompt": -1.0, "completion": 2.0}}, "-1.0, expected 0.0 or more"),
        ("llm.ray.gpus", 1.5, "`llm.ray.gpus` is 1.5, expected 1.0 or less"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_those_allowed(key, value, message):
    assert message in problem(key, value)


@pytest.mark.parametrize("key", ["tensor_parallel_size", "ray"])
def test_a_model_spread_by_ray_needs_a_gpu_for_each_part(key):
    values = changed("llm.engine", "ray")
    check_params(values, "params.yaml")
    llm = values["llm"]
    llm[key] = 2 if key == "tensor_parallel_size" else llm["ray"] | {"pipeline_parallel_size": 2}
    with pytest.raises(ParamsError, match="ray.gpus is 0; with .* it must be 1"):
        check_params(values, "params.yaml")
    llm["ray"]["gpus"] = 1
    check_params(values, "params.yaml")


def test_a_price_of_a_models_own():
    model = VALUES["models"]["judges"]["judge"]["path"]
    check_params(changed("llm.prices.models", {model: {"prompt": 1.0, "completion": 2.0}}), "params.yaml")


def test_a_missing_key_is_named():
    values = copy.deepcopy(VALUES)
    del values["judge"]["seed"], values["sets"]
    with pytest.raises(ParamsError, match="`judge.seed` is missing; .*`sets` is missing"):
        check_params(values, "params.yaml")


def test_all_findings_come_at_once():
    values = changed("loss.lambda", 2)
    values["train"]["epoch"] = 1
    with pytest.raises(ParamsError, match=r"params.yaml: `loss.lambda` is 2, .*; unknown key `train.epoch`"):
        check_params(values, "params.yaml")


def test_what_dvc_writes_is_a_number(desk):
    """`dvc exp run -S train.learning_rate=2e-5` leaves 2e-05, a text for YAML 1.1 readers."""
    text = (desk / "params.yaml").read_text()
    old = next(line for line in text.splitlines() if "learning_rate:" in line)
    (desk / "params.yaml").write_text(text.replace(old, "  learning_rate: 2e-05"))
    assert load_params().train.learning_rate == 2e-5


def test_a_broken_or_absent_file_is_one_line(desk):
    (desk / "params.yaml").write_text("loss: {lambda: 0.3\n")
    with pytest.raises(ParamsError, match="params.yaml is not valid YAML: [^\n]*$"):
        load_params()
    (desk / "params.yaml").write_text("")
    with pytest.raises(ParamsError, match="params.yaml"):
        load_params()
    with pytest.raises(ParamsError, match="nowhere.yaml does not exist"):
        load_params("nowhere.yaml")


def test_the_default_is_the_desk_profile(desk):
    assert profiles.values("desk") == read_yaml("params.yaml"), "after tuning params.yaml: funreason profile save desk"


@pytest.mark.parametrize("name", [path.stem for path in (ROOT / "profiles").glob("*.yaml")])
def test_every_profile_is_valid_and_the_way_back_leaves_the_same_bytes(desk, name):
    before = (desk / "params.yaml").read_text()
    profiles.use(name)
    assert load_params() == Params.model_validate(profiles.values(name))
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in (desk / "params.yaml").read_text().splitlines() if line.startswith("#")
    ]
    profiles.use("desk")
    assert (desk / "params.yaml").read_text() == before


def test_a_profile_gives_the_same_values_whatever_stood_there(desk):
    profiles.use("paper")
    first = (desk / "params.yaml").read_text()
    document = read_yaml("params.yaml", "rt")
    document["loss"]["lambda"], document["evaluate"]["bfcl"]["categories"] = 0.1, ["multiple"]
    document["sets"]["r2"] = document["sets"]["r1"] | {"sampler": "r1", "init": "r1"}
    with open("params.yaml", "w") as file:
        yaml().dump(document, file)
    profiles.use("paper")
    assert read_yaml("params.yaml") == yaml("safe").load(first)


def test_a_profile_keeps_comments_after_lists(desk):
    """ruamel hangs a comment after a list on the list: a new list would lose it, and its line break."""
    text = (desk / "params.yaml").read_text().replace("irrelevance]\n", "irrelevance]  # mine\n")
    (desk / "params.yaml").write_text(text)
    (desk / "profiles/mine.yaml").write_text("evaluate:\n  bfcl:\n    categories:\n    - multiple\n")
    profiles.use("mine")
    profiles.use("desk")
    lines = (desk / "params.yaml").read_text().splitlines()
    assert [line.split() for line in lines] == [line.split() for line in text.splitlines()]


def test_the_sets_of_a_profile_are_all_its_sets(desk):
    only = VALUES["sets"]["r0"]
    (desk / "profiles/mine.yaml").write_text(f"sets: {{r0: {only}}}\n")
    profiles.use("mine")
    assert load_params().sets.keys() == {"r0"}


def test_a_profile_with_an_unknown_key_changes_nothing(desk):
    (desk / "profiles/mine.yaml").write_text("loss: {lamda: 0.3}\n")
    before = (desk / "params.yaml").read_text()
    with pytest.raises(ParamsError, match=r"mine.yaml: unknown key `loss.lamda`, .* `loss.lambda`"):
        profiles.use("mine")
    assert (desk / "params.yaml").read_text() == before


def test_an_unknown_key_in_params_is_not_thrown_away(desk):
    text = (desk / "params.yaml").read_text().replace("loss:\n", "loss:\n  lamda: 0.3\n")
    (desk / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match="unknown key `lamda`"):
        profiles.use("paper")
    assert (desk / "params.yaml").read_text() == text


def test_a_state_is_saved_as_what_differs(desk):
    profiles.use("paper")
    assert profiles.save("mine") == Path("profiles/mine.yaml")
    assert "\nllm:\n" in (desk / "profiles/mine.yaml").read_text()
    assert "fcdr" not in (desk / "profiles/mine.yaml").read_text()
    profiles.use("desk")
    profiles.use("mine")
    assert read_yaml("params.yaml") == profiles.values("paper")
    with pytest.raises(ParamsError, match="mine.yaml exists"):
        profiles.save("mine")


def test_saving_the_default_brings_it_up_to_date(desk):
    text = (desk / "params.yaml").read_text()
    (desk / "params.yaml").write_text(text.replace("  pool_rows: ", "  pool_rows: 1"))
    profiles.save("desk")
    assert profiles.values("desk")["desk"]["pool_rows"] == load_params().desk.pool_rows
    assert (desk / "profiles/desk.yaml").read_text().startswith("# The default")


def command(monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["funreason", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_command_line(desk, monkeypatch, capsys):
    assert command(monkeypatch, "profile", "list") == 0
    assert capsys.readouterr().out.split() == ["balancesft", "desk", "desk-hdr", "desk-refine", "paper"]
    assert command(monkeypatch, "profile", "use", "papers") == 1
    assert "no profile named 'papers'; available are balancesft, desk, desk-hdr" in capsys.readouterr().err
    assert command(monkeypatch, "profile", "use", "paper") == 0
    assert "Qwen/QwQ-32B" in (desk / "params.yaml").read_text()
    assert command(monkeypatch, "params", "check") == 0
    (desk / "params.yaml").write_text("losss: 1\n")
    assert command(monkeypatch, "params", "check") == 1
    assert "unknown key `losss`, the nearest known key is `loss`" in capsys.readouterr().err
