"""A finished project through every kind of remote, each in its real protocol: DVC's objects and the responses."""

import json
import re

import pytest

from .conftest import push_to
from .servers import KINDS, serve
from .team import clone, dvc, object_of, run

pytestmark = pytest.mark.long
OUT = "data/tasks.jsonl"


@pytest.fixture(scope="module", params=KINDS)
def shared(request, finished, tmp_path_factory):
    yield from push_to(request.param, finished, tmp_path_factory)


@pytest.mark.parametrize("kind", KINDS)
def test_a_remote_starts_empty(kind, tmp_path):
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        with serve(kind, tmp_path / name) as remote:
            assert remote.holds("") == []
            remote.files.makedirs(remote.root, exist_ok=True)
            remote.files.pipe_file(f"{remote.root}/file", b"left")
            assert len(remote.holds("")) == 1


def test_a_clone_has_nothing_to_run(shared):
    bob = clone(shared, "bob")
    dvc(bob, "pull", "--run-cache")
    output = dvc(bob, "repro")
    assert "Running stage" not in output and "Data and pipelines are up to date." in output
    assert run(bob, "git", "status", "--short") == ""
    for name in (OUT, "data/r0/0_generate.jsonl", "models/teacher.json"):
        assert (bob / name).read_bytes() == (shared.ann / name).read_bytes()


def test_a_damaged_object_is_noticed(shared):
    path = f"{shared.remote.root}/{object_of(shared.ann, OUT)}"
    whole = shared.remote.files.cat_file(path)
    if "://" not in shared.remote.url:
        shared.remote.files.chmod(path, 0o644)
    shared.remote.files.pipe_file(path, whole.replace(b"query", b"Query"))
    carol = clone(shared, "carol")
    output = dvc(carol, "pull", status=1)
    shared.remote.files.pipe_file(path, whole)
    assert OUT in output and not (carol / OUT).exists()
    dvc(carol, "pull")
    assert (carol / OUT).read_bytes() == whole


def test_responses_travel(shared):
    count = json.loads(run(shared.ann, "funreason", "cache", "stats", "--json"))["responses"]
    assert f": {count} responses sent in 1 shards" in run(shared.ann, "funreason", "cache", "push")
    shards = shared.remote.holds("funreason/responses")
    assert [re.sub("^.*/[0-9a-f]{64}", "", path) for path in shards] == [".jsonl.gz", ".keys"]
    assert f" 0 responses sent in 0 shards, {count} were there" in run(shared.ann, "funreason", "cache", "push", "team")
    dave = clone(shared, "dave")
    assert f": {count} new responses from 1 of 1 shards" in run(dave, "funreason", "cache", "pull")
    assert ": 0 new responses from 0 of 1 shards" in run(dave, "funreason", "cache", "pull", "team")
    assert shared.remote.holds("funreason/responses") == shards


def test_without_credentials_one_line_says_so(shared):
    if not shared.remote.secrets:
        pytest.skip("a folder asks for no credentials")
    output = run(clone(shared, "eve", secrets=False), "funreason", "cache", "pull", status=1, HOME=str(shared.folder))
    assert output.count("\n") == 1 and "credentials (`dvc remote modify --local" in output


def test_a_clean_up_of_the_remote_leaves_the_shards(shared):
    """`dvc gc --cloud` looks for objects by their names; ours are none."""
    run(shared.ann, "funreason", "cache", "push")
    shards = shared.remote.holds("funreason")
    assert shards
    dvc(shared.ann, "gc", "--workspace", "--cloud", "--force")
    assert shared.remote.holds("funreason") == shards
