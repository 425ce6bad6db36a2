"""Upload of a published folder to the Hugging Face hub, refused before anything is sent where it could do harm."""

from pathlib import Path

from funreason.core.errors import FunReasonError
from funreason.core.paths import dataset
from funreason.publish.card import CONFIGS, UNKNOWN

FILES = ["README.md", "dataset_info.json", *(f"{config}/train.jsonl" for config in CONFIGS)]


class PublishError(FunReasonError):
    """The folder, its licence, the token or the hub does not allow an upload."""


def push(repo_id: str, name: str, *, private: bool, revision: str | None, allow_unknown_license: bool) -> str:
    """Upload data/<name>/dataset/ as data set `repo_id`, which is made if need be; the address of the commit.

    HF_ENDPOINT and HF_TOKEN are respected. Raises PublishError, in one line.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HTTPError

    folder = _whole(name)
    if not allow_unknown_license and _license(folder) == UNKNOWN:
        raise PublishError(
            f"{folder}: the source's licence is unknown (data.license in params.yaml is null); ask its owner, set it "
            f"and run `dvc repro publish@{name}`, or push with --allow-unknown-license"
        )
    if not get_token():
        raise PublishError("no token for the hub; set HF_TOKEN to one that may write, or run `hf auth login`")
    api = HfApi()
    try:
        return _upload(api, repo_id, folder, f"FunReason-DVC, set {name}", private, revision)
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise PublishError(f"{repo_id} at {api.endpoint}: {_reason(error)}") from None


def _upload(api, repo_id: str, folder: Path, message: str, private: bool, revision: str | None) -> str:
    where = {"repo_id": repo_id, "repo_type": "dataset"}
    api.create_repo(**where, private=private or None, exist_ok=True)
    if private and not api.repo_info(**where).private:  # one that was there already keeps its visibility
        raise PublishError(f"{repo_id} is there and public; make it private in its settings, or push without --private")
    if revision:
        api.create_branch(**where, branch=revision, exist_ok=True)
    done = api.upload_folder(
        **where, folder_path=folder, allow_patterns=FILES, revision=revision, commit_message=message
    )
    return done.commit_url


def _whole(name: str) -> Path:
    folder = Path(dataset(name))
    missing = [file for file in FILES if not (folder / file).is_file()]
    if missing:
        what = f"{folder} has no {', '.join(missing)}" if folder.is_dir() else f"{folder} does not exist"
        raise PublishError(f"{what}; `dvc repro publish@{name}` makes it, `dvc pull publish@{name}` brings it")
    return folder


def _license(folder: Path) -> str:
    """What the card says, for the card is what is uploaded."""
    from huggingface_hub import metadata_load

    try:
        return (metadata_load(folder / "README.md") or {}).get("license") or UNKNOWN
    except ValueError as error:
        raise PublishError(f"{folder / 'README.md'}: its front matter is not YAML ({error})") from None


def _reason(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    remedy = {
        401: "the hub does not accept the token; set HF_TOKEN to one that may write, or run `hf auth login`",
        403: "the token may not write there; take one with write access, or an owner that is yours",
        404: "there is no such place; correct OWNER/NAME or --revision",
    }
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{remedy[status]} ({said})" if status in remedy else f"the upload failed ({said}); mend that and push again"
