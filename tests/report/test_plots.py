"""`dvc plots show` without the internet, in a real browser."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.core.jsonio import write_csv

from .conftest import ROOT
from .finished import ROUNDS, write_run

pytestmark = pytest.mark.slow
ORDER = ["tasks", "generate", "response", "query_tool", "cot", "call", "format", "validate"]


@pytest.fixture(scope="module")
def plots(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plots")
    for name in ("dvc.yaml", ".dvc/config", ".dvc/plots"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    shutil.copy(ROOT / "profiles/toy.yaml", folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_run(40)
        rows = [{"round": 0, "name": "base", "calls_wanted": 0.2, "low": 0.1, "high": 0.3}]
        rows += [{"round": at, "name": name, "calls_wanted": 0.6, "low": 0.5, "high": 0.7, "code": 0.5, "accepted": 0.7,
                  "reasoning_chars": 150, "hard": 3} for at, name in enumerate(ROUNDS, 1)]  # fmt: skip
        columns = ("round", "name", "calls_wanted", "low", "high", "code", "accepted", "reasoning_chars", "hard")
        write_csv("report/rounds.csv", columns, rows)
        subprocess.run(["git", "init", "-q"], check=True)
        command = [sys.executable, "-m", "dvc", "plots", "show", "-q"]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "dvc_plots/index.html"


@pytest.fixture
def shown(browser, plots):
    browser.size(1200, 900)
    browser.errors.clear()
    browser.requests.clear()
    browser.send("Page.navigate", url=plots.as_uri())
    browser.wait("document.querySelectorAll('div[id] canvas').length >= 19")
    yield browser
    assert browser.errors == []
    assert {url for url in browser.requests if not url.startswith("data:")} == {plots.as_uri()}


@pytest.fixture(scope="module")
def specs(plots) -> dict[str, dict]:
    """The specification of each plot by its title."""
    found = [json.loads(text) for text in re.findall(r"var spec = (\{.*\});\n", plots.read_text(encoding="utf-8"))]
    return {spec["title"]["text"]: spec for spec in found if isinstance(spec.get("title"), dict)}


def drawn(browser, spec: dict, data: str) -> list[dict]:
    """The data of a plot after its transforms, as the browser computes them."""
    script = f"""vegaEmbed(document.body.appendChild(document.createElement('div')), {json.dumps(spec)})
        .then((result) => JSON.stringify(result.view.data({json.dumps(data)})))"""
    return json.loads(browser.evaluate(script))


def test_all_plots_are_drawn_with_named_axes(shown, specs):
    named = {"Right calls over rounds", "Loss of the reasoning", "Rows left in r1", "Planted defects in r0"}
    assert named <= set(specs)
    text = json.dumps(specs)
    assert "nats per token" in text and "optimizer step" in text and "dvc_inferred" not in text


def test_a_missing_value_is_missing_and_rounds_are_whole(shown, specs):
    spec = specs["Accepted queries over rounds"]
    points = drawn(shown, spec, "data_0")
    assert [point["round"] for point in points] == ["1", "2"]  # base accepts no queries: not 0
    assert spec["encoding"]["x"]["type"] == "ordinal"
    losses = drawn(shown, specs["Loss of the result"], "data_0")
    assert len(losses) == 2 * 29 and {point["round"] for point in losses} == set(ROUNDS)


def test_the_funnel_is_in_the_order_of_the_chain(specs):
    spec = specs["Rows left in r0"]
    assert spec["encoding"]["y"]["sort"][: len(ORDER)] == ORDER
