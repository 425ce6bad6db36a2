"""The files of the user that the pipeline starts from: are they there? DVC would say no more than `[Errno 2]`."""

from pathlib import Path

from funreason.config import Params, read_yaml
from funreason.core.errors import DataError

_PIPELINE = Path("dvc.yaml")


def require_inputs(params: Params) -> None:
    """Check the files that params.yaml names and no stage writes.

    Raises:
        DataError: One is missing.
    """
    named = {
        "data.path": params.data.path,
        "data.multi_turn.path": params.data.multi_turn.path,
        "validate.labels": params.validate_.labels,
    }
    for key, path in named.items():
        if not Path(path).exists() and not writer(path):
            raise DataError(
                f"params.yaml: {key} is {path!r}, which does not exist in {Path.cwd().name}/: put the file there or "
                "correct the path; an experiment in a copy (--temp, --queue) sees only files that Git or DVC tracks"
            )


def writer(path: str) -> str | None:
    """The stage of dvc.yaml whose output a file is; None where there is none."""
    for name, stage in read_yaml(_PIPELINE)["stages"].items() if _PIPELINE.exists() else ():
        if path in stage.get("outs", ()):
            return str(name)
    return None
