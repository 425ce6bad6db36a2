"""The model that `funreason score` asks: a folder, an id of the hub, or a name that a server knows."""

import json
from pathlib import Path

from funreason.config import LlmParams, load_params
from funreason.config.blocks import ModelParams
from funreason.core.errors import DataError, ModelError, ParamsError
from funreason.core.paths import PARAMS
from funreason.data.sources import resolve_model
from funreason.llm import ModelRef, load_ref

_CONTEXT = 32_768  # tokens; the longest BFCL prompts of one turn have 10,000, a longer context only costs memory
_CHECKOUT = Path(__file__).parents[3]


def find(model: str, server: str | None, key_env: str | None, max_model_len: int | None) -> tuple[ModelRef, LlmParams]:
    """What to ask, and how.

    Args:
        model: a folder, an id of the hub, or with `server` the server's name for it.
        server: the base URL of an OpenAI-compatible server; None for vLLM in this process.
        key_env: the environment variable that holds the server's key.
        max_model_len: tokens of prompt and answer; None for the model's own, at most 32,768.

    Returns:
        The model, and the block `llm` of the params.yaml here (else of the checkout) for it.

    Raises:
        ModelError: there is no such model.
        ParamsError: there is no params.yaml.
    """
    llm = _llm()
    if server:
        changes = {"base_url": server, "api_key_env": key_env, "model": None}
        llm = llm.model_copy(update={"engine": "server", "server": llm.server.model_copy(update=changes)})
        return ModelRef(model, None, f"server:{model}@unpinned", kind="server"), llm
    engine = "vllm" if llm.engine == "server" else llm.engine
    ref = load_ref(model) if Path(model).is_dir() else _from_hub(model, llm)
    length = max_model_len or (_own_length(Path(model)) if Path(model).is_dir() else None) or llm.max_model_len
    return ref, llm.model_copy(update={"engine": engine, "max_model_len": length})


def _llm() -> LlmParams:
    for path in (Path(PARAMS), _CHECKOUT / PARAMS):
        if path.exists():
            return load_params(path).llm
    raise ParamsError(f"no {PARAMS} in this folder; its block llm says how models are asked: run in a checkout")


def _from_hub(name: str, llm: LlmParams) -> ModelRef:
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        remedy = "give a folder with config.json, a hub id (owner/name), or --server URL with the server's name"
        raise ModelError(f"MODEL: no folder {name!r}; {remedy}")
    try:
        resolved = resolve_model("base", ModelParams(path=None, hub=name, revision=None), llm)
    except ModelError as error:
        raise ModelError(
            str(error).replace("models.base.hub", "MODEL").replace("local models.base.path", "folder")
        ) from None
    return ModelRef(resolved["hub"], resolved["revision"], resolved["identity"], resolved["kind"])


def _own_length(folder: Path) -> int | None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        length = config.get("max_position_embeddings")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{folder}/config.json cannot be read ({error}); give a checkpoint of Transformers") from None
    return min(length, _CONTEXT) if isinstance(length, int) and length > 0 else None
