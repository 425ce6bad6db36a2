"""A judge that cannot judge is noticed after a few questions, and a good one is measured."""

from collections import Counter
from dataclasses import replace

import pytest
from llm import http_server
from llm.http_server import completion

from funreason.calls import parse, validate
from funreason.core.errors import ModelError
from funreason.core.jsonio import read_details
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.prompts import judge_messages
from funreason.refine.defects import OF_CHECKS
from funreason.refine.probes import make_probes, spread
from funreason.refine.watch import corrected_fraction

from .conftest import rows, stage, write_project
from .rows import TOOLS

CITIES = ("Ghent", "Oslo", "Bern", "Lima", "Turin", "Porto", "Cork", "Graz", "Nice", "Kiel", "Bath", "Brno", "Gaza")
RULES_ALONE = {
    "max_error": {"query_tool": 0.0, "cot": 0.0, "call": 0.0},
    "max_false": 0.0,
    "max_loss": {"query_tool": 0.0, "cot": 0.0, "call": 0.0},
}
ASK, TRUE, FALSE = "<tools>", "It fits. <judge>True</judge>", "It does not. <judge>False</judge>"


def weather(city: str, days: int) -> dict:
    response = {
        "cot": f"I use get_weather. city is {city}. days is {days}.",
        "answer": f"[get_weather(city='{city}', days={days})]",
    }
    query = f"Get the weather in {city} for {days} days, please."
    return {"id": f"{city}{days}", "query": query, "tools": TOOLS, "answers": [], "response": response}


def table(place: str, guests: int) -> dict:
    response = {
        "cot": f"I use book_table. place is {place}. guests is {guests}.",
        "answer": f"[book_table(place='{place}', guests={guests})]",
    }
    query = f"Book a table at {place} for {guests} guests, please."
    return {"id": f"{place}-{guests}", "query": query, "tools": TOOLS, "answers": [], "response": response}


SOURCE = [row for at, city in enumerate(CITIES) for row in (weather(city, at + 2), table(f"Chez {city}", at + 2))]
SAMPLES = [Sample(row["id"], row["query"], TOOLS, **row["response"]) for row in SOURCE]


@pytest.mark.parametrize("check", list(OF_CHECKS))
def test_each_probe_has_a_sound_row_and_the_same_row_with_one_defect(check):
    probes = make_probes(check, SAMPLES, 12)
    assert len(probes) == 24 and probes == make_probes(check, SAMPLES, 12)
    for sound, bad in zip(probes[::2], probes[1::2], strict=True):
        assert (sound.sound, bad.sound) == (True, False) and bad.defect in OF_CHECKS[check]
        before, after = sound.question.sample, bad.question.sample
        assert before.id == after.id and before != after
        changed = [
            name for name in ("query", "tools", "cot", "answer") if getattr(before, name) != getattr(after, name)
        ]
        assert changed == [{"query_tool": "tools", "cot": "cot"}.get(check, "answer")]
        assert heuristic_result(check, before).value is True
    kinds = Counter(probe.defect for probe in probes if not probe.sound)
    assert len(kinds) == len(OF_CHECKS[check]) and max(kinds.values()) - min(kinds.values()) <= 1


@pytest.mark.parametrize("check", list(OF_CHECKS))
def test_no_two_planted_probes_put_the_same_question_to_a_judge(check):
    """Else a judge with one right reply would count as right on all of them."""
    planted = [probe.question.sample for probe in make_probes(check, SAMPLES, 12) if not probe.sound]
    prompts = {
        str(judge_messages(check, query=sample.query, tools=sample.tools, cot=sample.cot, answer=sample.answer))
        for sample in planted
    }
    assert len(prompts) == len(planted) == 12


def test_planted_calls_are_wrong_for_their_tools_or_their_query():
    probes = make_probes("call", SAMPLES, 12)
    for sound, probe in zip(probes[::2], probes[1::2], strict=True):
        sample = probe.question.sample
        before, call = parse(sound.question.sample.answer)[0], parse(sample.answer)[0]
        stated = all(str(value) in sample.query for value in call.arguments.values())
        assert call.name != before.name or validate([call], sample.tools) or not stated, probe


def test_rows_that_cannot_carry_a_defect_make_no_probe():
    lonely = [replace(SAMPLES[0], tools=[tool for tool in TOOLS if tool["name"] == "get_weather"])]
    assert make_probes("query_tool", lonely, 4) == [] == make_probes("cot", lonely, 4)


def test_the_first_look_takes_rows_of_all_sizes():
    sized = [replace(SAMPLES[0], id=str(size), query="x" * size) for size in range(100)]
    lengths = [len(sample.query) for sample in spread(sized, 10)]
    assert lengths == list(range(0, 100, 10)) and len(list(spread(sized[:3], 10))) == 3


def test_the_fraction_of_sound_rows_is_corrected_as_rogan_and_gladen_do():
    """80 % True of a judge with sensitivity 0.9 and specificity 0.8: (0.8 + 0.8 - 1) / (0.9 + 0.8 - 1)."""
    got = corrected_fraction(
        Counter({True: 800, False: 200}), Counter({True: 90, False: 10}), Counter({True: 20, False: 80})
    )
    assert got["value"] == round(0.6 / 0.7, 4) and got["low"] < got["value"] < got["high"]
    wide = corrected_fraction(Counter({True: 8, False: 2}), Counter({True: 9, False: 1}), Counter({True: 2, False: 8}))
    assert wide["high"] - wide["low"] > got["high"] - got["low"]
    chance = Counter({True: 5, False: 5})
    assert corrected_fraction(chance, chance, chance) is None and corrected_fraction(chance, Counter(), chance) is None


def test_the_interval_holds_the_truth_nineteen_times_in_twenty():
    """Drawn judges: 70 % of the rows are sound, sensitivity 0.85, specificity 0.75, 40 probes of each kind."""
    from random import Random

    rng, held = Random(1), 0
    for _ in range(400):
        true_rate = 0.7 * 0.85 + 0.3 * 0.25
        counts = [
            Counter(rng.random() < rate for _ in range(n)) for rate, n in ((true_rate, 300), (0.85, 40), (0.25, 40))
        ]
        got = corrected_fraction(*counts)
        held += got is not None and got["low"] <= 0.7 <= got["high"]
    assert 0.92 <= held / 400 <= 0.99


def judged_by(project, answer, check="query_tool", source=SOURCE, mode="judge", **watch) -> list[str]:
    """Run one check with a server as its judge; the prompts that it was asked."""
    with http_server.serve(answer=answer) as server:
        write_project(project, server.url, source, fcdr={"mode": mode, "verifier": RULES_ALONE})
        params = (project / "params.yaml").read_text().replace("rows: 0", f"rows: {watch.pop('rows', 16)}")
        for name, value in watch.items():
            params = params.replace(f"{name}: ", f"{name}: {value} #")
        (project / "params.yaml").write_text(params)
        stage("generate", "r0")
        for name in ("response", "query_tool", "cot", "call", "format"):
            (project / f"data/r0/{name}").parent.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(("response", "query_tool", "cot", "call")):
            rows_file = project / f"data/r0/{number + 1}_{name}.jsonl"
            rows_file.write_text((project / "data/r0/0_generate.jsonl").read_text())
        try:
            stage("refine", check, "r0")
        finally:
            asked = [body["messages"][-1]["content"] for body in server.asked]
    return asked


def fits(body: dict) -> bool:
    """What a good judge of query and tools says: whether the tool that the query needs is there."""
    text = body["messages"][-1]["content"]
    return ("get_weather" if "weather in" in text.rpartition("<query>")[2] else "book_table") in text


def test_a_good_judge_works_on_and_is_measured(project):
    asked = judged_by(project, lambda body: completion(TRUE if fits(body) else FALSE))
    found = read_details(project / "metrics/r0/2_query_tool.json")["judges"]["judge"]
    assert found["probes"] == {"sound": 16, "planted": 16} and found["sensitivity"] == found["specificity"] == 1
    assert found["judged"] == len(SOURCE) and found["sound_fraction"]["value"] == 1.0
    assert len(asked) == len(SOURCE) + 16, "a question of the first look is not asked twice"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("Let me think about this.", "have no readable verdict .* one such reply begins 'Let me .*now 256"),
        (TRUE, "all of its first .* replies say True, those on planted defects as well"),
        (FALSE, "all of its first .* replies say False"),
    ],
)
def test_a_judge_that_cannot_judge_stops_the_stage_after_a_few_questions(project, reply, message):
    with pytest.raises(ModelError, match=f"judge 'judge' of the check query_tool: .*{message}"):
        judged_by(project, lambda body: completion(reply))
    assert not (project / "data/r0/2_query_tool.ledger.jsonl").exists() or not rows("data/r0/2_query_tool.ledger.jsonl")


def test_a_judge_that_guesses_stops_the_stage(project):
    """It answers by the length of the prompt, not by what it says."""
    with pytest.raises(ModelError, match=r"accepts \d+ of 1\d sound probes and refuses"):
        judged_by(project, lambda body: completion(TRUE if len(body["messages"][-1]["content"]) % 2 else FALSE))


def test_limits_that_are_loosened_let_it_pass(project):
    judged_by(project, lambda body: completion(TRUE if len(body["messages"][-1]["content"]) % 2 else FALSE),
              min_informedness=-1)  # fmt: skip
    judged = read_details(project / "metrics/r0/2_query_tool.json")["judges"]["judge"]
    assert judged["judged"] == len(SOURCE)


def unclear(rows: list[dict]) -> list[dict]:
    """The rows, asked for in words that the rules do not know."""
    return [row | {"query": f"Wie wird es in {row['id']}?"} for row in rows]


def test_a_cascade_looks_at_no_judge_that_has_nothing_to_decide(project):
    """The heuristics decide all rows but nine: so few say nothing of a judge, and are asked without a first look."""
    asked = judged_by(project, lambda body: completion(FALSE), source=SOURCE[9:] + unclear(SOURCE[:9]), mode="cascade")
    assert len(asked) == 9 and all("Wie wird" in prompt for prompt in asked)


def test_a_cascade_looks_at_its_judge_on_the_rows_that_it_will_be_asked_about(project):
    source = SOURCE[:13] + unclear(SOURCE[13:])
    with pytest.raises(ModelError, match="all of its first 39 replies say True"):
        judged_by(project, lambda body: completion(TRUE), source=source, mode="cascade")


def test_a_cascade_asks_no_question_of_its_first_look_twice(project):
    source = SOURCE[:13] + unclear(SOURCE[13:])
    good = lambda body: completion(TRUE if "Wie wird" in str(body) or fits(body) else FALSE)  # noqa: E731
    asked = judged_by(project, good, source=source, mode="cascade")
    assert sum("Wie wird" in prompt for prompt in asked) == 13 and len(asked) == 39  # 13 rows, 26 probes
