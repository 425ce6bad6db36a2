"""Accounts that must add up, answers that must fit, and what undecided rows become."""

import pytest

from funreason.errors import DataError
from funreason.params import CheckParams, FcdrParams, MendingCheckParams
from funreason.records import Sample, Verdict
from funreason.refine.answer import Answer
from funreason.refine.check import canonical
from funreason.refine.checks import CHECKS
from funreason.refine.dataset import refuse_empty
from funreason.refine.pools import Chain, Step, check_sum
from funreason.refine.run import through
from funreason.refine.validate import Validator

from .rows import GHENT, OSLO, TOOLS

FATE_COUNTS = {"kept": 3, "regenerated": 0, "statement": 0, "dropped": 1, "hard": 0}


def sample(name: str = "1", answer: str = GHENT, query: str | None = None, **changes) -> Sample:
    return Sample(name, query or f"query {name}", TOOLS, "I call it.", answer, **changes)


def fcdr(undecided: str = "drop", max_regen: int = 1, recheck_cot: bool = True) -> FcdrParams:
    panel = CheckParams(judges=["judge"], rule="majority")
    mending = MendingCheckParams(judges=["judge"], rule="majority", max_regen=max_regen)
    checks = {"response": panel, "query_tool": panel, "cot": panel, "call": mending, "format": mending}
    return FcdrParams(mode="judge", undecided=undecided, recheck_cot=recheck_cot, **checks)


def decide(check: str, answers: list[Answer], params: FcdrParams, **changes):
    """(decision, the checks that were asked) of one row whose judge says `answers`, in turn."""
    flow, asked, answers = through(CHECKS[check], sample(**changes), params), [], [None, *answers]
    try:
        for answer in answers:
            asked.append(flow.send(answer).check)
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"more questions than answers: {asked}")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("undecided", ["drop", "keep", "hard"])
def test_undecided_rows_do_as_the_parameter_says(check, undecided):
    decision, _ = decide(check, [Answer(None, problem="no <judge> tag")], fcdr(undecided))
    assert (decision.verdict, decision.action) == ("undecided", undecided)


def test_an_undecided_new_answer_is_no_free_pass():
    answers = [Answer(False, new_call=OSLO), Answer(None, problem="no <judge> tag")]
    assert decide("call", answers, fcdr("hard"))[0].action == "hard"
    reasoning = [Answer(False, new_call=OSLO), Answer(True), Answer(None)]
    decision, asked = decide("call", reasoning, fcdr("drop"))
    assert (decision.action, asked) == ("drop", ["call", "call", "cot"])


def test_max_regen_bounds_the_new_answers():
    wrong = [Answer(False, new_call=f"[f(a={number})]") for number in range(5)]
    for max_regen in (0, 1, 3):
        decision, asked = decide("call", wrong, fcdr(max_regen=max_regen))
        assert (decision.action, len(asked)) == ("hard", max_regen + 1)


def test_reasoning_is_asked_again_only_if_wanted():
    answers = [Answer(False, new_call=OSLO), Answer(True)]
    assert decide("call", answers, fcdr(recheck_cot=False))[1] == ["call", "call"]


def test_canonical_calls_tell_types_apart_and_orders_not():
    assert canonical("[f(a=1, b=2)]") == canonical("[f(b=2,a=1)]")
    assert len({canonical(f"[f(a={value})]") for value in ("1", "1.0", "True", "'1'")}) == 4
    assert canonical("[f(") is None


def validated(samples: list[Sample]) -> tuple[list, dict[str, int]]:
    validator = Validator()
    return [validator.outcome(sample) for sample in samples], dict(validator.kinds)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("[get_weather(city='Ghent']", "unreadable answer"),
        ("[]", "no call"),
        ("[sing(song='x')]", "unknown function"),
        ("[get_weather(days=3)]", "missing parameter"),
        ("[get_weather(city='Ghent', hours=3)]", "undeclared parameter"),
        ("[get_weather(city='Ghent', days='3')]", "wrong value"),
    ],
)
def test_answers_that_do_not_fit_are_hard(answer, kind):
    outcomes, kinds = validated([sample(answer=answer)])
    assert (outcomes[0].verdict.action, kinds) == ("hard", {kind: 1})
    assert outcomes[0].sample is None


def test_a_repeat_is_dropped_and_names_the_first():
    same = [sample("1", query="q"), sample("2", "[get_weather(days=3, city='Ghent')]", query="q")]
    other = [sample("3", OSLO, query="q"), sample("4", query="p")]
    talk = [sample(name, "None fits.", query="q", kind="statement") for name in ("5", "6")]
    outcomes, _ = validated([*same, *other, *talk])
    dropped = {outcome.verdict.id: outcome.verdict.reason for outcome in outcomes if outcome.sample is None}
    assert dropped == {"2": "duplicate of 1", "6": "duplicate of 5"}


def test_a_tool_that_is_no_schema_makes_its_row_hard():
    broken = [{"name": "f", "parameters": {"a": "some text"}}]
    outcomes, kinds = validated([Sample("1", "q", broken, "", "[f(a='x')]")])
    assert (outcomes[0].verdict.action, list(kinds)) == ("hard", ["bad tool"])


def step(*actions: tuple[str, str], name: str = "cot") -> Step:
    verdicts = [Verdict(row, name, "pass", action, "") for row, action in actions]
    return Step(name, verdicts, [sample(row) for row, action in actions if action == "keep"])


def followed(ids: list[str], steps: list[Step]) -> list:
    """The fates of the rows `ids`, which entered the first step."""
    chain = Chain(steps)
    ends = [chain.way(name).fate() for name in ids]
    chain.end()
    return ends


def test_each_row_ends_once():
    steps = [step(("1", "keep"), ("2", "drop"), ("3", "keep")), step(("1", "hard"), ("3", "keep"), name="call")]
    ends = followed(["1", "2", "3"], steps)
    assert [(end.id, end.fate) for end in ends] == [("1", "hard"), ("2", "dropped"), ("3", "kept")]
    assert [(end.check, end.sample) for end in ends[:2]] == [("call", sample("1")), ("cot", None)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("1", "keep")], "row 2 is missing, '2' came in"),
        ([("1", "keep"), ("2", "keep"), ("2", "keep")], "row 3 is '2', no more came in"),
        ([("1", "keep"), ("1", "keep"), ("2", "keep")], "row 2 is '1', '2' came in"),
        ([("2", "keep"), ("1", "keep")], "row 1 is '2', '1' came in"),
    ],
)
def test_rows_that_do_not_add_up_fail(rows, said):
    with pytest.raises(DataError, match=f"cot's ledger: {said}. Every row must have exactly one fate"):
        followed(["1", "2"], [step(*rows)])


def test_a_sample_that_vanished_fails():
    whole = step(("1", "keep"), ("2", "keep"))
    with pytest.raises(DataError, match="cot's samples: row 2 is missing, '2' came in"):
        followed(["1", "2"], [Step("cot", whole.verdicts, whole.samples[:1])])
    with pytest.raises(DataError, match="cot's samples: row 3 is '2', no more came in"):
        followed(["1", "2"], [Step("cot", whole.verdicts, [*whole.samples, whole.samples[1]])])


def test_the_source_is_part_of_the_account():
    single = {"quarantined": 1, "conversations": 0, "turns": 0}
    check_sum(FATE_COUNTS, 4, 4, {"rows": 5, **single})
    check_sum(FATE_COUNTS, 4, 4, {"rows": 3, "quarantined": 1, "conversations": 1, "turns": 3})
    for rows, tasks, prepared in [(4, 4, {"rows": 6}), (5, 4, {"rows": 5}), (4, 4, {"rows": 5, "turns": 2})]:
        with pytest.raises(DataError, match="do not add up"):
            check_sum(FATE_COUNTS, rows, tasks, single | prepared)


def test_a_set_without_rows_fails():
    with pytest.raises(DataError, match="set r0: none of 9 rows is left .7 dropped, 2 hard."):
        refuse_empty("r0", dict.fromkeys(FATE_COUNTS, 0) | {"dropped": 7, "hard": 2})
