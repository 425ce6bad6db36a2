"""BFCL by a server's tools API: the official tools of each row, and the calls under the names that BFCL knows.

BFCL writes `math.factorial` as `math_factorial` for such APIs, whose names have no dots.
"""

from collections.abc import Sequence
from dataclasses import replace

from funreason.calls import Call, CallSyntaxError, parse, render
from funreason.evaluate import DRIVERS
from funreason.evaluate.bfcl import ENVIRONMENTS, BfclPrompt
from funreason.llm import Request, Response
from funreason.sandbox.scorer import run_scorer, scorer_python

# Their values are code of these languages, which JSON does not hold; forms of the prompt are not of tools.
NOT_ASKED = ("simple_java", "simple_javascript", "format_sensitivity", "agentic", "multi_turn")


def requests(
    suite: str, categories: Sequence[str], limit: int | None, mode: str, version: str
) -> tuple[list[BfclPrompt], list[Request], list[dict[str, str]]]:
    """BFCL's rows for a tools API; arguments as for `bfcl.official_prompts`.

    Returns:
        The prompts; the requests with their tools; {name in the tools: BFCL's name} per row.
    """
    asked = {"categories": [name for name in categories if name not in NOT_ASKED], "limit": limit, "tools": True}
    python = scorer_python(ENVIRONMENTS[version])
    entries = run_scorer(DRIVERS / "bfcl_prompts.py", python, asked, timeout_s=120, mode=mode)
    rows = [(category, row) for category, rows in entries.items() for row in rows]
    prompts = [BfclPrompt(suite, category, row["id"], row["messages"]) for category, row in rows]
    return prompts, [Request(row["messages"], tools=row["tools"]) for _, row in rows], [row["names"] for _, row in rows]


def renamed(response: Response, names: dict[str, str]) -> Response:
    """The response with BFCL's names of functions; a text that is not a list of calls stays as it is."""
    try:
        calls = parse(response.text.strip())
    except CallSyntaxError:
        return response
    return replace(response, text=render([Call(names.get(call.name, call.name), call.arguments) for call in calls]))
