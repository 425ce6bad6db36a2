"""The five checks of FCDR, in their order. Each module says what its judge sees and what a False does."""

from funreason.refine.checks import call, cot, format, query_tool, response

CHECKS = {module.CHECK.name: module.CHECK for module in (response, query_tool, cot, call, format)}
