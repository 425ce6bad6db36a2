"""What `prepare` would make of a source, before anything is paid: formats, counts, reasons, rows as a model sees."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from funreason.calls import join_completion, render
from funreason.calls.names import NameMap
from funreason.config import MultiTurnParams
from funreason.core.errors import DataError
from funreason.core.paths import NOTHING
from funreason.core.records import Task
from funreason.data.files import ENDINGS, read_rows
from funreason.data.prepare import Tally
from funreason.data.rows import AUTO, AcceptedRow, TaskIds, read_tasks
from funreason.data.sources import resolve_source
from funreason.prompts.conversation import chat

SHOWN = 3
_TITLES = {
    "reasons": "quarantined",
    "skipped_reasons": "skipped",
    "turns_left_out": "turns left out",
    "ignored_fields": "fields with a text that nothing reads",
    "unread_types": "types that cannot be read: any value is allowed",
}
_COUNTED = {
    "with_response": "tasks with reasoning and answer: no teacher is asked",
    "without_call": "tasks whose answer is not a call",
    "renamed": "tasks with identifiers in the place of names that calls cannot write",
    "made_ids": "rows without id: made from source and content",
    "texts_left_out": "turns whose text beside calls is left out",
    "nulls_removed": "null-filled keys of an Arrow table that were removed",
}


@dataclass
class Inspection:
    """What became of the rows that were read.

    Attributes:
        name: The path or hub id.
        tally: The counts.
        shown: The first task of the first rows.
    """

    name: str
    tally: Tally = field(default_factory=Tally)
    shown: list[Task] = field(default_factory=list)

    def to_row(self) -> dict[str, Any]:
        """The inspection as a JSON object, for scripts."""
        shown = [{"id": task.id, "messages": chat(task), "answer": answer_text(task)} for task in self.shown]
        return {"source": self.name, **self.tally.metrics(), "examples": self.tally.examples, "shown": shown}

    def text(self) -> str:
        """The inspection for people."""
        return printable("\n".join([f"{self.name} {self.tally.summary()}", *self._counts(), *self._rows()]))

    def _counts(self) -> list[str]:
        counts = self.tally.counts
        lines = (
            [f"  {counts['conversations']:,} conversations with {counts['turns']:,} turns"] if counts["turns"] else []
        )
        lines += [f"  {counts[name]:,} {title}" for name, title in _COUNTED.items() if counts[name]]
        for name, title in _TITLES.items():
            of_kind = self.tally.by_name[name].most_common()
            lines += ["", f"{title}:"] if of_kind else []
            for kind, count in of_kind:
                example = self.tally.examples.get(kind, "") if name in ("reasons", "skipped_reasons") else ""
                lines.append(f"  {count:,} {kind}" + (f", as {example:.300}" if example else ""))
        return lines

    def _rows(self) -> list[str]:
        lines: list[str] = []
        for task in self.shown:
            lines += ["", f"── row {task.id}, as the model sees it", *NameMap.from_row(task.names).lines()]
            for message in chat(task):
                lines += [f"[{message['role']}]", message["content"]]
            lines += ["[assistant, to be learned]", answer_text(task)]
        return lines


def inspect_source(name: str, split: str, limit: int | None, format: str = AUTO) -> Inspection:
    """Read a source as `prepare` would, and write nothing.

    Args:
        name: A file, a folder or the id of a data set of the hub.
        split: The split of a data set of the hub, or `configuration/split`.
        limit: The number of rows to read, None for all.
        format: The format of the rows, `auto` to find it out row by row.

    Raises:
        DataError: There is no such source, or it cannot be read.
    """
    local = Path(name).exists()
    if not local and (name.endswith(ENDINGS) or name.count("/") != 1):
        raise DataError(f"no file or folder {name!r}; correct the path, or give the id of a data set, OWNER/NAME")
    chosen = MultiTurnParams(path=name if local else NOTHING, hub=None if local else name, revision=None, split=split)
    rows = read_rows(resolve_source("data", chosen), split, limit)
    out = Inspection(name)
    for row in read_tasks(rows, name, TaskIds(), format):
        out.tally.add(row)
        if isinstance(row, AcceptedRow) and len(out.shown) < SHOWN:
            out.shown.append(row.tasks[-1])
    return out


def answer_text(task: Task) -> str:
    """What is to be learned: the response of a distilled row, else the reference calls, to which a teacher reasons."""
    if task.response:
        return join_completion(task.response["cot"], task.response["answer"])
    return f"(a teacher writes reasoning and answer; reference: {_reference(task) if task.answers else 'no call'})"


def _reference(task: Task) -> str:
    try:
        return render(task.answers)
    except DataError:  # it calls what no tool declares, under a name that cannot be written
        return json.dumps(task.answers, ensure_ascii=False)


def printable(text: str) -> str:
    """The text with its control characters escaped: those of a row must not reach the terminal."""
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)
