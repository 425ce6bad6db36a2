"""SRML: supervised fine-tuning that weighs the losses of reasoning and result (FunReason's multiscale loss).

It imports nothing else of funreason and works in any training script:

    from funreason.srml import SRMLConfig, SRMLTrainer

    args = SRMLConfig(output_dir="out", segment_loss="msl", think_weight=0.7)
    SRMLTrainer("Qwen/Qwen2.5-0.5B-Instruct", args=args, train_dataset=prompt_completion_rows).train()

Rows are TRL's prompt–completion rows; the completion is `<think>…</think>` and a result. See docs/srml.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from funreason.srml.config import SRMLConfig
    from funreason.srml.formats import TrainingDataError
    from funreason.srml.loss import segment_loss
    from funreason.srml.rows import UnusableRow
    from funreason.srml.trainer import SRMLTrainer

_MODULES = {
    "SRMLConfig": "config",
    "SRMLTrainer": "trainer",
    "TrainingDataError": "formats",
    "UnusableRow": "rows",
    "segment_loss": "loss",
}
__all__ = ["SRMLConfig", "SRMLTrainer", "TrainingDataError", "UnusableRow", "segment_loss"]


def __getattr__(name: str) -> Any:
    # Lazy: params.yaml is checked against `srml.adaptive` by commands that must not load torch.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
