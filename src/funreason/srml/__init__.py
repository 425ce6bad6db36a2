"""SRML: supervised fine-tuning whose loss weighs reasoning and result apart (FunReason's multiscale loss).

In any script, with or without the rest of this project:

    from funreason.srml import SRMLConfig, SRMLTrainer

    args = SRMLConfig(output_dir="out", segment_loss="msl", think_weight=0.7)
    SRMLTrainer("Qwen/Qwen2.5-0.5B-Instruct", args=args, train_dataset=prompt_completion_rows).train()

Rows are TRL's prompt–completion rows, the completion `<think>…</think>` and a result. See docs/srml.md.
"""

from funreason.srml.config import SRMLConfig
from funreason.srml.cut import Refused
from funreason.srml.loss import segment_loss
from funreason.srml.trainer import SRMLTrainer

__all__ = ["Refused", "SRMLConfig", "SRMLTrainer", "segment_loss"]
