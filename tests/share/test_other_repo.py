"""The finished files of one repository in another: `dvc import`, `dvc get`, `dvc.api.open`."""

import sys

import pytest

from .conftest import push_to
from .team import dvc, run

pytestmark = pytest.mark.long

OPEN = """
import sys, dvc.api
with dvc.api.open("data/tasks.jsonl", repo=sys.argv[1], encoding="utf-8") as file:
    sys.stdout.write(file.read())
"""


@pytest.fixture(scope="module")
def on_s3(finished, tmp_path_factory):
    yield from push_to("s3", finished, tmp_path_factory)


@pytest.fixture(scope="module")
def url(on_s3) -> str:
    """Of a repository that has no file of DVC's but what git keeps: files come from the remote."""
    hub = on_s3.folder / "hub.git"
    run(on_s3.ann, "git", "clone", "-q", "--bare", on_s3.ann, hub)
    return f"file://{hub}"


@pytest.fixture
def consumer(on_s3, tmp_path, monkeypatch):
    """A DVC project of its own, whose owner has the credentials of the other's remote in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", on_s3.remote.secrets["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", on_s3.remote.secrets["secret_access_key"])
    project = tmp_path / "consumer"
    project.mkdir()
    run(project, "git", "init", "-q")
    dvc(project, "init", "-q")
    return project


def test_import_keeps_where_a_file_came_from(on_s3, url, consumer):
    dvc(consumer, "import", url, "data/tasks.jsonl")
    dvc(consumer, "import", url, "data/toy/known")
    assert (consumer / "tasks.jsonl").read_bytes() == (on_s3.ann / "data/tasks.jsonl").read_bytes()
    head = run(on_s3.ann, "git", "rev-parse", "HEAD").strip()
    assert head in (consumer / "tasks.jsonl.dvc").read_text()
    names = sorted(path.name for path in (on_s3.ann / "data/toy/known").iterdir())
    assert sorted(path.name for path in (consumer / "known").iterdir()) == names
    assert "up to date" in dvc(consumer, "status")


def test_get_brings_the_files_alone(on_s3, url, consumer):
    dvc(consumer, "get", url, "data/r0/0_generate.jsonl", "-o", "answers.jsonl")
    assert (consumer / "answers.jsonl").read_bytes() == (on_s3.ann / "data/r0/0_generate.jsonl").read_bytes()
    assert not (consumer / "answers.jsonl.dvc").exists()


def test_open_reads_without_a_copy(on_s3, url, consumer):
    output = run(consumer, sys.executable, "-c", OPEN, url)
    assert output == (on_s3.ann / "data/tasks.jsonl").read_text(encoding="utf-8")
