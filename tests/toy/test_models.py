"""The committed toy models, driven for real: vLLM, the official checker and the planted labels, on a small world."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from funreason.core.jsonio import read_details
from funreason.toy.world import write_world

pytestmark = pytest.mark.model

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "toy" / "models"


@pytest.fixture(scope="module")
def figures(tmp_path_factory) -> dict:
    """What `python toy/measure.py` writes about a world that no toy model was measured on before."""
    folder = tmp_path_factory.mktemp("measured")
    write_world(
        folder / "data/toy", seed=11, pool_rows=1, planted_fraction=0.0, heldout_rows=40, judge_rows=20, code_rows=1
    )
    shutil.copy(ROOT / "profiles/toy.yaml", folder / "params.yaml")
    (folder / "toy").mkdir()
    (folder / "toy/models").symlink_to(MODELS)
    (folder / ".venv-bfcl").symlink_to(ROOT / ".venv-bfcl")
    environment = os.environ | {"FUNREASON_CACHE": str(folder / "responses")}
    subprocess.run([sys.executable, ROOT / "toy/measure.py"], cwd=folder, env=environment, check=True)
    return read_details(folder / "toy/metrics.json")


def test_the_manifest_names_every_model_file():
    manifest = json.loads((MODELS / "MANIFEST.json").read_text())
    files = [path for path in MODELS.glob("toy-*/*") if path.is_file()]
    assert manifest == {str(path.relative_to(MODELS)): sha256(path.read_bytes()).hexdigest() for path in sorted(files)}
    assert max(path.stat().st_size for path in files) < 12e6


def test_the_teacher_calls_better_than_the_student(figures):
    assert figures["teacher"]["known"]["accuracy"] > figures["base"]["known"]["accuracy"] + 0.3
    assert figures["teacher"]["known"]["accuracy"] > 0.8 and figures["teacher"]["new"]["accuracy"] > 0.7


def test_the_judge_tells_planted_defects_from_sound_rows(figures):
    assert min(check["balanced_accuracy"] for check in figures["judge"].values()) >= 0.8
    assert all(check["undecided"] <= 2 for check in figures["judge"].values())
