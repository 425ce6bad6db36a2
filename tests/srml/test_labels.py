"""The rows of a round are labelled once, however many processes take part, and by a resumed training not again."""

import subprocess
import sys
from pathlib import Path

from rows import eight, row
from transformers import AutoTokenizer

from funreason.srml.segments import LabelReport, label_rows
from funreason.train.labels import label_together

ROWS = [*eight(), row("<think>never closed"), row("[f()]"), row("<think>a</think> b")]
RANK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from accelerate import PartialState
from test_labels import ROWS, labelling
from funreason.train.labels import label_together
PartialState(cpu=True, backend="gloo")
model, folder = sys.argv[2], Path(sys.argv[3])
labelled, report = label_together(ROWS, labelling(model, folder / "counts"), folder / "labels")
PartialState().wait_for_everyone()
Path(folder, f"rank-{PartialState().process_index}").write_text(repr((labelled[:], report)))
"""


def labelling(model, counts: Path):
    """Labels rows, and notes for each call where they begin and how many they are."""

    def label(rows, first):
        with open(counts, "a") as file:
            file.write(f"{first}+{len(rows)}\n")
        return label_rows(rows, AutoTokenizer.from_pretrained(model), first=first)

    return label


def test_each_process_labels_its_part(tiny_model, tmp_path):
    wanted, report = label_rows(ROWS, AutoTokenizer.from_pretrained(tiny_model))
    script = tmp_path / "rank.py"
    script.write_text(RANK)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    for _ in range(2):  # the second is a resumed training
        arguments = [script, Path(__file__).parent, tiny_model, tmp_path]
        done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert sorted((tmp_path / "counts").read_text().split()) == ["0+5", "5+6"]
        for rank in (0, 1):
            assert (tmp_path / f"rank-{rank}").read_text() == repr((wanted[:], report + LabelReport()))


def test_a_half_written_part_is_labelled_again(tiny_model, tmp_path):
    label, folder = labelling(tiny_model, tmp_path / "counts"), tmp_path / "labels"
    wanted = label_together(ROWS, label, folder)[0][:]
    (folder / "0-of-1/report.json").unlink()
    assert label_together(ROWS, label, folder)[0][:] == label_together(ROWS, label, folder)[0][:] == wanted
    assert (tmp_path / "counts").read_text() == "0+11\n" * 2
    empty = label_together([], label, tmp_path / "empty")
    assert (len(empty[0]), empty[1]) == (0, LabelReport())
