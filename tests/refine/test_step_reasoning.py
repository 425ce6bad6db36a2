"""Which reasoning the earlier calls of a turn get in training rows."""

from dataclasses import replace

from funreason.assemble.step_reasoning import StepReasoning
from funreason.assemble.training_set import training_row
from funreason.core.records import Sample
from funreason.ledger.outcomes import RowHistory
from funreason.ledger.results import CheckResult
from funreason.prompts.conversation import transcript


def step(call: str, reasoning: str = "") -> list[dict]:
    message = {"role": "assistant", "content": call} | ({"reasoning": reasoning} if reasoning else {})
    return [message, {"role": "tool", "content": "ok"}]


def accepted(sample: Sample, action: str = "keep") -> RowHistory:
    verdict = "fail" if action == "drop" else "pass"
    return RowHistory(sample.id, [CheckResult(sample.id, "call", verdict, action, "")], sample)


def turn(number: int | str, answer: str, cot: str, steps: list[dict] = ()) -> Sample:
    return Sample(f"c@{number}", "q", [], cot, answer, steps=list(steps))


def reasons(sample: Sample) -> list[str | None]:
    return [message.get("reasoning") for message in sample.steps if message["role"] == "assistant"]


def test_the_accepted_row_of_the_same_call_says_why():
    known = StepReasoning()
    first, second = turn(3, "[f(a=1, b=2)]", "why f"), turn(4, "[g()]", "why g", step("[f(b=2, a=1)]"))
    known.add([accepted(first)])
    assert known.filled(first) == first and reasons(known.filled(second)) == ["why f"]
    known.add([accepted(second)])
    third = turn(5, "Done.", "why", [*step("[f(b=2,a=1)]"), *step("[g()]")])
    assert reasons(known.filled(third)) == ["why f", "why g"]
    assert known.metrics() == {"source": 0, "samples": 3, "none": 0}
    row = training_row("r0", known.filled(third))
    assert [message.get("reasoning_content") for message in row["prompt"][2::2]] == ["why f", "why g"]
    assert transcript(known.filled(third)) == transcript(third) and "why f" not in transcript(known.filled(third))


def test_another_call_another_conversation_or_a_dropped_row_says_nothing():
    known = StepReasoning()
    later = turn(1, "Done.", "why", step("[f(a=1)]"))
    known.add([accepted(turn(0, "[f(a=2)]", "of another call"))])
    assert reasons(known.filled(later)) == [None]
    known.add([accepted(turn(0, "[f(a=1)]", "of a dropped row"), "drop")])
    assert reasons(known.filled(later)) == [None]
    known.add([accepted(replace(turn(0, "[f(a=1)]", "of another conversation"), id="d@0"))])
    assert reasons(known.filled(later)) == [None]
    assert known.metrics() == {"source": 0, "samples": 0, "none": 3}


def test_the_source_has_the_word_and_the_selected_sample_goes_first():
    known = StepReasoning()
    samples = [
        accepted(turn("0#0", "[f()]", "not selected"), "not_selected"),
        accepted(turn("0#1", "[f()]", "selected")),
    ]
    known.add(samples)
    later = turn("1#0", "[g()]", "why", step("[f()]"))
    assert reasons(known.filled(later)) == ["selected"]
    assert reasons(known.filled(replace(later, steps=step("[f()]", "as published")))) == ["as published"]
    assert known.metrics() == {"source": 1, "samples": 1, "none": 0}
