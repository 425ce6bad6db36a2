"""Self-consistency (Wang et al., ICLR 2023): of several samples of a query, one that makes the most frequent call."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from funreason.calls import canonical
from funreason.ledger.results import CheckResult

# A text that is not a readable call, but was to be one: a name with a bracket, a list, JSON, markup.
_BROKEN_CALL = re.compile(r"[\[{<]|\w\(|```")


def agreeing(results: Sequence[CheckResult], agreement: float) -> list[CheckResult]:
    """Keep one sample of a query, the first with the most frequent call.

    Two answers agree where they are the same calls, in whatever order of arguments. Statements agree with each other.
    A call that cannot be read agrees with the same text only. A sample that was dropped agrees with none, and counts
    among the samples.

    Args:
        results: The results of generate for all samples of the query.
        agreement: The smallest fraction of the samples that must agree; 0 keeps all of them.

    Returns:
        The results in their order. The kept one says how many agree, the others that they were not selected; where too
        few agree, all are dropped.
    """
    if not agreement or len(results) == 1 or not any(result.sample for result in results):
        return list(results)
    answers = {at: _identity(result.sample.answer) for at, result in enumerate(results) if result.sample}
    answer, votes = Counter(answers.values()).most_common(1)[0]  # of equally many, the one that came first
    agreed = f"{votes} of {len(results)} samples agree"
    kept = next(at for at in answers if answers[at] == answer) if votes >= agreement * len(results) else None
    return [_result(result, at, kept, agreed) if at in answers else result for at, result in enumerate(results)]


def _identity(answer: str) -> str | None:
    """What two answers that agree have in common; None for a statement."""
    calls = canonical(answer)
    return answer if calls is None and _BROKEN_CALL.search(answer) else calls


def _result(result: CheckResult, at: int, kept: int | None, agreed: str) -> CheckResult:
    if at == kept:
        return replace(result, reason=agreed)
    verdict, action = ("fail", "drop") if kept is None else ("pass", "not_selected")
    sample = result.sample
    text = {"judge": "generator", "value": None, "text": sample.answer if sample else ""}
    return replace(result, verdict=verdict, action=action, reason=agreed, votes=[text], sample=None)
