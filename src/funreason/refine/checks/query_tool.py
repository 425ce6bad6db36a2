"""Query & Tool Identification: can the functions be found among the tools, and the values in the query?

The judge sees query and tools, not the answer: a False drops the row, since no answer to it could be right.
"""

from funreason.core.records import Sample
from funreason.refine.check import Check, Decision, judged


def on_false(sample: Sample) -> Decision:
    return Decision("fail", "drop", "function or value not to be found", sample)


CHECK = Check("query_tool", judged, on_false)
