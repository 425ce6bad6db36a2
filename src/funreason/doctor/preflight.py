"""What can be looked up at once: no network, no process, no torch. The stage `resolve` fails here in one line."""

import sys

from funreason.config import Params
from funreason.core.errors import FunReasonError
from funreason.doctor import memory, scorers, space
from funreason.doctor.finding import Finding
from funreason.doctor.machine import gpus
from funreason.doctor.machine import memory as machine_memory


def cheap(params: Params) -> list[Finding]:
    """Space, memory, and the scorers' environments."""
    machine = memory.Machine(gpus(), machine_memory())
    return [
        *memory.gpu_list(machine),
        *memory.serving(params, machine),
        *memory.training(params, machine),
        *space.disk(params),
        *scorers.environments(params),
        *scorers.benchmark_data(params),
    ]


def preflight(params: Params) -> None:
    """Say the warnings, a line each. Raises FunReasonError with the first error."""
    findings = cheap(params)
    for finding in findings:
        if finding.level == "warning":
            print(f"warning: {finding}", file=sys.stderr)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        more = f" ({len(errors) - 1} more: `funreason doctor`)" if errors[1:] else ""
        raise FunReasonError(f"{errors[0]}{more}")
