"""Response Identification: is the answer a function call, or statement text?

The judge sees the answer. False is no fault: a statement is kept as it is and skips the checks that follow.
"""

from dataclasses import replace

from funreason.core.records import Sample
from funreason.refine.check import Check, Decision, judged


def on_false(sample: Sample) -> Decision:
    return Decision("fail", "keep", "statement", replace(sample, kind="statement"))


CHECK = Check("response", judged, on_false)
