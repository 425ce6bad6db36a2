"""Which models the token counts of a run come from: another model or tokenizer writes and counts other tokens."""

from pathlib import Path
from typing import Any

from funreason.config import Params, read_yaml
from funreason.core.errors import ParamsError

LOCK = "dvc.lock"
COUNT = "`funreason capacity --count` counts with the tokenizers of params.yaml's models"


def foreign_counts(params: Params, folder: str | Path = "metrics") -> list[str]:
    """Warnings where the metrics of a run come from other models than those of params.yaml.

    Args:
        params: Of the run that is estimated.
        folder: Of the metrics, beside the dvc.lock of their run.
    """
    lock = Path(folder).parent / LOCK
    ran = _models_of(lock)
    if ran is None:
        return [f"{lock} does not say which models the counts in {folder} come from; {COUNT}"]
    now = _named(params.models.model_dump(), params.llm.engine, params.llm.server.model)
    changed = [
        f"{role} {ran.get(role, 'none')} (params.yaml: {now.get(role, 'none')})"
        for role in sorted(ran.keys() | now)
        if ran.get(role) != now.get(role)
    ]
    if not changed:
        return []
    return [f"the counts in {folder} were measured with other models: {', '.join(changed)}; {COUNT}"]


def _models_of(lock: Path) -> dict[str, str] | None:
    """Role → name of the models that the stage `resolve` last ran with; None where the file does not say."""
    try:
        resolved = read_yaml(lock)["stages"]["resolve"]["params"]["params.yaml"]
        return _named(resolved["models"], resolved.get("llm.engine"), resolved.get("llm.server.model"))
    except (ParamsError, OSError, KeyError, TypeError, AttributeError):
        return None


def _named(models: dict[str, Any], engine: Any, served: Any) -> dict[str, str]:
    roles = {f"models.judges.{name}": model for name, model in models["judges"].items()}
    roles |= {"models.teacher": models["teacher"], "models.base": models["base"]}
    by_server = f"the server's {served}" if engine == "server" else "none"
    return {role: _name(model) or by_server for role, model in roles.items()}


def _name(model: dict[str, Any]) -> str | None:
    revision = f"@{model['revision']}" if model.get("revision") else ""
    name = model.get("path") or model.get("hub")
    return f"{name}{revision}" if name else None
