"""Write BFCL's tables by the official generator.

In:  {"models": [{"name", "scores": {category: header}}]}, a header as in the first line of an official score file:
     {"accuracy", "correct_count", "total_count"}, of format sensitivity more
Out: {"data_overall.csv", …: its text}
Run as (inside the sandbox): .venv-bfcl/bin/python bfcl_csv.py < request.json > tables.json
"""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import bfcl_release  # must come before bfcl_eval
from bfcl_eval.eval_checker import eval_runner_helper
from channel import open_channel

# What the generator asks of a model. Neither prices nor times are known here: their columns are N/A.
UNKNOWN = {"url": "", "org": "", "license": "", "input_price": None, "output_price": None}


def tables(models: list[dict]) -> dict[str, str]:
    """{file name: text}, with a row per model."""
    keys = [f"model-{number}" for number in range(len(models))]  # a name may hold what the generator rewrites
    configs = [SimpleNamespace(display_name=model["name"], **UNKNOWN) for model in models]
    eval_runner_helper.MODEL_CONFIG_MAPPING = dict(zip(keys, configs, strict=True))
    scores = [
        {bfcl_release.name_of(name): header for name, header in model["scores"].items()} for model in models
    ]  # fmt: skip
    folder = Path(tempfile.mkdtemp())
    eval_runner_helper.generate_leaderboard_csv(dict(zip(keys, scores, strict=True)), folder)
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}


if __name__ == "__main__":
    request, reply = open_channel()
    reply(tables(request["models"]))
