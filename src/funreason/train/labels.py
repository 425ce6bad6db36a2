"""The rows of a round, labelled once: every process labels its part, and reads all of them from the disk."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from accelerate import PartialState
from datasets import Dataset, concatenate_datasets, load_from_disk

from funreason.core.jsonio import write_json
from funreason.srml.segments import FEATURES, LabelReport

Label = Callable[..., tuple[Dataset, LabelReport]]  # (rows, first=…), as label_rows
REPORT = "report.json"  # written last: a part without this file is half-written


def label_together(rows: Sequence[dict[str, Any]], label: Label, folder: Path) -> tuple[Dataset, LabelReport]:
    """Label rows, each by one of the processes; called on all of them.

    A training that is resumed by as many processes finds the labels, and reads them.

    Args:
        rows: The same on all processes.
        label: Labels a part of them; `first` is the place of its first row among all.
        folder: Where the parts go, which all processes can read. It belongs to these rows and this `label`.

    Returns:
        What `label` gives for all rows, in their order, the data set memory-mapped.
    """
    state = PartialState()
    parts = [folder / f"{number}-of-{state.num_processes}" for number in range(state.num_processes)]
    borders = [len(rows) * number // len(parts) for number in range(len(parts) + 1)]
    first, end = borders[state.process_index : state.process_index + 2]
    part = parts[state.process_index]
    if not (part / REPORT).exists():
        shutil.rmtree(part, ignore_errors=True)
        dataset, report = label(rows[first:end], first=first)
        dataset.save_to_disk(part)
        write_json(part / REPORT, vars(report))
    state.wait_for_everyone()
    reports = [_report(path) for path in parts]
    # A data set without rows has no file, which load_from_disk does not expect.
    labelled = [load_from_disk(path) for path, report in zip(parts, reports, strict=True) if report.used]
    whole = (
        concatenate_datasets(labelled)
        if labelled
        else Dataset.from_dict({name: [] for name in FEATURES}, features=FEATURES)
    )
    return whole, sum(reports, LabelReport())


def _report(part: Path) -> LabelReport:
    counts: dict[str, Any] = json.loads((part / REPORT).read_text())
    report = LabelReport()
    for name, value in counts.items():
        setattr(report, name, Counter(value) if isinstance(value, dict) else value)
    return report
