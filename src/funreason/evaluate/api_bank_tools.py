"""The tools in API-Bank's prompts."""

import ast
import re
from typing import Any

from funreason.calls.schema import to_bfcl
from funreason.core.errors import DataError

SOURCE = "github.com/qiancheng0/ToolRL, benchmarks/API-Bank"

_TOOLS = re.compile(r"\*\*Available Tools\*\*\n[^\n]*\n(.*?)\n\n\*\*Steps for Each Turn\*\*", re.DOTALL)
# Levels 1 and 2: "1. Name: F\nDescription: ...", level 3: "1. F: ...".
_TOOL = re.compile(
    r"^\d+\. (?:Name: (\w+)\nDescription: (.*?)|(\w+): (.*?))\nParameters: (\{.*?\})\s*(?=^\d+\. |\Z)",
    re.DOTALL | re.MULTILINE,
)


def tools(system: str) -> list[dict[str, Any]]:
    """The tools that a prompt of API-Bank describes, in BFCL's form. Raises DataError where there are none."""
    listed = _TOOLS.search(system)
    schemas = []
    for match in _TOOL.finditer(listed.group(1).strip() if listed else ""):
        name, description = match.group(1) or match.group(3), match.group(2) or match.group(4)
        parameters = ast.literal_eval(match.group(5))
        schemas.append(to_bfcl({"name": name, "description": description.strip(), "parameters": parameters}))
    if not schemas:
        raise DataError(f"no tools in a prompt that begins {system[:60]!r}; take the files from {SOURCE}")
    return schemas
