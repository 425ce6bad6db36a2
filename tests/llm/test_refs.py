"""Which model a path names, and that its identity follows the content."""

import json
import shutil

import pytest

from funreason.core.errors import ModelError
from funreason.llm import folder_identity, load_ref


@pytest.fixture
def checkpoint(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "checkpoint", copy_function=shutil.copy)  # other times


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
def test_identity_changes_with_every_file_the_output_depends_on(checkpoint, name):
    before = folder_identity(checkpoint)
    with open(checkpoint / name, "ab") as file:
        file.write(b" ")
    assert folder_identity(checkpoint) != before


def test_identity_ignores_place_and_the_trainers_own_files(checkpoint, tiny_model):
    (checkpoint / "training_args.bin").write_bytes(b"x")
    (checkpoint / "README.md").write_text("x")
    assert folder_identity(checkpoint) == folder_identity(tiny_model)


def test_a_checkpoint_folder_and_its_descriptor_are_the_same_model(checkpoint, tmp_path):
    folder = load_ref(checkpoint)
    descriptor = {"kind": "local", "path": str(checkpoint), "revision": None, "identity": folder.identity}
    (tmp_path / "teacher.json").write_text(json.dumps(descriptor))
    assert load_ref(tmp_path / "teacher.json") == folder


def test_a_hub_descriptor_keeps_id_and_commit(tmp_path):
    descriptor = {"kind": "hub", "hub": "a/b", "revision": "c0ffee", "identity": "hub:a/b@c0ffee"}
    (tmp_path / "teacher.json").write_text(json.dumps(descriptor))
    ref = load_ref(tmp_path / "teacher.json")
    assert (ref.name_or_path, ref.revision, ref.identity, ref.kind) == (
        "a/b",
        "c0ffee",
        "hub:a/b@c0ffee",
        "hub",
    )


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "no such checkpoint folder"),
        ("{", "is not a JSON descriptor"),
        ('{"kind": "cloud", "identity": "x"}', "'cloud', allowed are local, hub, server"),
        ('{"kind": "local", "path": "no/where", "identity": "x"}', "'no/where', which is not a folder"),
    ],
)
def test_a_path_that_names_no_model_is_refused(tmp_path, content, words):
    if content:
        (tmp_path / "teacher.json").write_text(content)
    with pytest.raises(ModelError, match=words):
        load_ref(tmp_path / "teacher.json")


def test_a_folder_without_weights_is_refused(checkpoint):
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="safetensors"):
        load_ref(checkpoint)
