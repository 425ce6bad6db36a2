"""The toy world is what the README says it is: rich enough, split cleanly, defects planted where the label says."""

import json
from collections import Counter
from hashlib import sha256
from itertools import islice
from random import Random

import pytest

from funreason.calls import CallSyntaxError, parse, validate
from funreason.core.jsonio import read_jsonl
from funreason.toy.code_world import sample_split
from funreason.toy.corpus import split_of, stream, tool_drill, training_episode, training_stream
from funreason.toy.defects import CAUGHT_BY, sample_case
from funreason.toy.episodes import SHAPES, sample_episode
from funreason.toy.judging import comparison, sample_judged
from funreason.toy.reasoning import chain_of_thought
from funreason.toy.slots import KINDS
from funreason.toy.tools import catalog, split
from funreason.toy.world import write_world

SETTINGS = {"seed": 3, "pool_rows": 300, "planted_fraction": 0.3, "heldout_rows": 60, "judge_rows": 10, "code_rows": 20}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, **SETTINGS)
    return folder


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json*")}


def heldout_queries(folder):
    return {row["question"][0][0]["content"] for path in folder.glob("*.json") for row in read_jsonl(path)}


def test_the_catalog_is_rich():
    known, new = split()
    assert len({tool.name for tool in catalog()}) == len(catalog()) >= 200
    assert len({tool.category for tool in catalog()}) >= 15
    assert len(known) + len(new) == len(catalog()) and len(new) >= 40
    types = {
        parameter["type"].removesuffix(", optional")
        for tool in catalog()
        for parameter in tool.xlam()["parameters"].values()
    }
    assert types == {"str", "int", "float", "bool", "List[str]", "List[int]", "Dict[str, Any]"}


def test_equal_seeds_give_equal_bytes(world, tmp_path):
    write_world(tmp_path, **SETTINGS)
    assert files_of(tmp_path) == files_of(world)
    write_world(tmp_path, **SETTINGS | {"seed": 4})
    assert files_of(tmp_path) != files_of(world)


def test_splits_share_no_query_and_new_tools_are_unseen(world):
    pool = {row["query"] for row in read_jsonl(world / "pool.jsonl")}
    known, new = heldout_queries(world / "known"), heldout_queries(world / "new")
    rng = Random(0)
    trained = {training_episode(shape, rng, True).query for shape in SHAPES for _ in range(100)}
    for left, right in ((pool, known), (pool, new), (known, new), (pool, trained), (known | new, trained)):
        assert not left & right
    new_names = {tool.name for tool in split()[1]}
    pool_names = {tool["name"] for row in read_jsonl(world / "pool.jsonl") for tool in json.loads(row["tools"])}
    assert not pool_names & new_names
    prompt_names = {
        tool["name"] for path in (world / "new").glob("*.json") for row in read_jsonl(path) for tool in row["function"]
    }
    assert prompt_names <= new_names


def test_clean_answers_parse_and_fit_their_schemas():
    rng = Random(1)
    for shape in SHAPES[:-1]:
        for _ in range(50):
            episode = sample_episode(shape, *[split()[0]] * 2, rng)
            calls = parse(episode.answer())
            assert [(call.name, call.arguments) for call in calls] == [
                (call["name"], call["arguments"]) for call in episode.calls()
            ]
            assert validate(calls, episode.xlam_tools()) == []


def test_reasoning_names_every_function_and_value():
    rng = Random(2)
    for shape in SHAPES[:-1]:
        episode = sample_episode(shape, *[split()[0]] * 2, rng)
        cot = chain_of_thought(episode, rng)
        for step in episode.steps:
            assert step.tool.name in cot
            assert all(value.text in cot for _, value in step.arguments)


def test_two_calls_of_one_episode_never_share_the_word_before_a_value():
    rng = Random(5)
    for shape in ("parallel", "parallel_multiple"):
        for _ in range(50):
            episode = sample_episode(shape, *[split()[0]] * 2, rng)
            wordings = [(slot, value.wording) for step in episode.steps for slot, value in step.arguments]
            assert len(episode.steps) > 1 and len(set(wordings)) == len(wordings)


def test_the_wordings_of_all_values_have_a_last_word_of_their_own():
    last = [wording.split("{}")[0].split()[-1] for kind in KINDS.values() for wording in kind.wordings]
    assert len(set(last)) == len(last)


def test_the_drills_say_what_holds():
    rng = Random(6)
    for _ in range(50):
        messages, reply = tool_drill(rng)
        for line in reply.removesuffix(".").split(". "):
            wanted, tool = line.split(": ")
            assert (f'"{wanted.replace(" the ", "_").replace(" ", "_")}"' in messages[0]["content"]) is (tool != "None")
        line, same = comparison("query", split()[0], rng)
        assert line.endswith("same." if same else "different.")


@pytest.mark.parametrize("defect", CAUGHT_BY)
def test_a_planted_defect_is_really_there(defect):
    rng = Random(3)
    for _ in range(30):
        case = sample_case(defect, *[split()[0]] * 2, rng)
        assert case.defect == defect
        right = [step.call() for step in case.episode.steps]
        if defect == "unsolvable":
            assert case.episode.steps[0].tool not in case.episode.tools
        elif defect == "missing_value":
            assert any(set(step.tool.required) - {slot for slot, _ in step.arguments} for step in case.episode.steps)
        elif defect == "bad_cot":
            assert case.reasoned != case.steps and case.answer == case.episode.answer()
        elif defect.startswith("wrong_"):
            assert [step.call() for step in case.steps] != right and case.reasoned == case.steps
        elif defect == "format_space":
            assert case.answer.startswith("[ ")
        else:
            with pytest.raises(CallSyntaxError):
                assert not parse(case.answer)


@pytest.mark.parametrize("check", ["response", "query_tool", "cot", "call", "format"])
@pytest.mark.parametrize("passed", [True, False])
def test_the_judge_is_taught_the_hidden_label(check, passed):
    rng = Random(4)
    for _ in range(30):
        _, reply, case = sample_judged(check, passed, *[split()[0]] * 2, rng)
        assert f"<judge>{passed}</judge>" in reply
        if check in ("call", "format") and not passed:
            assert f"<NewFC>{case.episode.answer()}</NewFC>" in reply


def test_pool_labels_match_rows_and_the_planted_fraction(world):
    pool, labels = (list(read_jsonl(world / name)) for name in ("pool.jsonl", "pool_labels.jsonl"))
    assert [row["id"] for row in pool] == [row["id"] for row in labels]
    planted = Counter(row["defect"] for row in labels)
    assert set(planted) == {None, *CAUGHT_BY}
    assert 0.2 < 1 - planted[None] / len(labels) < 0.4


def test_code_solutions_pass_their_own_tests_and_splits_are_apart(world):
    names = [set(), set()]
    for at, name in enumerate(("code_train", "code_heldout")):
        for row in read_jsonl(world / f"{name}.jsonl"):
            scope: dict = {}
            exec(row["prompt"] + row["canonical_solution"] + "\n" + row["test"], scope)
            scope["check"](scope[row["entry_point"]])
            names[at].add(row["prompt"].split('"""')[1].splitlines()[0])
    assert not names[0] & names[1]
    assert all(task.held_out for task in sample_split(True, 20, Random(0)))


def test_a_training_stream_is_of_the_train_split():
    rng = Random(6)
    assert {split_of(training_episode("simple", rng, True).query) for _ in range(50)} == {"train"}


# Hashes of the first 50 pairs: a word or a draw that changes makes the committed toy models those of another world.
STREAMS = {
    "trunk": "7e6b76e9b5a9d07caf5d43e9b8256a0ffb6c6fa3deb9f2a8f3275d14cb27b1b1",
    "teacher": "af8c5a96918e0c2b66a3b2abecad08ef1f7b4c883001321005fa3c74962c1fbb",
    "judge": "ac2c2f6f28a9916b3d1e83b27f54315b0eab5fec1bbbd963835b0300620b5897",
    "base": "02ab66e3313b5ed57ab8ce231bcda1a33d0c6903507b487312c2c7c580f7e5fc",
}


@pytest.mark.parametrize("role", STREAMS)
def test_the_training_streams_are_those_of_the_committed_models(role):
    """Where the change is wanted: `make toy-models`, then the hashes that this test finds."""
    pairs = [*islice(stream(role, 0), 50), *islice(training_stream(role, 1), 50)]
    assert sha256(json.dumps(pairs).encode()).hexdigest() == STREAMS[role]
