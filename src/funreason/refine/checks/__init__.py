"""The five checks of FCDR, in their order. Each module says what its judge sees and what a False does."""

from funreason.core.errors import ParamsError
from funreason.refine.check import Check
from funreason.refine.checks import call, cot, format, query_tool, response

CHECKS = {module.CHECK.name: module.CHECK for module in (response, query_tool, cot, call, format)}


def chosen_check(name: str) -> Check:
    if name not in CHECKS:
        raise ParamsError(f"no check {name!r}, allowed are {', '.join(CHECKS)}")
    return CHECKS[name]
