"""The call language `[f(a=1, b='x'), g()]`: parsed, rendered, and checked against the tools it may call."""

from funreason.calls.completion import CompletionError, join_completion, split_completion
from funreason.calls.parser import CallSyntaxError, parse
from funreason.calls.schema import to_bfcl, to_json_schema
from funreason.calls.text import Call, render
from funreason.calls.validate import validate

__all__ = [
    "Call",
    "CallSyntaxError",
    "CompletionError",
    "join_completion",
    "parse",
    "render",
    "split_completion",
    "to_bfcl",
    "to_json_schema",
    "validate",
]
