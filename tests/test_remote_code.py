"""No model's folder runs code: every loader of Transformers that could ask for it is told not to."""

import ast
import re

import pytest
from code_closure import ROOT

FOLDERS = ("src", "stages", "toy", "experiments", "benchmarks", "examples")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_loaders_refuse_the_code_of_a_folder(folder):
    calls = [
        (path, node)
        for path in FILES
        if path.is_relative_to(ROOT / folder) and "from_pretrained" in path.read_text()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and re.fullmatch(r"Auto\w+\.from_pretrained", ast.unparse(node.func))
    ]
    asking = [f"{path.relative_to(ROOT)}:{node.lineno}" for path, node in calls if not _refuses(path.read_text(), node)]
    assert not asking


def _refuses(text: str, call: ast.Call) -> bool:
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    shared = None in options and '"trust_remote_code": False' in text  # handed on as **options
    return shared or options.get("trust_remote_code") == "False"
