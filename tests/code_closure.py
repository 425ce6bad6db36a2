"""Which modules of the package a script uses: its imports, followed name by name to where the names are defined.

By name, because `from funreason.llm import load_ref` needs one module of the package, not all that it re-exports.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"


def closure(script: Path, *without: Path) -> set[str]:
    """Paths, relative to the root, of all modules that `script` uses, directly or not, outside of `without`."""
    seen, todo = set(), [script]
    while todo:
        for module in imported_modules(todo.pop()):
            if module not in seen and module.parent not in without:
                seen.add(module)
                todo.append(module)
    return {path.relative_to(ROOT).as_posix() for path in seen}


def beside(modules: set[str]) -> set[str]:
    """What Python loads beside `modules` because a package's `__init__` imports it, whether anybody uses it or not."""
    inits = {init for module in modules for init in _inits(ROOT / module)}
    seen, todo = set(), list(inits)
    while todo:
        for module in _loaded(todo.pop()):
            if module not in seen:
                seen.add(module)
                todo.append(module)
    return {path.relative_to(ROOT).as_posix() for path in seen | inits}


def _inits(file: Path) -> Iterator[Path]:
    yield from (folder / "__init__.py" for folder in file.parents if (folder / "__init__.py").exists())


def _loaded(file: Path) -> Iterator[Path]:
    """What is imported as soon as `file` is, with the packages it is in."""
    yield from _inits(file)
    for node in ast.parse(file.read_text()).body:
        names = []
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "funreason":
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("funreason.")]
        yield from filter(None, map(_file, names))


def imported_modules(file: Path) -> Iterator[Path]:
    """The modules that define what `file` imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "funreason":
            for alias in node.names:
                yield _defining(node.module, alias.name)
        elif isinstance(node, ast.Import):
            yield from (_file(alias.name) for alias in node.names if alias.name.startswith("funreason."))


def _defining(module: str, name: str) -> Path:
    """The file that defines `name`, followed through packages that only pass it on."""
    if found := _file(f"{module}.{name}"):
        return found
    file = _file(module)
    if file.name == "__init__.py":
        for node in ast.parse(file.read_text()).body:
            passed_on = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("funreason")
            if passed_on and name in [alias.asname or alias.name for alias in node.names]:
                return _defining(node.module, name)
    return file


def _file(module: str) -> Path | None:
    path = SRC.joinpath(*module.split("."))
    package, plain = path / "__init__.py", path.with_suffix(".py")
    return package if package.exists() else plain if plain.exists() else None
