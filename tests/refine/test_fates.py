"""Accounts that must add up, answers that must fit, and what undecided rows become."""

import pytest

from funreason.assemble.selection import replayed
from funreason.assemble.training_set import refuse_empty
from funreason.assemble.validate import Validator
from funreason.config import CheckParams, FcdrParams, MendingCheckParams
from funreason.core.errors import DataError
from funreason.core.records import Sample, Verdict
from funreason.ledger.pools import Chain, Step, Way, check_fates, check_source, left_hard
from funreason.refine.answer import Answer
from funreason.refine.check import canonical
from funreason.refine.checks import CHECKS
from funreason.refine.loop import through

from .rows import GHENT, OSLO, TOOLS

FATE_COUNTS = {"kept": 3, "regenerated": 0, "statement": 0, "spare": 0, "dropped": 1, "hard": 0}


def sample(name: str = "1", answer: str = GHENT, query: str | None = None, cot="I call it.", **changes) -> Sample:
    return Sample(name, query or f"query {name}", TOOLS, cot, answer, **changes)


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


def way(sample: Sample, votes: tuple[bool | None, ...] = ()) -> Way:
    ballot = [{"judge": "judge", "value": value, "text": ""} for value in votes]
    return Way(sample.id, [Verdict(sample.id, "format", "pass", "keep", "", votes=ballot)], sample)


def validated(samples: list[Sample]) -> tuple[list[Verdict], dict[str, int]]:
    """Each sample is the only one of its query."""
    validator = Validator("all")
    return [validator.verdicts([way(sample)])[0] for sample in samples], dict(validator.kinds)


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
    verdicts, kinds = validated([sample(answer=answer)])
    assert (verdicts[0].action, kinds) == ("hard", {kind: 1})


def test_a_repeat_is_dropped_and_names_the_first():
    same = [sample("1", query="q"), sample("2", "[get_weather(days=3, city='Ghent')]", query="q")]
    other = [sample("3", OSLO, query="q"), sample("4", query="p")]
    talk = [sample(name, "None fits.", query="q", kind="statement") for name in ("5", "6")]
    verdicts, _ = validated([*same, *other, *talk])
    dropped = {verdict.id: verdict.reason for verdict in verdicts if verdict.action == "drop"}
    assert dropped == {"2": "duplicate of 1", "6": "duplicate of 5"}


def test_where_a_call_is_wanted_a_statement_is_hard():
    """A model that declines every hard query would pass all checks, and be trained to decline."""
    talk = way(sample("5", "None fits.", kind="statement"))
    assert [Validator("all", statements).verdicts([talk])[0].action for statements in (True, False)] == ["keep", "hard"]


def test_a_tool_that_is_no_schema_makes_its_row_hard():
    broken = [{"name": "f", "parameters": {"a": "some text"}}]
    verdicts, kinds = validated([Sample("1", "q", broken, "", "[f(a='x')]")])
    assert (verdicts[0].action, list(kinds)) == ("hard", ["bad tool"])


def several() -> list[Way]:
    """Four samples of one query: the second has the shortest reasoning, the third the most votes, the last misfits."""
    cots = {"1": "a longer way", "2": "short", "3": "the longest way of all", "4": "s"}
    votes = {"1": (True, False), "2": (True, None, False), "3": (True, None), "4": (True,)}
    answers = {"4": "[sing(song='x')]"}
    return [way(sample(name, answers.get(name, OSLO), query="q", cot=cot), votes[name]) for name, cot in cots.items()]


@pytest.mark.parametrize(("choice", "kept"), [("first", "1"), ("shortest", "2"), ("best", "3")])
def test_one_of_several_accepted_samples_is_chosen(choice, kept):
    verdicts = Validator(choice).verdicts(several())
    spare = [name for name in "123" if name != kept]
    assert [v.id for v in verdicts if v.action == "keep"] == [kept]
    assert [v.id for v in verdicts if v.action == "spare"] == spare
    assert {v.reason for v in verdicts if v.action == "spare"} == {f"{choice}: {kept} was chosen"}
    assert verdicts[3].action == "hard"


def test_all_accepted_samples_but_repeats_are_kept():
    assert [verdict.action for verdict in Validator("all").verdicts(several())] == ["keep", "drop", "drop", "hard"]


def ended(*actions: str) -> list[Way]:
    return [Way(str(at), [Verdict(str(at), "validate", "pass", action, "")], sample(str(at)))
            for at, action in enumerate(actions)]  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "left", "left_of_hdr"),
    [
        (("hard",), True, True),
        (("hard", "keep"), False, False),
        (("hard", "spare", "drop"), False, False),
        (("hard", "drop"), False, False),  # a repeat was accepted
    ],
)
def test_a_query_is_left_to_hdr_where_no_sample_passed(actions, left, left_of_hdr):
    assert (left_hard(ended(*actions), False), left_hard(ended(*actions), True)) == (left, left_of_hdr)


def test_a_query_stays_in_the_pool_of_hdr_whichever_check_failed():
    ways = [Way("1", [Verdict("1", "cot", "fail", "drop", "")], sample("1"))]
    assert (left_hard(ways, False), left_hard(ways, True)) == (False, True)


def test_the_share_that_is_replayed_grows_row_by_row():
    rows = [{"id": f"r0/{number}"} for number in range(1000)]
    shares = {share: [row["id"] for row in replayed(rows, share)] for share in (0.0, 0.3, 0.6, 1.0)}
    assert shares[0.0] == [] and len(shares[1.0]) == 1000 and abs(len(shares[0.3]) - 300) < 50
    assert set(shares[0.3]) < set(shares[0.6]) and shares[0.3] == [r for r in shares[0.6] if r in shares[0.3]]


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
    check_fates(FATE_COUNTS, 4)
    check_source(4, {"rows": 5, **single})
    check_source(4, {"rows": 3, "quarantined": 1, "conversations": 1, "turns": 3})
    for tasks, prepared in [(4, {"rows": 6}), (4, {"rows": 5, "turns": 2})]:
        with pytest.raises(DataError, match="do not add up"):
            check_source(tasks, single | prepared)
    with pytest.raises(DataError, match="do not add up"):
        check_fates(FATE_COUNTS, 5)


def test_a_set_without_rows_fails():
    with pytest.raises(DataError, match="set r0: none of 9 rows is left .7 dropped, 2 hard."):
        refuse_empty("r0", dict.fromkeys(FATE_COUNTS, 0) | {"dropped": 7, "hard": 2})
