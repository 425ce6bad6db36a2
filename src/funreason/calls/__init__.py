"""The call language `[f(a=1, b='x'), g()]`: parse it, render it, and check calls against the tools they may use.

A tool comes in one of two forms. xLAM's, whose type names are Python annotations:

    {"name": "get_weather", "description": "…",
     "parameters": {"city": {"description": "…", "type": "str"},
                    "days": {"description": "…", "type": "int, optional", "default": 1}}}

BFCL's, with BFCL's own type names. A tool in OpenAI's form (`"type": "object"`) reads like one of BFCL's:

    {"name": "get_weather", "description": "…",
     "parameters": {"type": "dict",
                    "properties": {"city": {"type": "string", "description": "…"},
                                   "days": {"type": "integer", "description": "…", "default": 1}},
                    "required": ["city"]}}
"""

from funreason.calls.completion import CompletionError, join_completion, split_completion
from funreason.calls.parser import CallSyntaxError, canonical, parse
from funreason.calls.schema import to_bfcl, to_json_schema
from funreason.calls.text import Call, render
from funreason.calls.validate import validate

__all__ = [
    "Call",
    "CallSyntaxError",
    "CompletionError",
    "canonical",
    "join_completion",
    "parse",
    "render",
    "split_completion",
    "to_bfcl",
    "to_json_schema",
    "validate",
]
