"""Uploads the model of a round to the Hugging Face hub, with a card that has been checked."""

import tempfile
from pathlib import Path

from funreason.config import Params
from funreason.core import paths
from funreason.publish.card import UNKNOWN
from funreason.publish.hub import PublishError, listed, upload
from funreason.publish.model_card import model_card
from funreason.serve.checkpoint import Checkpoint
from funreason.serve.export import export

_SECTIONS = ("Base", "Data", "Training", "Results", "Licences", "Serve", "Not tested for")


def push_model(
    repo_id: str,
    name: str,
    params: Params,
    *,
    license: str | None,
    private: bool,
    revision: str | None,
    dry_run: bool,
) -> str:
    """Upload the model of a round to the hub that HF_ENDPOINT names, with the token HF_TOKEN.

    Args:
        repo_id: The model, OWNER/NAME; it is created if it does not exist.
        name: The round.
        params: The parameters of the project.
        license: The licence of the model; None where nobody named one, which only a dry run and a private model allow.
        private: Whether the model must be private.
        revision: The branch to upload to, created if it does not exist; None is the main branch.
        dry_run: Whether to check and list what would be uploaded, and send nothing.

    Returns:
        The address of the commit, or the list.

    Raises:
        PublishError: Why there is no upload, in one line.
    """
    card = checked_card(model_card(name, params, license), name)
    if not (license or private or dry_run):
        raise PublishError(f"round {name}: no licence; give --license, or push it with --private")
    root = Path(paths.model_folder(name)).parent
    with tempfile.TemporaryDirectory(dir=root if root.is_dir() else None, prefix=".push-") as folder:
        export(Checkpoint.of(name), Path(folder), card)
        if dry_run:
            files = sorted(file.name for file in Path(folder).iterdir())
            return listed(repo_id, Path(folder), files, private=private, license=license or UNKNOWN)
        return upload(
            repo_id, "model", Path(folder), f"FunReason-DVC, model of {name}", private=private, revision=revision
        )


def checked_card(card: str, name: str) -> str:
    """The card, if it has a front matter and all sections. Raises PublishError."""
    from huggingface_hub import ModelCard

    try:
        data = ModelCard(card, ignore_metadata_errors=False).data.to_dict()
    except ValueError as error:
        raise PublishError(f"the card of round {name} has no front matter that is YAML ({error})") from None
    missing = [section for section in _SECTIONS if f"\n## {section}\n" not in card]
    if missing or not data.get("license"):
        raise PublishError(f"the card of round {name} has no {', '.join(missing) or 'licence'}")
    return card
