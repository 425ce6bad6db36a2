"""DVC's remotes: configured, with their plugin and credentials, and answering."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from funreason.doctor.diagnosis import Diagnosis, error, ok

if TYPE_CHECKING:
    from dvc.repo import Repo

TIMEOUT_S = 10.0
_REMEDIES = {
    "Unable to locate credentials": "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`",
    "requires 'dvc-": "install the plugin that it names into .venv",
}
_OTHERWISE = "check its address, the network and your credentials (`dvc remote list`), or remove it"


def remotes() -> Iterator[Diagnosis]:
    """Every remote of .dvc/config, asked whether its folder is there: by DVC itself, so with its credentials."""
    from dvc.config import Config, ConfigError, NoRemoteError

    try:
        config = Config.from_cwd()
    except ConfigError as problem:
        yield error(f".dvc/config: {problem}", "correct it")
        return
    if not config["remote"]:
        yield ok("no DVC remote: data and models stay on this machine")
        return
    from dvc.repo import Repo

    chosen = config["core"].get("remote")
    if chosen and chosen not in config["remote"]:
        yield error(f"the default DVC remote {chosen!r} does not exist", "set another: `dvc remote default NAME`")
    with Repo(".") as repo:
        for name in config["remote"]:
            try:
                yield _asked(repo, name)
            except NoRemoteError as problem:
                yield error(f"DVC remote {name}: {problem}", _OTHERWISE)


def _asked(repo: "Repo", name: str) -> Diagnosis:
    pool = ThreadPoolExecutor(1)
    try:
        pool.submit(_ask, repo, name).result(TIMEOUT_S)
    except TimeoutError:
        return error(f"DVC remote {name} does not answer within {TIMEOUT_S:.0f} s", _OTHERWISE)
    except Exception as problem:  # of as many libraries as there are kinds of remotes
        message = f"{problem}" or type(problem).__name__
        remedy = next((remedy for text, remedy in _REMEDIES.items() if text in message), _OTHERWISE)
        return error(f"DVC remote {name}: {message[:300]}", remedy)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return ok(f"DVC remote {name} answers")


def _ask(repo: "Repo", name: str) -> None:
    remote = repo.cloud.get_remote(name)
    if remote.fs.protocol == "local":
        folder = Path(remote.path)  # made at the first push, in a folder that has to be there
        if not folder.exists() and not folder.parent.is_dir():
            raise FileNotFoundError(f"no folder {folder.parent}")
        return
    try:
        remote.fs.ls(remote.path, detail=False)  # `exists` of HTTP says False where nobody answers
    except FileNotFoundError as problem:  # nothing pushed so far; a bucket is not made by a push
        if "bucket" in str(problem):
            raise
