"""Checks that need no model: what can be said of a row without asking a judge, for each of the five checks.

A result must almost never be wrong. False needs evidence: a call that breaks its schema, a value where the query states
another one. True needs an account of every value and of every part of the query. All else is unclear (None) and left to
the judge. Nothing in a row is evaluated.

In a conversation the query is the user's last message. An earlier message may state a value, but which of several is
meant is for the judge to say. While a turn is under way, the judge also says what is left of the query.
"""

from funreason.heuristics.checks import heuristic_result
from funreason.heuristics.result import HeuristicResult

__all__ = ["HeuristicResult", "heuristic_result"]
