"""Function & Parameter Identification: are names, parameters and values right?

The judge sees query, tools and answer, and writes the right calls into <NewFC> on False. What cannot be mended
is hard: the query is sound (it passed the checks before), only its answer is wrong.
"""

from funreason.core.records import Sample
from funreason.refine.check import Check, Decision, judged_and_mended


def on_false(sample: Sample) -> Decision:
    return Decision("fail", "hard", "calls still wrong", sample)


CHECK = Check("call", judged_and_mended, on_false)
