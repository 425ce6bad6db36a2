"""CoT Identification: does the reasoning start right, go step by step, and end at this answer?

The judge sees reasoning and answer. False drops the row. Asked again, from the two checks that follow, about rows
whose calls they have changed.
"""

from funreason.core.records import Sample
from funreason.refine.check import Check, Decision, judged


def on_false(sample: Sample) -> Decision:
    return Decision("fail", "drop", "reasoning does not lead to the answer", sample)


CHECK = Check("cot", judged, on_false)
