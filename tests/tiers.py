"""Which tests belong to the fast tier, and which tests one xdist worker runs together. Used by conftest.py alone.

A test is marked `model` or `slow` by hand, or by a fixture (`MODEL_FIXTURES`, `SLOW_FIXTURES`); `model` also because
its module imports torch. That is read from the source, so that the fast tier need not import such a module to skip it.
"""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
ROOTS = (TESTS, TESTS.parent / "src", TESTS.parent / "experiments/lambda_sweep")
HEAVY = {"torch", "transformers", "trl", "vllm", "peft", "accelerate", "ray"}
MODEL_FIXTURES = {"tiny_model", "engine"}
SLOW_FIXTURES = {"committed"}  # tests/graph: DVC reads the whole pipeline


@cache
def imports_torch(file: Path) -> bool:
    """Whether importing a module imports torch or a library that does, directly or through modules of this project."""
    todo, seen = [file], {file}
    while todo:
        module = todo.pop()
        for name in _imported(module):
            if name.split(".")[0] in HEAVY:
                return True
            new = set(_files(name, module.parent)) - seen
            seen |= new
            todo += new
    return False


@cache
def _imported(file: Path) -> list[str]:
    """Names of the modules that a file imports at its top level; `from .a import b` gives `.a` and `.a.b`."""
    names = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names += [
                base,
                *(base + alias.name if base.endswith(".") else f"{base}.{alias.name}" for alias in node.names),
            ]
    return names


def _files(name: str, folder: Path) -> list[Path]:
    """The files that run when a module in `folder` imports `name`: the module and its packages' `__init__.py`."""
    level = len(name) - len(name.lstrip("."))
    parts = name.lstrip(".").split(".")
    for root in [folder, *ROOTS] if level == 0 else [[folder, *folder.parents][level - 1]]:
        paths = [root.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
        files = [file for path in paths for file in (path / "__init__.py", path.with_suffix(".py")) if file.exists()]
        if files:
            return files
    return []
