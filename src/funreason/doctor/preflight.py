"""What can be looked up at once: no network, no process, no torch. The stage `resolve` fails here in one line."""

import sys

from funreason.config import Params
from funreason.core.errors import FunReasonError
from funreason.doctor import memory, scorers, space
from funreason.doctor.diagnosis import Diagnosis
from funreason.llm.hardware import gpus, machine_memory


def cheap(params: Params) -> list[Diagnosis]:
    """Space, memory, and the scorers' environments."""
    machine = memory.Machine(gpus(), machine_memory())
    return [
        *memory.gpu_list(machine),
        *memory.serving(params, machine),
        *memory.training(params, machine),
        *space.disk(params),
        *scorers.environments(params),
        *scorers.benchmark_data(params),
        *scorers.decontamination(params),
    ]


def preflight(params: Params) -> None:
    """Print the warnings, one line each. Raises FunReasonError with the first error."""
    diagnoses = cheap(params)
    for diagnosis in diagnoses:
        if diagnosis.level == "warning":
            print(f"warning: {diagnosis}", file=sys.stderr)
    errors = [diagnosis for diagnosis in diagnoses if diagnosis.level == "error"]
    if errors:
        more = f" ({len(errors) - 1} more: `funreason doctor`)" if errors[1:] else ""
        raise FunReasonError(f"{errors[0]}{more}")
