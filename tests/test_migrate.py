"""`funreason params migrate`: files of the earlier version get today's names, once; old names are explained."""

import shutil
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.config import check_params, profiles, read_yaml
from funreason.config.migrate import migrate
from funreason.config.overrides import overridden
from funreason.config.renames import renamed_key
from funreason.core.errors import ParamsError

ROOT = Path(__file__).parents[1]
TOY = Path("profiles/toy.yaml")
PROFILE = """# Mine: half of the earlier rows again.

sets:
  r0: {kind: distil, tasks: data/tasks.jsonl, sampler: teacher, init: base, earlier: data/empty.jsonl}
  r1: {kind: refine, tasks: data/tasks.jsonl, sampler: r0, init: r0, earlier: data/r0/train.jsonl}

rounds:
  max_regression: 1.0     # see all rounds
  refine: {earlier_share: 0.5}

# Cheap first.
fcdr:
  mode: rules

llm:
  keep_s: 60

evaluate:
  code: {benchmarks: [desk]}
"""
# The keys of the earlier version that were renamed; the others are as today.
OLD_BLOCKS = """desk:
  seed: 7
  pool_rows: 1200
  planted_share: 0.25     # mine
  heldout_rows: 150
  judge_rows: 80
  code_rows: 60
  dialog_rows: 60
# The chain.
sets:
  r0: {kind: distil, tasks: data/tasks.jsonl, sampler: teacher, init: base, earlier: data/empty.jsonl}
  r1: {kind: refine, tasks: data/tasks.jsonl, sampler: r0, init: r0, earlier: data/r0/train.jsonl}

# How the sets of a kind are made.
rounds:
  measure: desk           # the accuracy
  max_regression: 0.05
  max_hdr: 10             # rounds on one pool
  distil: {samples: 1, temperature: 0.1, choice: all, earlier_share: 1.0, panel: null}
  refine: {samples: 1, temperature: 0.1, choice: first, earlier_share: 1.0, panel: null}
  hdr:
    samples: 3
    temperature: 0.7
    choice: all
    earlier_share: 0.0
    panel: {judges: [judge, judge, judge], rule: unanimous, temperature: 0.7, max_regen: 0}

"""
OLD_NAMES = {
    "max_bad_fraction": "max_bad_share", "keep_alive_s": "keep_s", "max_attempts": "max_asks",
    "max_dropped_fraction": "max_dropped_share", "heldout_fraction": "heldout_share", "  toy:\n": "  desk:\n",
    "[toy, humaneval]": "[desk, humaneval]", "data/toy/": "data/desk/", "toy/models/toy-": "desk/models/desk-",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A project whose params.yaml is of the earlier version."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "params.yaml").write_text(OLD_BLOCKS + _old_rest((tmp_path / TOY).read_text()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _old_rest(text: str) -> str:
    """The other blocks of the complete profile, with their old names."""
    blocks, keep = [], True
    for line in text.splitlines(keepends=True):
        if line[0] not in " #\n-":
            keep = line.split(":")[0] not in ("toy", "rounds", "recipes", "gate")
        blocks += [line] if keep else []
    rest = "".join(blocks)
    for new, old in OLD_NAMES.items():
        assert new in rest
        rest = rest.replace(new, old)
    return rest


def test_an_old_file_gets_the_new_names_and_keeps_its_comments(folder):
    (renames,) = migrate([Path("params.yaml")], TOY).values()
    assert read_yaml("params.yaml") == read_yaml(TOY)
    assert ("sets.r0.kind", "rounds.r0.recipe") in renames and ("sets.r0.kind: distil", "distill") in renames
    text = Path("params.yaml").read_text()
    for comment in ("# mine", "# The chain.", "# How the sets of a kind are made.\ngate:", "# the accuracy"):
        assert comment in text
    assert "    max_rounds: 10        # rounds on one pool\n" in text
    assert migrate([Path("params.yaml")], TOY) == {Path("params.yaml"): []}
    assert Path("params.yaml").read_text() == text


def test_an_old_profile_gets_the_new_names(folder):
    path = Path("profiles/mine.yaml")
    path.write_text(PROFILE)
    migrate([path], TOY)
    assert read_yaml(path) == {
        "rounds": {name: read_yaml(TOY)["rounds"][name] for name in ("r0", "r1")},
        "gate": {"max_regression": 1.0},
        "recipes": {"self_refine": {"replay_fraction": 0.5}},
        "fcdr": {"mode": "heuristics"},
        "llm": {"keep_alive_s": 60},
        "evaluate": {"code": {"benchmarks": ["toy"]}},
    }
    text = path.read_text()
    assert text.startswith("# Mine: half") and "# see all rounds" in text and "# Cheap first.\nfcdr:" in text
    assert profiles.values("mine")["gate"]["max_regression"] == 1.0


def test_the_command_says_what_it_changed(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["funreason", "params", "migrate"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr().out
    assert ended.value.code == 0 and "  judge.max_asks → judge.max_attempts\n" in out
    assert "profiles/paper.yaml: nothing to change" in out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("judge:\n  temp", "judge:\n  max_attempts: 3\n  temp", "holds `judge.max_asks` and `judge.max_attempts`"),
        ("judge:\n  temp", "judge:\n  lamda: 3\n  temp", "unknown key `judge.lamda`.*no file was changed"),
    ],
)
def test_what_cannot_be_placed_is_refused_and_nothing_changes(folder, old, new, message):
    profile, text = Path("profiles/mine.yaml"), Path("params.yaml").read_text()
    profile.write_text(PROFILE)
    assert old in text
    Path("params.yaml").write_text(changed := text.replace(old, new))
    with pytest.raises(ParamsError, match=message):
        migrate([profile, Path("params.yaml")], TOY)
    assert (profile.read_text(), Path("params.yaml").read_text()) == (PROFILE, changed)


def test_an_old_key_is_refused_with_its_new_name(folder):
    with pytest.raises(ParamsError, match=r"`desk` was renamed to `toy`; .*run `funreason params migrate`$"):
        check_params(read_yaml("params.yaml"), "params.yaml")
    values = read_yaml(TOY)
    values["fcdr"]["mode"] = "rules"
    with pytest.raises(ParamsError, match="`fcdr.mode: rules` was renamed to `heuristics`; run `funreason params"):
        check_params(values, "params.yaml")


def test_an_override_of_an_old_key_names_the_new_one(folder):
    with pytest.raises(ParamsError, match="-S sets.r0.kind=hdr: `sets.r0.kind` was renamed to `rounds.r0.recipe`"):
        overridden(TOY, ["sets.r0.kind=hdr"])
    assert renamed_key("desk.seed") == "toy.seed"
    assert renamed_key("rounds.refine.samples") == "recipes.self_refine.samples"
    assert renamed_key("loss.lambda") is None


def test_a_round_may_have_the_name_of_an_old_recipe():
    values = read_yaml(ROOT / TOY)
    values["rounds"]["refine"] = values["rounds"].pop("r1")
    check_params(values, "params.yaml")


def test_new_keys_are_added_with_the_values_of_the_complete_profile(folder, monkeypatch, capsys):
    """A params.yaml from before a key existed keeps its own values and comments."""
    values = Path("profiles/toy.yaml").read_text()
    old = values.replace(
        "  watch:\n    rows: 32\n    probes: 16\n    max_unreadable: 0.5\n    min_informedness: 0.2\n", ""
    )
    old = old.replace("    agreement: 0.0\n", "").replace("temperature: 0.7\n", "temperature: 0.9 # mine\n")
    assert old != values
    Path("params.yaml").write_text(old)
    monkeypatch.setattr(sys, "argv", ["funreason", "params", "migrate", "params.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr().out
    assert ended.value.code == 0 and "params.yaml: 4 keys added\n" in out and "  new: judge.watch: {'rows': 32" in out
    expected = read_yaml(TOY)
    expected["recipes"]["hdr"]["temperature"] = 0.9
    expected["recipes"]["hdr"]["panel"]["temperature"] = 0.9
    assert read_yaml("params.yaml") == expected and "# mine" in Path("params.yaml").read_text()


def test_names_of_the_user_get_no_company(folder):
    """Rounds, judges and prices are named by the user: r1 is not put back where it was deleted."""
    migrate([Path("params.yaml")], TOY)
    document = Path("params.yaml").read_text()
    start = document.index("  r1: {recipe")
    Path("params.yaml").write_text(document[:start] + document[document.index("\n", start) + 1 :])
    assert migrate([Path("params.yaml")], TOY) == {Path("params.yaml"): []}
    assert list(read_yaml("params.yaml")["rounds"]) == ["r0"]
