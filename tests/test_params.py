"""params.yaml is complete, strict and commented; profiles rewrite its values and nothing else."""

import copy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.config import Params, check_params, load_params, profiles, read_yaml, yaml
from funreason.config.messages import known_keys
from funreason.core.errors import ParamsError

ROOT = Path(__file__).parents[1]
VALUES = read_yaml(ROOT / "profiles/toy.yaml")  # not params.yaml, which a user may have edited


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A folder with params.yaml, in the state of the toy profile, and the profiles, as the current one."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "data").mkdir()
    for name in ("dvc.yaml", "data/empty.jsonl"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    profiles.use("toy", force=True)
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
    assert params.loss.lambda_ == read_yaml(ROOT / "params.yaml")["loss"]["lambda"]
    text = (ROOT / "params.yaml").read_text()
    for key in known_keys(Params):
        assert key.startswith("rounds.*") or f"{key.rsplit('.', 1)[-1]}:" in text


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
        ("rounds.r1.inti", "rounds.r1.init"),
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
        ("judge.max_attempts", 1.5, "`judge.max_attempts` is 1.5, expected a whole number"),
        ("judge.max_attempts", True, "`judge.max_attempts` is True, expected a whole number"),
        ("train.bf16", 1, "`train.bf16` is 1, expected true or false"),
        ("train", None, "`train` is None, expected a block of keys"),
        ("train.batch_size", 33, "batch_size 33 is not a multiple of micro_batch_size"),
        ("evaluate.bfcl.categories", ["simple"], "categories.0` is 'simple', expected 'simple_python'"),
        ("models.base.hub", "own/it", "`models.base`: with a local `path`, `hub` and"),
        ("data.hub", "own/it", "`data`: give a local `path` and `hub: null`, or a `hub` id"),
        ("rounds.r_2", {}, "`rounds.r_2` is 'r_2', expected lower-case letters, digits and hyphens"),
        ("loss.reduction", "sum", "`loss.reduction` is 'sum', expected 'batch' or 'sample'"),
        ("loss.ssb.anchor", 200.0, "rate 0.01 times anchor 200.0 is over 1"),
        ("train.lora.quantize", True, "quantized weights cannot be trained"),
        ("train.processes", 2, "not a multiple of micro_batch_size 16 times 2"),
        ("rounds.r0.generator", "r1", "rounds.r0.generator is 'r1', allowed here are ['teacher']"),
        ("rounds.r1.generator", "r1", "rounds.r1.generator is 'r1', allowed here are ['base', 'r0']"),
        ("rounds.r1.init", "teacher", "rounds.r1.init is 'teacher', allowed here are ['base', 'r0']"),
        ("rounds.r1.recipe", "hdr", "rounds.r1.tasks is 'data/tasks.jsonl', allowed here are ['data/r0/hard.jsonl']"),
        ("rounds.r1.recipe", "again", "`rounds.r1.recipe` is 'again', expected 'distill', 'self_refine' or 'hdr'"),
        ("recipes.hdr.panel.judges", ["jugde"], "recipes.hdr.panel.judges names 'jugde'"),
        ("recipes.hdr.panel.temperature", 0.0, "a greedy judge always votes alike"),
        ("rounds.r1.replay", "data/r1/train.jsonl", "rounds.r1.replay is 'data/r1/train.jsonl', allowed here"),
        ("rounds.base", VALUES["rounds"]["r0"], "rounds.base: other files of the project have this name"),
        ("llm.prices.models", {"gpt": {"prompt": 1.0, "completion": 2.0}}, "names 'gpt', the models are ['models/"),
        ("llm.prices.models", {"models/r0": {"prompt": -1.0, "completion": 2.0}}, "-1.0, expected 0.0 or more"),
        ("llm.quantization", {"gpt": "fp8"}, "llm.quantization names 'gpt', the models are ['models/r0',"),
        ("llm.quantization", {"models/r0": "int3"}, "`llm.quantization.models/r0` is 'int3', expected 'fp8', 'fp8_p"),
        ("llm.quantization", "fp8", "`llm.quantization` is 'fp8', expected"),
        ("llm.max_num_batched_tokens", 63, "max_num_batched_tokens is 63; a step decodes one token of each of max"),
        ("llm.data_parallel_size", 0, "`llm.data_parallel_size` is 0, expected 1 or more"),
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


def test_another_profile_replaces_the_methods_of_the_models(toy):
    """Their names are the user's: they are no unknown keys."""
    path = VALUES["models"]["teacher"]["path"]
    (toy / "profiles/mine.yaml").write_text(f"llm: {{quantization: {{{path}: fp8}}}}\n")
    profiles.use("mine")
    assert load_params(toy / "params.yaml").llm.quantization == {path: "fp8"}
    profiles.use("toy")
    assert load_params(toy / "params.yaml").llm.quantization == {}


def test_a_missing_key_is_named():
    values = copy.deepcopy(VALUES)
    del values["judge"]["seed"], values["rounds"]
    with pytest.raises(ParamsError, match="`judge.seed` is missing; .*`rounds` is missing"):
        check_params(values, "params.yaml")


def test_all_findings_come_at_once():
    values = changed("loss.lambda", 2)
    values["train"]["epoch"] = 1
    with pytest.raises(ParamsError, match=r"params.yaml: `loss.lambda` is 2, .*; unknown key `train.epoch`"):
        check_params(values, "params.yaml")


def test_what_dvc_writes_is_a_number(toy):
    """`dvc exp run -S train.learning_rate=2e-5` leaves 2e-05, a text for YAML 1.1 readers."""
    text = (toy / "params.yaml").read_text()
    old = next(line for line in text.splitlines() if "learning_rate:" in line)
    (toy / "params.yaml").write_text(text.replace(old, "  learning_rate: 2e-05"))
    assert load_params().train.learning_rate == 2e-5


def test_a_broken_or_absent_file_is_one_line(toy):
    (toy / "params.yaml").write_text("loss: {lambda: 0.3\n")
    with pytest.raises(ParamsError, match="params.yaml is not valid YAML: [^\n]*$"):
        load_params()
    (toy / "params.yaml").write_text("")
    with pytest.raises(ParamsError, match="params.yaml"):
        load_params()
    with pytest.raises(ParamsError, match="nowhere.yaml does not exist"):
        load_params("nowhere.yaml")


def test_the_state_of_a_profile_is_found(toy):
    assert profiles.active() == ("toy", {})
    profiles.use("paper")
    assert profiles.active() == ("paper", {})


@pytest.mark.parametrize("name", [path.stem for path in (ROOT / "profiles").glob("*.yaml")])
def test_every_profile_is_valid_and_the_way_back_leaves_the_same_bytes(toy, name):
    before = (toy / "params.yaml").read_text()
    profiles.use(name)
    assert load_params() == Params.model_validate(profiles.values(name))
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in (toy / "params.yaml").read_text().splitlines() if line.startswith("#")
    ]
    profiles.use("toy")
    assert (toy / "params.yaml").read_text() == before


def test_a_profile_gives_the_same_values_whatever_stood_there(toy):
    profiles.use("paper")
    first = (toy / "params.yaml").read_text()
    document = read_yaml("params.yaml", "rt")
    document["loss"]["lambda"], document["evaluate"]["bfcl"]["categories"] = 0.1, ["multiple"]
    document["rounds"]["r2"] = document["rounds"]["r1"] | {"generator": "r1", "init": "r1"}
    with open("params.yaml", "w") as file:
        yaml().dump(document, file)
    profiles.use("paper", force=True)
    assert read_yaml("params.yaml") == yaml("safe").load(first)


def test_a_profile_keeps_comments_after_lists(toy):
    """ruamel hangs a comment after a list on the list: a new list would lose it, and its line break."""
    text = (toy / "params.yaml").read_text().replace("irrelevance]\n", "irrelevance]  # mine\n")
    (toy / "params.yaml").write_text(text)
    (toy / "profiles/mine.yaml").write_text("evaluate:\n  bfcl:\n    categories:\n    - multiple\n")
    profiles.use("mine")
    profiles.use("toy")
    lines = (toy / "params.yaml").read_text().splitlines()
    assert [line.split() for line in lines] == [line.split() for line in text.splitlines()]


def test_the_sets_of_a_profile_are_all_its_sets(toy):
    only = VALUES["rounds"]["r0"]
    (toy / "profiles/mine.yaml").write_text(f"rounds: {{r0: {only}}}\n")
    profiles.use("mine")
    assert load_params().rounds.keys() == {"r0"}


def test_a_profile_with_an_unknown_key_changes_nothing(toy):
    (toy / "profiles/mine.yaml").write_text("loss: {lamda: 0.3}\n")
    before = (toy / "params.yaml").read_text()
    with pytest.raises(ParamsError, match=r"mine.yaml: unknown key `loss.lamda`, .* `loss.lambda`"):
        profiles.use("mine")
    assert (toy / "params.yaml").read_text() == before


def test_an_unknown_key_in_params_is_not_thrown_away(toy):
    text = (toy / "params.yaml").read_text().replace("loss:\n", "loss:\n  lamda: 0.3\n")
    (toy / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match="unknown key `lamda`"):
        profiles.use("paper")
    assert (toy / "params.yaml").read_text() == text


def test_a_state_is_saved_as_what_differs(toy):
    profiles.use("paper")
    assert profiles.save("mine") == Path("profiles/mine.yaml")
    assert "\nllm:\n" in (toy / "profiles/mine.yaml").read_text()
    assert "fcdr" not in (toy / "profiles/mine.yaml").read_text()
    profiles.use("toy")
    profiles.use("mine")
    assert read_yaml("params.yaml") == profiles.values("paper")
    with pytest.raises(ParamsError, match="mine.yaml exists"):
        profiles.save("mine")


def test_saving_the_default_brings_it_up_to_date(toy):
    text = (toy / "params.yaml").read_text()
    (toy / "params.yaml").write_text(text.replace("  pool_rows: ", "  pool_rows: 1"))
    profiles.save("toy")
    assert profiles.values("toy")["toy"]["pool_rows"] == load_params().toy.pool_rows
    assert (toy / "profiles/toy.yaml").read_text().startswith("# The default")


def command(monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["funreason", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_command_line(toy, monkeypatch, capsys):
    assert command(monkeypatch, "profile", "list") == 0
    listed = [line[2:].split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["balancesft", "one-gpu", "paper", "real", "toy", "toy-hdr", "toy-self-refine"]
    assert command(monkeypatch, "profile", "use", "papers") == 1
    assert (
        "no profile named 'papers'; available are balancesft, one-gpu, paper, real, toy, toy-hdr"
        in capsys.readouterr().err
    )
    assert command(monkeypatch, "profile", "use", "paper") == 0
    assert "Qwen/QwQ-32B" in (toy / "params.yaml").read_text()
    assert command(monkeypatch, "params", "check") == 0
    (toy / "params.yaml").write_text("losss: 1\n")
    assert command(monkeypatch, "params", "check") == 1
    assert "unknown key `losss`, the nearest known key is `loss`" in capsys.readouterr().err


def edit(toy: Path, old: str, new: str) -> None:
    text = (toy / "params.yaml").read_text()
    assert old in text
    (toy / "params.yaml").write_text(text.replace(old, new))


def test_edited_values_are_not_overwritten_without_a_word(toy, monkeypatch, capsys):
    edit(toy, "  lambda: 0.7", "  lambda: 0.3")
    before = (toy / "params.yaml").read_text()
    assert command(monkeypatch, "profile", "list") == 0
    out = capsys.readouterr().out
    assert "* toy " in out and "params.yaml is toy with edited values: loss.lambda" in out
    assert command(monkeypatch, "profile", "use", "paper") == 1
    remedy = "keep them with `funreason profile save NEW-NAME`, or give --force"
    assert f"would be lost: loss.lambda: 0.3; {remedy}" in capsys.readouterr().err
    assert (toy / "params.yaml").read_text() == before
    assert command(monkeypatch, "profile", "save", "mine") == 0
    assert command(monkeypatch, "profile", "use", "paper") == 0
    assert command(monkeypatch, "profile", "use", "mine") == 0
    assert load_params().loss.lambda_ == 0.3
    edit(toy, "  lambda: 0.3", "  lambda: 0.4")
    assert command(monkeypatch, "profile", "use", "--force", "toy") == 0
    assert profiles.active() == ("toy", {})


def test_commands_work_from_a_subfolder(toy, monkeypatch, capsys):
    (toy / "docs").mkdir()
    shutil.copy(toy / "params.yaml", toy / "docs/other.yaml")
    for words in (["params", "check"], ["params", "check", "other.yaml"], ["profile", "use", "paper"]):
        monkeypatch.chdir(toy / "docs")
        assert command(monkeypatch, *words) == 0, capsys.readouterr().err
    assert "docs/other.yaml: every key is known" in capsys.readouterr().out
    assert profiles.active() == ("paper", {})


def test_the_version_and_a_help_without_libraries():
    code = """
import sys
from funreason.cli.main import main
sys.argv = ["funreason", sys.argv[1]]
try:
    main()
except SystemExit:
    heavy = {"torch", "transformers", "vllm", "dvc", "pydantic"} & set(sys.modules)
    sys.exit(f"loaded {heavy}" if heavy else 0)
"""
    for word, text in (("--version", "funreason "), ("--help", "rerun-plan")):
        done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True)
        assert done.returncode == 0 and text in done.stdout, done.stderr


def test_an_action_that_may_be_left_out_is_not_shown_as_mandatory(monkeypatch, capsys):
    assert command(monkeypatch, "capacity", "--help") == 0
    assert capsys.readouterr().out.startswith("usage: funreason capacity [OPTION …]\n")


def test_no_licence_comes_with_the_default():
    """It would be that of the toy rows, and the data card of every other source would say so."""
    assert VALUES["data"]["license"] is None
    assert read_yaml(ROOT / "profiles/paper.yaml")["data"]["license"] == "cc-by-4.0"
