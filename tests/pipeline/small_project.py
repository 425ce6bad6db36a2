"""The small project, run with an eye on which modules each stage loads."""

import os
from pathlib import Path

import project
from project import ROOT, SMALL, copy_project

__all__ = ["SMALL", "TARGETS", "copy_project", "dvc"]

RECORDER = Path(__file__).parent / "recorder"
TARGETS = ("publish@r0", "summary@r0")


def dvc(folder: Path, *arguments: str) -> str:
    """Runs dvc in the project and returns what it printed. The stages find the project's own source by themselves."""
    recorded = folder.parent / "imports"
    recorded.mkdir(exist_ok=True)
    paths = f"{RECORDER}{os.pathsep}{ROOT / 'src'}"
    return project.dvc(folder, *arguments, PYTHONPATH=paths, RECORDED_IMPORTS=str(recorded))
