"""Uploads a published folder to the Hugging Face hub. What could do harm is refused before anything is sent."""

from pathlib import Path
from typing import Any

from funreason.core.errors import FunReasonError
from funreason.core.paths import dataset
from funreason.publish.card import CONFIGS, UNKNOWN

FILES = ["README.md", "dataset_info.json", *(f"{config}/train.jsonl" for config in CONFIGS)]


class PublishError(FunReasonError):
    """The folder, its licence, the token or the hub does not allow an upload."""


def push(
    repo_id: str, name: str, *, private: bool, revision: str | None, allow_unknown_license: bool, dry_run: bool = False
) -> str:
    """Upload data/<round>/dataset/ to the hub that HF_ENDPOINT names, with the token HF_TOKEN.

    Args:
        repo_id: The data set, OWNER/NAME; it is created if it does not exist.
        name: The round.
        private: Whether the data set must be private.
        revision: The branch to upload to, created if it does not exist; None is the main branch.
        allow_unknown_license: Whether to upload although the licence of the source is unknown.
        dry_run: Whether to check and list what would be uploaded, and send nothing.

    Returns:
        The address of the commit, or the list.

    Raises:
        PublishError: Why there is no upload, in one line.
    """
    folder = _complete_folder(name)
    license = _license(folder)
    if not allow_unknown_license and license == UNKNOWN:
        raise PublishError(
            f"{folder}: the source's licence is unknown (data.license in params.yaml is null); ask its owner, set it "
            f"and run `dvc repro publish@{name}`, or push with --allow-unknown-license"
        )
    if dry_run:
        return listed(repo_id, folder, FILES, private=private, license=license)
    return upload(
        repo_id, "dataset", folder, f"FunReason-DVC, round {name}", private=private, revision=revision, files=FILES
    )


def upload(
    repo_id: str,
    kind: str,
    folder: Path,
    message: str,
    *,
    private: bool,
    revision: str | None,
    files: list[str] | None = None,
) -> str:
    """Upload a folder to the hub that HF_ENDPOINT names, with the token HF_TOKEN.

    Args:
        repo_id: OWNER/NAME; it is created if it does not exist.
        kind: `dataset` or `model`.
        folder: What is uploaded.
        message: Of the commit.
        private: Whether the repository must be private.
        revision: The branch, created if it does not exist; None is the main branch.
        files: The names of the files that are uploaded; None for all.

    Returns:
        The address of the commit.

    Raises:
        PublishError: There is no token, the repository is public, or what the hub answered.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HTTPError

    if not get_token():
        raise PublishError("no token for the hub; set HF_TOKEN to one that may write, or run `hf auth login`")
    api: Any = HfApi()
    where = {"repo_id": repo_id, "repo_type": kind}
    try:
        api.create_repo(**where, private=private or None, exist_ok=True)
        if private and not api.repo_info(**where).private:  # one that exists keeps its visibility
            remedy = "make it private in its settings, or push without --private"
            raise PublishError(f"{repo_id} exists and is public; {remedy}")
        if revision:
            api.create_branch(**where, branch=revision, exist_ok=True)
        options = {"folder_path": folder, "allow_patterns": files, "revision": revision, "commit_message": message}
        return str(api.upload_folder(**where, **options).commit_url)
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise PublishError(f"{repo_id} at {api.endpoint}: {hub_reason(error)}") from None


def listed(repo_id: str, folder: Path, files: list[str], *, private: bool, license: str) -> str:
    """What an upload would send: a line with the repository, then one per file with its bytes.

    Args:
        repo_id: OWNER/NAME.
        folder: What would be uploaded.
        files: The names of its files.
        private: Whether the repository would be private.
        license: The licence that the card names.
    """
    seen = "private" if private else "public"
    lines = [f"  {(folder / file).stat().st_size:>12,}  {file}" for file in files]
    return "\n".join([f"would upload to {repo_id} ({seen}, licence {license}):", *lines])


def _complete_folder(name: str) -> Path:
    folder = Path(dataset(name))
    missing = [file for file in FILES if not (folder / file).is_file()]
    if missing:
        problem = f"{folder} has no {', '.join(missing)}" if folder.is_dir() else f"{folder} does not exist"
        raise PublishError(f"{problem}; run `dvc repro publish@{name}`, or `dvc pull publish@{name}` if shared")
    return folder


def _license(folder: Path) -> str:
    """The licence on the card, since the card is uploaded, not params.yaml."""
    from huggingface_hub import metadata_load

    try:
        return (metadata_load(folder / "README.md") or {}).get("license") or UNKNOWN
    except ValueError as error:
        raise PublishError(f"{folder / 'README.md'}: its front matter is not YAML ({error})") from None


def hub_reason(error: Exception) -> str:
    """What the hub answered, and the remedy."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    remedy = {
        401: "the hub does not accept the token; set HF_TOKEN to one that may write, or run `hf auth login`",
        403: "the token may not write there; use one with write access, or an owner that is yours",
        404: "it does not exist; correct OWNER/NAME or --revision",
    }
    message = " ".join(str(error).split()) or type(error).__name__
    if status in remedy:
        return f"{remedy[status]} ({message})"
    return f"the upload failed ({message}); correct that and push again"
