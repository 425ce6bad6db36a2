"""Is each model's chat template fit for what it is asked? Each is tried with all roles before anything is paid.

Only tokenizers that are here are tried: those of local folders, and of hub models whose files are in the hub's cache.
No weights are loaded. `fetch_tokenizer` brings a tokenizer here: that of a student is needed last, when teacher and
judges are paid.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from funreason.calls.results import for_template
from funreason.config import ModelParams, Params
from funreason.core.errors import FunReasonError, ModelError
from funreason.doctor.diagnosis import Diagnosis, error, from_error, ok
from funreason.doctor.weights import named_models
from funreason.llm.chat import ChatRenderer
from funreason.llm.refs import MODEL_FILES, ModelRef
from funreason.llm.request import Request
from funreason.srml.template import ChatTemplate, unmarked

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# One turn of each role; the texts are found again in what the template makes of them.
CHAT = [
    {"role": "system", "content": "You call functions."},
    {"role": "user", "content": "Which weather has Ghent?"},
    {"role": "assistant", "content": "[get_weather(city='Ghent')]"},
    {"role": "tool", "content": "It rains."},
]
COMPLETIONS = ("<think>Say it.</think>\n\nRain in Ghent.", "Rain in Ghent.")
REMEDY = "take an instruct model whose chat template takes texts, or give it another chat_template.jinja"
TRAINED = "models.base"


_FILES = [name for name in MODEL_FILES if "safetensors" not in name and "pytorch_model" not in name]


def fetch_tokenizer(where: str, model: ModelParams) -> None:
    """Download a hub model's tokenizer and chat template, a few MB, so that `templates` tries them.

    Args:
        where: The model's key in params.yaml, for the warning where the hub does not answer.
        model: The model; a local folder is left as it is.
    """
    from huggingface_hub import errors

    if not model.hub or _tokenizer_folder(model):
        return
    try:
        _snapshot(model.hub, model.revision, here=False)
    except (errors.HFValidationError, errors.HTTPError, OSError) as problem:
        reason = " ".join(str(problem).split())[:200]
        print(f"warning: the chat template of {where} {model.hub!r} was not tried ({reason})", file=sys.stderr)


def templates(params: Params) -> Iterator[Diagnosis]:
    """One diagnosis for each model of models.* whose tokenizer is here; the base model must be trainable, too."""
    tried: dict[str, str] = {}
    for where, model in named_models(params).items():
        folder = _tokenizer_folder(model)
        # The same folder in two roles is tried once, but for the base model's training.
        if folder is None or (str(folder) in tried and where != TRAINED):
            continue
        tried[str(folder)] = where
        yield _try(where, folder)


def require_templates(params: Params) -> None:
    """Raise FunReasonError with the first model whose chat template is not fit."""
    for diagnosis in templates(params):
        if diagnosis.level == "error":
            raise FunReasonError(str(diagnosis))


def _tokenizer_folder(model: ModelParams) -> Path | None:
    folder = Path(model.path) if model.path else _snapshot(model.hub, model.revision, here=True) if model.hub else None
    return folder if folder and (folder / "tokenizer_config.json").is_file() else None


def _snapshot(hub: str, revision: str | None, here: bool) -> Path | None:
    """The folder of a hub model's tokenizer; `here`: None where it was not downloaded before."""
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(hub, revision=revision, allow_patterns=_FILES, local_files_only=here))
    except (errors.HFValidationError, errors.HTTPError, OSError):
        if here:
            return None
        raise


def _try(where: str, folder: Path) -> Diagnosis:
    renderer = ChatRenderer(ModelRef(str(folder), None, ""))
    try:
        text = unmarked(renderer.render(Request(CHAT)))
        renderer.encode([text])
    except ModelError as problem:
        return from_error(ModelError(f"{where}: {problem}"))
    lost = [message["role"] for message in CHAT if message["content"].split("(")[0].strip("[") not in text]
    if lost:
        return error(f"{where}: the chat template of {folder} does not show messages of {', '.join(lost)}", REMEDY)
    if where == TRAINED and (reason := _untrainable(renderer.tokenizer)):
        return error(
            f"{where}: rows cannot be labelled with the tokenizer and chat template of {folder} ({reason})", REMEDY
        )
    return ok(f"{where}: {_described(ChatTemplate.of(renderer.tokenizer))}")


def _untrainable(tokenizer: "PreTrainedTokenizerBase") -> str | None:
    """Why a row with or without reasoning could not be labelled for training."""
    from funreason.srml.formats import TrainingDataError
    from funreason.srml.segments import label_rows

    rows = [{"prompt": CHAT, "completion": [{"role": "assistant", "content": text}]} for text in COMPLETIONS]
    try:
        report = label_rows(rows, tokenizer, adapt_prompt=for_template)[1]
    except TrainingDataError as problem:
        return str(problem)
    return ", ".join(sorted(report.dropped)) or None


def _described(template: ChatTemplate) -> str:
    """What the template does with a chat, in the words of docs/templates.md."""
    system = "takes a system message" if template.takes_system else "has no system role: it goes into the first query"
    results = "shows results" if template.shows_tool_results else "shows no results: they are the user's"
    think = ", its prompt opens <think>" if template.opens_think else ""
    steps = ", shows the reasoning of earlier calls" if template.reasoning_key else ""
    return f"its chat template {system}, {results}{think}{steps}, and ends a turn with {template.end_of_turn.strip()}"
