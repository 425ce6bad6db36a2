"""Format Identification: is the answer `[func(k=v), …]`, names bare, strings quoted, no stray space or quote?

The judge sees query, tools and answer, and writes the same calls in the right format into <NewFC> on False. It may
mend the format only: new calls that differ from the old are refused, as far as the old can be read.
"""

from funreason.core.records import Sample
from funreason.refine.check import Check, Decision, canonical, judged_and_mended


def on_false(sample: Sample) -> Decision:
    return Decision("fail", "hard", "format still wrong", sample)


def refuse(old: str, new: str) -> str:
    readable = canonical(old)
    return "" if readable in (None, canonical(new)) else "<NewFC> changes more than the format"


CHECK = Check("format", judged_and_mended, on_false, refuse)
