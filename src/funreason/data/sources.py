"""Where models and data come from → descriptors: what params.yaml names, and exactly which bytes that is.

A descriptor is {"kind": local | hub | server, "path" or "hub", "revision", "identity"}; that of the data holds a second
one, `multi_turn`, where there is a second source. Stages depend on it, so a moved hub revision or a changed local file
reruns what it should, and nothing else.
"""

import hashlib
from pathlib import Path

from funreason.config import DataParams, LlmParams, ModelParams, MultiTurnParams
from funreason.core.errors import DataError, ModelError
from funreason.llm.refs import folder_identity

TIMEOUT_S = 30.0


def resolve_model(role: str, model: ModelParams, llm: LlmParams) -> dict:
    """The descriptor of models.<role>. Raises ModelError naming the parameter and the way out."""
    where = f"models.{role}"
    if model.path:
        return _local_model(where, model.path)
    if model.hub:
        return _hub(where, model.hub, model.revision, "model")
    if role != "base" and llm.engine == "server" and llm.server.model:
        # A host may change the weights behind a name: `revision` is the user's own word for which ones it is.
        identity = f"server:{llm.server.model}@{model.revision or 'unpinned'}"
        return {"kind": "server", "hub": llm.server.model, "revision": model.revision, "identity": identity}
    remedy = "for teacher and judges llm.engine: server with llm.server.model"
    raise ModelError(f"{where} names no model; give {where}.path (a local folder), {where}.hub (an id), or {remedy}")


def resolve_data(data: DataParams) -> dict:
    """The descriptor of the data source, with the second one's as `multi_turn` where there is one. Raises DataError
    naming the parameter and the way out.
    """
    second = {"multi_turn": resolve_source("data.multi_turn", data.multi_turn)} if data.multi_turn.given else {}
    return resolve_source("data", data) | second


def resolve_source(where: str, data: DataParams | MultiTurnParams) -> dict:
    """The descriptor of one source, `where` in params.yaml. Raises DataError."""
    if data.hub:
        return _hub(where, data.hub, data.revision, "dataset")
    path = Path(data.path)
    if not path.is_file():
        raise DataError(f"{where}.path: no file {data.path!r}; correct it, or give a data set id as {where}.hub")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"kind": "local", "path": data.path, "revision": None, "identity": f"sha256:{digest}"}


def _local_model(where: str, path: str) -> dict:
    if not Path(path).is_dir():
        raise ModelError(f"{where}.path: no folder {path!r}; correct it, or give a hub id as {where}.hub")
    try:
        identity = folder_identity(path)
    except ModelError as error:
        raise ModelError(f"{where}.path: {error}") from None
    return {"kind": "local", "path": path, "revision": None, "identity": identity}


def _hub(where: str, name: str, revision: str | None, repo_type: str) -> dict:
    commit = _commit(where, name, revision, repo_type)
    return {"kind": "hub", "hub": name, "revision": commit, "identity": f"hub:{name}@{commit}"}


def _commit(where: str, name: str, revision: str | None, repo_type: str) -> str:
    """The commit that id and revision stand for now; without a network, the one in the local hub cache."""
    from huggingface_hub import HfApi, errors

    kind = ModelError if repo_type == "model" else DataError
    said, local = f"{where}.hub: {name!r}", f"or give a local {where}.path"
    try:
        found = HfApi().repo_info(name, revision=revision, repo_type=repo_type, timeout=TIMEOUT_S)
        if found.gated:
            HfApi().auth_check(name, repo_type=repo_type)
        return found.sha
    except errors.HFValidationError:
        raise kind(f"{said} is no hub id; write owner/name, {local}") from None
    except errors.RevisionNotFoundError:
        raise kind(f"{said} has no revision {revision!r}; correct {where}.revision, null is the newest") from None
    except errors.GatedRepoError:
        remedy = f"accept its terms on its page, then `hf auth login`, {local}"
        raise kind(f"{said} is gated and you have no access; {remedy}") from None
    except errors.RepositoryNotFoundError:
        remedy = f"correct it, `hf auth login` if it is private, {local}"
        raise kind(f"{said} is not on the hub; {remedy}") from None
    except (errors.OfflineModeIsEnabled, errors.HTTPError, OSError) as error:
        if commit := _cached_commit(name, revision, repo_type):
            return commit
        reason = " ".join(str(error).split())
        raise kind(f"{said}: no answer from the hub ({reason}) and not in its cache; go online, {local}") from None


def _cached_commit(name: str, revision: str | None, repo_type: str) -> str | None:
    from huggingface_hub import errors, snapshot_download

    try:
        folder = snapshot_download(name, revision=revision, repo_type=repo_type, local_files_only=True)
    except (errors.HFValidationError, OSError):
        return None
    return Path(folder).name
