"""What people do with a small project: set up a remote, clone, commit."""

from dataclasses import dataclass
from pathlib import Path

from project import SMALL, copy_project, dvc, run

from funreason.config import read_yaml, yaml

from .servers import Remote

STAGES = ("inputs", "world", "resolve", "prepare", "decontaminate", "generate")
ROWS = 24


@dataclass
class Shared:
    """Ann's finished project, pushed to a remote; `folder` is for what others do."""

    remote: Remote
    ann: Path
    folder: Path


def finish_project(folder: Path) -> None:
    """The first five stages of the pipeline, run for a handful of rows and committed; the last one asks vLLM."""
    copy_project(folder, SMALL | {"toy": SMALL["toy"] | {"pool_rows": ROWS}}, ("r0",))
    pipeline = read_yaml(folder / "dvc.yaml")
    with open(folder / "dvc.yaml", "w", encoding="utf-8") as file:
        yaml().dump({"stages": {name: pipeline["stages"][name] for name in STAGES}}, file)
    dvc(folder, "repro")
    commit(folder)


def commit(project: Path) -> None:
    run(project, "git", "add", "-A")
    run(project, "git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-qm", "State")


def set_up(project: Path, remote: Remote) -> None:
    """What docs/sharing.md tells the first of a team to do, and git to keep."""
    dvc(project, "remote", "add", "--force", "-d", "team", remote.url)
    for name, value in ({"verify": "true"} | remote.settings).items():
        dvc(project, "remote", "modify", "team", name, value)
    commit(project)
    add_secrets(project, remote)


def add_secrets(project: Path, remote: Remote) -> None:
    for name, value in remote.secrets.items():
        dvc(project, "remote", "modify", "--local", "team", name, value)


def clone(shared: Shared, name: str, secrets: bool = True, origin: Path | None = None) -> Path:
    """Another person's project, whose response cache is empty."""
    project = shared.folder / name / "project"
    run(shared.ann, "git", "clone", "-q", origin or shared.ann, project)
    if secrets:
        add_secrets(project, shared.remote)
    return project


def object_of(project: Path, out: str) -> str:
    """Where a remote keeps a file that a stage wrote."""
    stages = read_yaml(project / "dvc.lock")["stages"].values()
    md5 = next(row["md5"] for stage in stages for row in stage.get("outs", ()) if row["path"] == out)
    return f"files/md5/{md5[:2]}/{md5[2:]}"
