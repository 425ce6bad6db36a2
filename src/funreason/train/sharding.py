"""FSDP2 under the train stage: started without accelerators, and with checkpoints that hold the weights once."""

import functools
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def fsdp_environment(config: Path) -> dict[str, str]:
    """The settings of an accelerate configuration as `accelerate launch` hands them to the processes.

    Args:
        config: A YAML file with `fsdp_config`.

    Returns:
        Environment variables.
    """
    settings = YAML(typ="safe").load(config)["fsdp_config"]
    return {"ACCELERATE_USE_FSDP": "true"} | {name.upper(): str(value).lower() for name, value in settings.items()}


def shard_on_cpus() -> None:
    """Have accelerate shard over the gloo processes of a CPU, where its settings ask for FSDP.

    It looks for FSDP's settings only where the processes have accelerators (AcceleratorState, accelerate 1.15), and
    would train with DDP. Nothing else of it, of torch or of transformers depends on the device.
    """
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedType

    original = AcceleratorState.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, fsdp_plugin: Any = None, **kwargs: Any) -> None:
        original(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
        if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin
            PartialState._shared_state["distributed_type"] = self.distributed_type
            if self._mixed_precision != "no":
                fsdp_plugin.set_mixed_precision(self._mixed_precision)

    AcceleratorState.__init__ = init
