"""Where a command runs: in the root of the project. Paths that the user gives stay relative to where the user is."""

import os
from pathlib import Path

from funreason.core.paths import PROFILES

_PIPELINE = "dvc.yaml"


def enter_project() -> None:
    """Change into the root of the project around this folder; stay where there is none."""
    os.chdir(_root())


def given_path(text: str) -> str:
    """A path as the user gave it, for use after `enter_project`. As the `type` of an argument of argparse."""
    root, here = _root(), Path.cwd()
    return text if root == here else os.path.relpath(here / text, root)


def given_side(text: str) -> str:
    """The same for an argument that may be another name: only what is written as a path (./name) is one."""
    if text not in (".", "..") and not text.startswith(("./", "../")):
        return text
    path = given_path(text)
    return path if path == text or path.startswith(".") else f"./{path}"


def _root() -> Path:
    """The nearest folder, upwards from here, that holds the pipeline and its profiles; else this folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        # toy/ and experiments/ hold small pipelines of their own, without profiles.
        if (folder / _PIPELINE).exists() and (folder / PROFILES).exists():
            return folder
    return here


def writable(folder: str | Path, option: str) -> None:
    """Make the folder of results. Raises ParamsError where that cannot be, before anything is spent on them."""
    from funreason.core.errors import ParamsError

    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        denied = None if os.access(folder, os.W_OK | os.X_OK) else "no right to write"
    except OSError as error:
        denied = error.strerror
    if denied:
        raise ParamsError(f"{option}: nothing can be written into {folder} ({denied}); give another place")
