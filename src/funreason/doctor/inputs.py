"""The files of the user that the pipeline starts from: are they there? DVC would say no more than `[Errno 2]`."""

import subprocess
from pathlib import Path

from funreason.config import Params, read_yaml
from funreason.core.errors import DataError

_PIPELINE = Path("dvc.yaml")


def named_inputs(params: Params) -> dict[str, str]:
    """The files that params.yaml names, by their keys."""
    return {
        "data.path": params.data.path,
        "data.multi_turn.path": params.data.multi_turn.path,
        "validate.labels": params.validate_.labels,
    }


def require_inputs(params: Params) -> list[str]:
    """Check the files that params.yaml names and no stage writes.

    Args:
        params: All parameters.

    Returns:
        A warning for each file that an experiment in a copy of the project would not have.

    Raises:
        DataError: One is missing.
    """
    own = {key: path for key, path in named_inputs(params).items() if not writer(path)}
    for key, path in own.items():
        if not Path(path).exists():
            raise DataError(
                f"params.yaml: {key} is {path!r}, which does not exist in {Path.cwd().name}/: put the file there or "
                "correct the path; an experiment in a copy (--temp, --queue) has only files that Git or DVC tracks: "
                f"there, `git add {path}` first"
            )
    return [
        f"{key} is {path!r}, which neither Git nor DVC tracks: an experiment in a copy (--temp, --queue) would not "
        f"have it; `git add {path}` first"
        for key, path in own.items()
        if not _tracked(Path(path))
    ]


def writer(path: str) -> str | None:
    """The stage of dvc.yaml whose output a file is; None where there is none."""
    for name, stage in read_yaml(_PIPELINE)["stages"].items() if _PIPELINE.exists() else ():
        if path in stage.get("outs", ()):
            return str(name)
    return None


def _tracked(path: Path) -> bool:
    """Whether Git or DVC tracks a file, or a part of a folder; True outside of Git, where there are no copies."""
    if any(Path(f"{each}.dvc").exists() for each in (path, *path.parents)):
        return True
    try:
        done = subprocess.run(["git", "ls-files", "--", str(path)], capture_output=True, check=False)
    except FileNotFoundError:
        return True
    return done.returncode != 0 or bool(done.stdout)
