"""`funreason cache push | pull` over a folder: what is sent, what a kill leaves, what damage does."""

import hashlib
import multiprocessing
import shutil
import sys
from pathlib import Path

import pytest

from funreason.cache import shards
from funreason.cache.exchange import import_
from funreason.cache.remote import FOLDER, RemoteError, RemoteStore, open_store
from funreason.cache.shards import PullResult, pull, push
from funreason.cli import main as cli
from funreason.core.errors import DataError
from funreason.llm import Cache, Response

pytestmark = pytest.mark.slow


def name(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def answer(number: int) -> Response:
    return Response(f"é {number}", "stop", number, 2)


def fill(folder: Path, numbers, model: str = "sha256:one") -> Cache:
    cache = Cache(folder)
    for number in numbers:
        cache.put(name(number), answer(number), model)
    return cache


def holds(cache: Cache, numbers) -> bool:
    return cache.get(map(name, range(1000))) == {name(number): answer(number) for number in numbers}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / FOLDER).iterdir())}


@pytest.fixture
def store(tmp_path) -> RemoteStore:
    return open_store(f"{tmp_path}/remote")


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "_ROWS", 10)


class Killed(BaseException):
    """What no except clause expects."""


def killed_after(store: RemoteStore, uploads: int, monkeypatch) -> None:
    """The upload after so many others is cut in its middle."""
    left = [uploads]
    put_file = store.files.put_file

    def put(path: str, target: str) -> None:
        if left[0] == 0:
            half = Path(path).read_bytes()
            Path(target).write_bytes(half[: len(half) // 2])
            raise Killed
        left[0] -= 1
        put_file(path, target)

    monkeypatch.setattr(store.files, "put_file", put)
    monkeypatch.setattr(store.files, "rm_file", put)  # who is killed does not tidy up


def test_only_what_is_missing_travels(tmp_path, store):
    ann, bob = fill(tmp_path / "ann", range(25)), fill(tmp_path / "bob", range(20, 40))
    assert push(ann, store) == (25, 3, 0)
    before = files(tmp_path / "remote")
    assert push(bob, store) == (15, 2, 5)
    assert files(tmp_path / "remote").items() > before.items()
    assert pull(ann, store) == PullResult(new=15, shards=2, listed=5)
    assert pull(ann, store) == PullResult(new=0, shards=0, listed=5)
    assert push(ann, store) == (0, 0, 40)
    assert pull(bob, store).new == 20
    assert holds(ann, range(40)) and holds(bob, range(40))


def test_equal_responses_make_equal_shards(tmp_path):
    for folder, numbers in (("a", range(25)), ("b", reversed(range(25)))):
        push(fill(tmp_path / folder, numbers), open_store(f"{tmp_path}/{folder}/remote"))
    shard_files = files(tmp_path / "a/remote")
    assert shard_files == files(tmp_path / "b/remote") and len(shard_files) == 6
    assert {path.split(".")[0] for path in shard_files} == {
        hashlib.sha256(content).hexdigest() for path, content in shard_files.items() if path.endswith(".keys")
    }


def test_a_shard_is_an_export(tmp_path, store):
    push(fill(tmp_path / "ann", range(25)), store)
    with Cache(tmp_path / "bob") as bob:
        for path in (tmp_path / "remote" / FOLDER).glob("*.gz"):
            import_(bob, path)
        assert holds(bob, range(25))


def test_long_answers_make_short_shards(tmp_path, store, monkeypatch):
    monkeypatch.setattr(shards, "_CHARACTERS", 9)  # two answers of five characters
    assert push(fill(tmp_path / "ann", range(100, 106)), store) == (6, 3, 0)


def test_one_model_alone(tmp_path, store):
    cache = fill(tmp_path / "ann", range(5))
    fill(tmp_path / "ann", range(5, 12), "sha256:two")
    assert push(cache, store, "sha256:tw") == (7, 1, 0)
    with Cache(tmp_path / "bob") as bob:
        assert pull(bob, store).new == 7 and holds(bob, range(5, 12))


def test_an_answer_that_is_here_stays(tmp_path, store):
    push(fill(tmp_path / "ann", range(5)), store)
    with Cache(tmp_path / "bob") as bob:
        bob.put(name(3), Response("another", "stop", 1, 1), "sha256:one")
        assert pull(bob, store).new == 4
        assert bob.get([name(3)])[name(3)].text == "another"


@pytest.mark.parametrize("uploads", range(6))
def test_a_killed_push_leaves_nothing_that_looks_whole(tmp_path, store, monkeypatch, uploads):
    ann = fill(tmp_path / "ann", range(25))
    with monkeypatch.context() as patch:
        killed_after(store, uploads, patch)
        with pytest.raises(Killed):
            push(ann, store)
    with Cache(tmp_path / "bob") as bob:
        done = 10 * (uploads // 2)
        assert pull(bob, store) == PullResult(new=done, shards=done // 10, listed=done // 10)
        left = files(tmp_path / "remote")
        assert push(ann, store) == (25 - done, 3 - done // 10, done)
        assert files(tmp_path / "remote").items() > left.items()  # nothing was sent again
        assert pull(bob, store).new == 25 - done and holds(bob, range(25))


def pushed_by(folder: str, remote: str, numbers: range) -> None:
    push(fill(Path(folder), numbers), open_store(remote))


def test_people_who_push_at_once_lose_nothing(tmp_path):
    remote = f"{tmp_path}/remote"
    context = multiprocessing.get_context("spawn")
    pushed = [range(0, 60), range(0, 60), range(40, 100), range(80, 140)]  # the first two make equal shards
    people = [
        context.Process(target=pushed_by, args=(f"{tmp_path}/{number}", remote, numbers))
        for number, numbers in enumerate(pushed)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.exitcode for person in people] == [0] * 4
    with Cache(tmp_path / "bob") as bob:
        assert pull(bob, open_store(remote)).problems == [] and holds(bob, range(140))


DAMAGES = {
    "changed": lambda shard: shard[:100] + bytes([shard[100] ^ 1]) + shard[101:],
    "cut": lambda shard: shard[:-30],
    "empty": lambda shard: b"",
    "not gzip": lambda shard: b"<html>Please log in</html>",
}


@pytest.mark.parametrize("ending", [shards.SHARD, shards.KEY_LIST])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_named_and_the_others_are_taken(tmp_path, store, damage, ending):
    ann = fill(tmp_path / "ann", range(25))
    push(ann, store)
    bad = sorted((tmp_path / "remote" / FOLDER).glob(f"*{ending}"))[1]
    listed = (len(bad.with_name(bad.name.split(".")[0] + shards.KEY_LIST).read_bytes()) - 32) // 32
    bad.write_bytes(DAMAGES[damage](bad.read_bytes()))
    with Cache(tmp_path / "bob") as bob:
        result = pull(bob, store)
        assert (result.new, result.shards) == (25 - listed, 2 if ending == shards.KEY_LIST else 3)
        [problem] = result.problems
        assert bad.name in problem and "damaged" in problem
        bad.unlink()
        assert push(ann, store)[0] == listed  # the remedy
        assert pull(bob, store).problems == [] and holds(bob, range(25))


def test_another_shard_under_its_name_is_not_believed(tmp_path, store):
    push(fill(tmp_path / "ann", range(20)), store)
    one, other = sorted((tmp_path / "remote" / FOLDER).glob("*.gz"))
    shutil.copy(other, one)
    with Cache(tmp_path / "bob") as bob:
        result = pull(bob, store)
        assert result.new == 10 and one.name in result.problems[0]


def test_a_shard_that_is_gone_is_named_and_pushed_again(tmp_path, store):
    ann = fill(tmp_path / "ann", range(20))
    push(ann, store)
    gone = sorted((tmp_path / "remote" / FOLDER).glob("*.gz"))[0]
    gone.unlink()
    with Cache(tmp_path / "bob") as bob:
        assert gone.name in pull(bob, store).problems[0] and "gone" in pull(bob, store).problems[0]
        assert push(ann, store) == (10, 1, 10)
        assert pull(bob, store).problems == [] and holds(bob, range(20))


def test_a_damaged_cache_is_not_shared(tmp_path, store):
    ann = fill(tmp_path / "ann", range(5))
    ann.do(lambda database: database.execute("UPDATE responses SET text = 'other' WHERE rowid = 2"))
    with pytest.raises(DataError, match="verify --repair"):
        push(ann, store)
    assert store.names() == {}


def test_any_filesystem_of_fsspec(tmp_path):
    """memory:// is one that DVC does not offer for remotes."""
    push(fill(tmp_path / "ann", range(5)), open_store("memory://team"))
    with Cache(tmp_path / "bob") as bob:
        assert pull(bob, open_store("memory://team")).new == 5


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("foo://team/x", "foo://team/x: ValueError: Protocol not known: foo"),
        ("ssh://ann:secret@127.0.0.1:9/x", "ssh://127.0.0.1:9/x: ConnectionRefusedError"),
        ("gs://team/x", "requires 'dvc-gs' to be installed"),
        ("/proc/team", "/proc/team/funreason/responses: FileNotFoundError"),
        ("team", "not in a DVC project"),
    ],
)
def test_a_place_that_cannot_be_reached(tmp_path, monkeypatch, place, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RemoteError) as caught:
        push(fill(tmp_path / "ann", range(5)), open_store(place))
    assert message in str(caught.value) and "secret" not in str(caught.value)


def test_the_names_of_remotes(tmp_path, monkeypatch):
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    with Repo.init(no_scm=True) as repo:
        with pytest.raises(RemoteError, match="`dvc remote add -d team URL`"):
            open_store(None)
        with repo.config.edit() as config:
            config["remote"]["team"] = {"url": str(tmp_path / "remote")}
        with pytest.raises(RemoteError, match="none is DVC's default; name one of team"):
            open_store(None)
        with pytest.raises(RemoteError, match="there is no remote 'tea'; name one of team"):
            open_store("tea")
        with repo.config.edit() as config:
            config["core"]["remote"] = "team"
    assert open_store(None).shown == open_store("team").shown == f"{tmp_path}/remote/{FOLDER}"


def test_the_command_line(tmp_path, monkeypatch, capsys):
    def run(person: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setenv("FUNREASON_CACHE", str(tmp_path / person))
        monkeypatch.setattr(sys, "argv", ["funreason", "cache", *words, f"{tmp_path}/remote"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    assert run("bob", "pull")[:2] == (0, f"file://{tmp_path}/remote/{FOLDER}: no responses there yet\n")
    fill(tmp_path / "ann", range(25)).close()
    status, out, _ = run("ann", "push")
    assert status == 0 and "25 responses sent in 3 shards, 0 were there already" in out
    bad = sorted((tmp_path / "remote" / FOLDER).glob("*.gz"))[0]
    bad.write_bytes(b"")
    status, out, err = run("bob", "pull")
    assert status == 1 and "new responses from 3 of 3 shards" in out
    assert err.count("\n") == 1 and bad.name in err and "delete" in err
