"""The call language `[f(a=1, b='x'), g()]`: parsed, rendered, and checked against the tools it may call."""

from funreason.calls.completion import CompletionError, join_completion, split_completion
from funreason.calls.schema import to_bfcl, to_json_schema
from funreason.calls.text import Call, CallSyntaxError, parse, render

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
]
