"""Counts that must add up, answers that must fit their tools, and what becomes of undecided rows."""

from collections import Counter

import pytest

from funreason.assemble.training_set import refuse_empty, replayed
from funreason.assemble.validate import Validator
from funreason.calls import canonical
from funreason.config import CheckParams, FcdrParams, MendingCheckParams, load_params
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics import HeuristicResult
from funreason.ledger.metrics import RoundMetrics
from funreason.ledger.outcomes import (
    HistoryReader,
    Outcome,
    RowHistory,
    StepFiles,
    check_outcomes,
    check_source,
    is_left_hard,
)
from funreason.ledger.planted import Labels
from funreason.ledger.results import CheckResult
from funreason.refine.checks import CHECKS, check_row
from funreason.refine.generate import GenerateMetrics
from funreason.refine.panel import PanelVerdict

from .conftest import REPO
from .rows import GHENT, OSLO, TOOLS

OUTCOME_COUNTS = {"kept": 3, "regenerated": 0, "statement": 0, "not_selected": 0, "dropped": 1, "hard": 0}


def sample(name: str = "1", answer: str = GHENT, query: str | None = None, cot="I call it.", **changes) -> Sample:
    return Sample(name, query or f"query {name}", TOOLS, cot, answer, **changes)


def fcdr(undecided: str = "drop", max_regen: int = 1, recheck_cot: bool = True, **changes) -> FcdrParams:
    panel = CheckParams(judges=["judge"], rule="majority")
    mending = MendingCheckParams(judges=["judge"], rule="majority", max_regen=max_regen)
    checks = {"response": panel, "query_tool": panel, "cot": panel, "call": mending, "format": mending}
    values = {"mode": "judge", "undecided": undecided, "recheck_cot": recheck_cot, **checks, **changes}
    return load_params(REPO / "profiles" / "toy.yaml").fcdr.model_copy(update=values)


def decide(check: str, verdicts: list[PanelVerdict], params: FcdrParams, **changes) -> tuple[CheckResult, list[str]]:
    """(result, the checks that were asked) of one row that gets these verdicts, one after the other."""
    flow, asked = check_row(CHECKS[check], sample(**changes), params), []
    try:
        for verdict in [None, *verdicts]:
            asked.append(flow.send(verdict).check)
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"more questions than verdicts: {asked}")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("undecided", ["drop", "keep", "hard"])
def test_undecided_rows_do_as_the_parameter_says(check, undecided):
    result, _ = decide(check, [PanelVerdict(None, problem="no <judge> tag")], fcdr(undecided))
    assert (result.verdict, result.action) == ("undecided", undecided)


@pytest.mark.parametrize(
    ("mode", "likely", "action"),
    [("heuristics", True, "keep"), ("heuristics", None, "keep"), ("heuristics", False, "drop"), ("judge", True, "drop"),
     ("cascade", True, "drop")],
)  # fmt: skip
def test_likely_keeps_what_no_judge_was_asked_about_and_the_verifier_does_not_doubt(mode, likely, action):
    unclear = HeuristicResult(None, "the query may ask for more", {}, 0.5, likely)
    verdict = PanelVerdict(None, problem="unclear", heuristic=unclear)
    assert decide("call", [verdict], fcdr("likely", mode=mode))[0].action == action


def test_a_row_with_an_undecided_new_answer_does_not_pass():
    verdicts = [PanelVerdict(False, new_call=OSLO), PanelVerdict(None, problem="no <judge> tag")]
    assert decide("call", verdicts, fcdr("hard"))[0].action == "hard"
    reasoning = [PanelVerdict(False, new_call=OSLO), PanelVerdict(True), PanelVerdict(None)]
    result, asked = decide("call", reasoning, fcdr("drop"))
    assert (result.action, asked) == ("drop", ["call", "call", "cot"])


def test_rows_without_a_reasoning_do_not_shorten_the_mean_reasoning():
    samples = [sample("1", cot="four"), sample("2", cot=""), sample("3", cot="eighteen")]
    generated, validated = GenerateMetrics(), RoundMetrics(["generate"], Labels({}, {}))
    results = [CheckResult(one.id, "generate", "pass", "keep", "given", sample=one) for one in samples]
    for result in generated.counting(results):
        validated.add(result.id, [RowHistory(result.id, [result], result.sample)], given=True)
    counts = generated.metrics(3)
    assert (counts["out"], counts["without_reasoning"], counts["mean_reasoning_chars"]) == (3, 1, 6)
    assert validated.metrics(Counter())["reasoning_chars"] == {"mean": 6, "median": 6.0}


def test_max_regen_bounds_the_new_answers():
    wrong = [PanelVerdict(False, new_call=f"[f(a={number})]") for number in range(5)]
    for max_regen in (0, 1, 3):
        result, asked = decide("call", wrong, fcdr(max_regen=max_regen))
        assert (result.action, len(asked)) == ("hard", max_regen + 1)


def test_reasoning_is_asked_again_only_if_wanted():
    verdicts = [PanelVerdict(False, new_call=OSLO), PanelVerdict(True)]
    assert decide("call", verdicts, fcdr(recheck_cot=False))[1] == ["call", "call"]


def test_canonical_calls_tell_types_apart_and_orders_not():
    assert canonical("[f(a=1, b=2)]") == canonical("[f(b=2,a=1)]")
    assert len({canonical(f"[f(a={value})]") for value in ("1", "1.0", "True", "'1'")}) == 4
    assert canonical("[f(") is None


def history(sample: Sample, votes: tuple[bool | None, ...] = ()) -> RowHistory:
    lines = [{"judge": "judge", "value": value, "text": ""} for value in votes]
    return RowHistory(sample.id, [CheckResult(sample.id, "format", "pass", "keep", "", votes=lines)], sample)


def validated(samples: list[Sample]) -> tuple[list[CheckResult], dict[str, int]]:
    """Each sample is the only one of its query."""
    validator = Validator("all")
    return [validator.results([history(sample)])[0] for sample in samples], dict(validator.kinds)


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
    results, kinds = validated([sample(answer=answer)])
    assert (results[0].action, kinds) == ("hard", {kind: 1})


def test_a_repeat_is_dropped_and_names_the_first():
    same = [sample("1", query="q"), sample("2", "[get_weather(days=3, city='Ghent')]", query="q")]
    other = [sample("3", OSLO, query="q"), sample("4", query="p")]
    talk = [sample(name, "None fits.", query="q", kind="statement") for name in ("5", "6")]
    results, _ = validated([*same, *other, *talk])
    dropped = {result.id: result.reason for result in results if result.action == "drop"}
    assert dropped == {"2": "duplicate of 1", "6": "duplicate of 5"}


def test_where_a_call_is_wanted_a_statement_is_hard():
    """A model that declines every hard query would pass all checks, and be trained to decline."""
    talk = history(sample("5", "None fits.", kind="statement"))
    assert [Validator("all", statements).results([talk])[0].action for statements in (True, False)] == ["keep", "hard"]


def test_a_tool_without_a_schema_makes_its_row_hard():
    broken = [{"name": "f", "parameters": {"a": "some text"}}]
    results, kinds = validated([Sample("1", "q", broken, "", "[f(a='x')]")])
    assert (results[0].action, list(kinds)) == ("hard", ["bad tool"])


def several() -> list[RowHistory]:
    """Four samples of one query: the second has the shortest reasoning, the third the most votes, the last misfits."""
    cots = {"1": "a longer way", "2": "short", "3": "the longest way of all", "4": "s"}
    votes = {"1": (True, False), "2": (True, None, False), "3": (True, None), "4": (True,)}
    answers = {"4": "[sing(song='x')]"}
    return [
        history(sample(name, answers.get(name, OSLO), query="q", cot=cot), votes[name]) for name, cot in cots.items()
    ]


@pytest.mark.parametrize(("selection", "kept"), [("first", "1"), ("shortest", "2"), ("best", "3")])
def test_one_of_several_accepted_samples_is_selected(selection, kept):
    results = Validator(selection).results(several())
    others = [name for name in "123" if name != kept]
    assert [result.id for result in results if result.action == "keep"] == [kept]
    assert [result.id for result in results if result.action == "not_selected"] == others
    reasons = {result.reason for result in results if result.action == "not_selected"}
    assert reasons == {f"{selection}: {kept} was selected"}
    assert results[3].action == "hard"


def test_all_accepted_samples_but_repeats_are_kept():
    assert [result.action for result in Validator("all").results(several())] == ["keep", "drop", "drop", "hard"]


def ended(*actions: str) -> list[RowHistory]:
    return [RowHistory(str(at), [CheckResult(str(at), "validate", "pass", action, "")], sample(str(at)))
            for at, action in enumerate(actions)]  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "left", "left_of_hdr"),
    [
        (("hard",), True, True),
        (("hard", "keep"), False, False),
        (("hard", "not_selected", "drop"), False, False),
        (("hard", "drop"), False, False),  # a repeat was accepted
    ],
)
def test_a_query_is_left_to_hdr_where_no_sample_passed(actions, left, left_of_hdr):
    assert (is_left_hard(ended(*actions), False), is_left_hard(ended(*actions), True)) == (left, left_of_hdr)


def test_a_query_stays_in_the_pool_of_hdr_whichever_check_failed():
    histories = [RowHistory("1", [CheckResult("1", "cot", "fail", "drop", "")], sample("1"))]
    assert (is_left_hard(histories, False), is_left_hard(histories, True)) == (False, True)


def test_a_larger_replayed_fraction_has_the_rows_of_a_smaller_one():
    rows = [{"id": f"r0/{number}"} for number in range(1000)]
    ids = {fraction: [row["id"] for row in replayed(rows, fraction)] for fraction in (0.0, 0.3, 0.6, 1.0)}
    assert ids[0.0] == [] and len(ids[1.0]) == 1000 and abs(len(ids[0.3]) - 300) < 50
    assert set(ids[0.3]) < set(ids[0.6]) and ids[0.3] == [r for r in ids[0.6] if r in ids[0.3]]


def step(*actions: tuple[str, str], name: str = "cot") -> StepFiles:
    results = [CheckResult(row, name, "pass", action, "") for row, action in actions]
    return StepFiles(name, results, [sample(row) for row, action in actions if action == "keep"])


def followed(ids: list[str], steps: list[StepFiles]) -> list[RowHistory]:
    """The histories of the rows `ids`, which entered the first step."""
    reader = HistoryReader(steps)
    histories = [reader.read(name) for name in ids]
    reader.end()
    return histories


def test_each_row_ends_once():
    steps = [step(("1", "keep"), ("2", "drop"), ("3", "keep")), step(("1", "hard"), ("3", "keep"), name="call")]
    histories = followed(["1", "2", "3"], steps)
    outcomes = {history.id: history.outcome() for history in histories}
    assert outcomes == {
        "1": Outcome("hard", "call", ""), "2": Outcome("dropped", "cot", ""), "3": Outcome("kept", "call", "")
    }  # fmt: skip
    assert [history.sample for history in histories[:2]] == [sample("1"), None]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("1", "keep")], "row 2 is missing, '2' came in"),
        ([("1", "keep"), ("2", "keep"), ("2", "keep")], "row 3 is '2', no more came in"),
        ([("1", "keep"), ("1", "keep"), ("2", "keep")], "row 2 is '1', '2' came in"),
        ([("2", "keep"), ("1", "keep")], "row 1 is '2', '1' came in"),
    ],
)
def test_rows_that_do_not_add_up_fail(rows, problem):
    with pytest.raises(DataError, match=f"cot's ledger: {problem}. Every row must have exactly one outcome"):
        followed(["1", "2"], [step(*rows)])


def test_a_sample_that_vanished_fails():
    whole = step(("1", "keep"), ("2", "keep"))
    with pytest.raises(DataError, match="cot's samples: row 2 is missing, '2' came in"):
        followed(["1", "2"], [StepFiles("cot", whole.results, whole.samples[:1])])
    with pytest.raises(DataError, match="cot's samples: row 3 is '2', no more came in"):
        followed(["1", "2"], [StepFiles("cot", whole.results, [*whole.samples, whole.samples[1]])])


def test_the_rows_of_the_source_are_counted_too():
    single = {"quarantined": 1, "skipped": 0, "conversations": 0, "turns": 0}
    check_outcomes(OUTCOME_COUNTS, 4)
    check_source(4, {"rows": 5, **single})
    check_source(4, {"rows": 3, "quarantined": 1, "skipped": 0, "conversations": 1, "turns": 3})
    for tasks, prepared in [(4, {"rows": 6}), (4, {"rows": 5, "turns": 2})]:
        with pytest.raises(DataError, match="do not add up"):
            check_source(tasks, single | prepared)
    with pytest.raises(DataError, match="do not add up"):
        check_outcomes(OUTCOME_COUNTS, 5)


def test_a_round_without_rows_fails():
    with pytest.raises(DataError, match="round r0: none of 9 rows is left .7 dropped, 2 hard."):
        refuse_empty("r0", dict.fromkeys(OUTCOME_COUNTS, 0) | {"dropped": 7, "hard": 2})
