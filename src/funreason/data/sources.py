"""Pins what params.yaml names to exact bytes: the descriptor of each model and data source.

A descriptor is {"kind": local | hub | server, "path" or "hub", "revision", "identity"}. That of the data has a second
descriptor under `multi_turn` if there is a second source. Stages depend on descriptors, so that a moved revision of the
hub or a changed local file reruns what it affects, and nothing else.
"""

import hashlib
from pathlib import Path
from typing import Any

from funreason.config import DataParams, LlmParams, ModelParams, MultiTurnParams
from funreason.core.errors import DataError, ModelError
from funreason.data.files import folder_files
from funreason.llm.refs import folder_identity

TIMEOUT_S = 30.0  # of a question to the hub


def resolve_model(role: str, model: ModelParams, llm: LlmParams) -> dict[str, Any]:
    """The descriptor of a model.

    Args:
        role: teacher, base or judges.<name>.
        model: The block models.<role> of params.yaml.
        llm: The block llm, which may name a server's model for teacher and judges.

    Raises:
        ModelError: There is no such model; the message names the parameter and the remedy.
    """
    where = f"models.{role}"
    if model.path:
        return _local_model(where, model.path)
    if model.hub:
        return _hub(where, model.hub, model.revision, "model")
    if role != "base" and llm.engine == "server" and llm.server.model:
        # A host may change the weights behind a name. `revision` is the user's own text to tell them apart.
        identity = f"server:{llm.server.model}@{model.revision or 'unpinned'}"
        return {"kind": "server", "hub": llm.server.model, "revision": model.revision, "identity": identity}
    remedy = "for teacher and judges llm.engine: server with llm.server.model"
    raise ModelError(f"{where} names no model; give {where}.path (a local folder), {where}.hub (an id), or {remedy}")


def resolve_data(data: DataParams) -> dict[str, Any]:
    """The descriptor of the data source, with that of the second source as `multi_turn`. Raises DataError."""
    second = {"multi_turn": resolve_source("data.multi_turn", data.multi_turn)} if data.multi_turn.given else {}
    return resolve_source("data", data) | second


def resolve_source(where: str, data: DataParams | MultiTurnParams) -> dict[str, Any]:
    """The descriptor of one data source.

    Args:
        where: The name of the source's block in params.yaml: data or data.multi_turn.
        data: The block.

    Raises:
        DataError: There is no such file or data set; the message names the parameter and the remedy.
    """
    if data.hub:
        return _hub(where, data.hub, data.revision, "dataset")
    path = Path(data.path)
    if not path.exists():
        raise DataError(f"{where}.path: no file {data.path!r}; correct it, or give a data set id as {where}.hub")
    return {"kind": "local", "path": data.path, "revision": None, "identity": f"sha256:{_digest(path)}"}


def _digest(path: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the names and digests of its data files."""
    if path.is_dir():
        files = [f"{file.relative_to(path)} {_digest(file)}" for file in folder_files(path)]
        return hashlib.sha256("\n".join(files).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _local_model(where: str, path: str) -> dict[str, Any]:
    if not Path(path).is_dir():
        raise ModelError(f"{where}.path: no folder {path!r}; correct it, or give a hub id as {where}.hub")
    try:
        identity = folder_identity(path)
    except ModelError as error:
        raise ModelError(f"{where}.path: {error}") from None
    return {"kind": "local", "path": path, "revision": None, "identity": identity}


def _hub(where: str, name: str, revision: str | None, repo_type: str) -> dict[str, Any]:
    commit = _commit(where, name, revision, repo_type)
    return {"kind": "hub", "hub": name, "revision": commit, "identity": f"hub:{name}@{commit}"}


def _commit(where: str, name: str, revision: str | None, repo_type: str) -> str:
    """The commit that an id and a revision mean now; without a network, the commit in the local cache of the hub."""
    from huggingface_hub import HfApi, errors

    error_type = ModelError if repo_type == "model" else DataError
    subject, otherwise = f"{where}.hub: {name!r}", f"or give a local {where}.path"
    try:
        info = HfApi().repo_info(name, revision=revision, repo_type=repo_type, timeout=TIMEOUT_S)
        if info.gated:
            HfApi().auth_check(name, repo_type=repo_type)
        return str(info.sha)
    except errors.HFValidationError:
        raise error_type(f"{subject} is not a hub id; write owner/name, {otherwise}") from None
    except errors.RevisionNotFoundError:
        remedy = f"correct {where}.revision, null is the newest"
        raise error_type(f"{subject} has no revision {revision!r}; {remedy}") from None
    except errors.GatedRepoError:
        remedy = f"accept its terms on its page, then `hf auth login`, {otherwise}"
        raise error_type(f"{subject} is gated and you have no access; {remedy}") from None
    except errors.RepositoryNotFoundError:
        remedy = f"correct it, `hf auth login` if it is private, {otherwise}"
        raise error_type(f"{subject} is not on the hub; {remedy}") from None
    except (errors.OfflineModeIsEnabled, errors.HTTPError, OSError) as error:
        if commit := _cached_commit(name, revision, repo_type):
            return commit
        reason = " ".join(str(error).split())
        problem = f"no answer from the hub ({reason}) and not in its cache"
        raise error_type(f"{subject}: {problem}; go online, {otherwise}") from None


def _cached_commit(name: str, revision: str | None, repo_type: str) -> str | None:
    from huggingface_hub import errors, snapshot_download

    try:
        folder = snapshot_download(name, revision=revision, repo_type=repo_type, local_files_only=True)
    except (errors.HFValidationError, OSError):
        return None
    return Path(folder).name
