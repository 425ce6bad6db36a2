"""Imports of the package go one way, downwards, and never in a circle."""

import ast
from pathlib import Path

import networkx as nx
import pytest
from code_closure import ROOT, imported_modules

PACKAGE = ROOT / "src/funreason"
LAYERS = (  # a package imports its own layer and the ones below
    {"cli"},
    {
        "assemble",
        "audit",
        "cache",
        "decontaminate",
        "doctor",
        "evaluate",
        "grpo",
        "plan",
        "publish",
        "refine",
        "report",
        "score",
        "serve",
        "toy",
        "train",
    },
    {"data", "heuristics", "ledger", "llm", "rewards", "sandbox"},
    {"calls", "config", "prompts"},
    {"core", "srml"},  # srml stands alone, so that config may ask it for the ranges of SSB
)
DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


@pytest.fixture(scope="module")
def modules() -> nx.DiGraph:
    """An edge from every module to each one that it imports, wherever in the file; `drivers` run elsewhere."""
    graph = nx.DiGraph()
    for path in PACKAGE.rglob("*.py"):
        if path.parent != PACKAGE and path.parent.name != "drivers":
            graph.add_edges_from((path, other) for other in imported_modules(path) if other.parent != PACKAGE)
    return graph


@pytest.fixture(scope="module")
def packages(modules) -> nx.DiGraph:
    edges = {(package_of(user), package_of(used)) for user, used in modules.edges}
    return nx.DiGraph((user, used) for user, used in edges if user != used)


def test_every_package_has_its_layer():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(DEPTH), "give the new package a place in LAYERS"


def test_imports_go_downwards(modules):
    upwards = [
        f"{user.relative_to(PACKAGE)} imports {used.relative_to(PACKAGE)}"
        for user, used in modules.edges
        if DEPTH[package_of(user)] > DEPTH[package_of(used)]
    ]
    assert not upwards


def test_no_package_needs_itself(packages):
    assert list(nx.simple_cycles(packages)) == []


def test_no_module_needs_itself(modules):
    assert [[str(path.relative_to(PACKAGE)) for path in cycle] for cycle in nx.simple_cycles(modules)] == []


@pytest.mark.parametrize("name", ["srml", "core"])
def test_these_import_nothing_else_of_the_package(packages, name):
    assert name not in packages or list(packages.successors(name)) == []


def test_every_package_says_what_it_is_for():
    for door in PACKAGE.glob("*/__init__.py"):
        text = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
        assert text and not text.startswith("TODO"), door
