"""The rows of a data source, one after the other, whatever kind of file holds them; no file is held in memory.

`.jsonl` (one object per line), `.json` (a list, or an object with one list), both also with `.gz`, `.parquet`, a folder
of such files, and data sets of the hub.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from funreason.core.errors import DataError
from funreason.data.jsontext import loads

ENDINGS = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".parquet")
_WHOLE_BYTES = 2**30  # of an object with a list, which is read at once
_CHUNK = 2**20
_NOT_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)  # no gzip file, cut off, and damaged
_ABOUT = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")  # about a data set, not of it


class SourceRow(NamedTuple):
    """A row as its file holds it.

    Attributes:
        number: From 1; in a text file the number of the line.
        raw: JSON text, or a decoded value.
        file: The file in a folder, an empty text where the source is one file.
        table: Whether it comes from an Arrow table, whose nested columns give every row the keys of all rows.
    """

    number: int
    raw: Any
    file: str = ""
    table: bool = False


def read_rows(source: dict[str, Any], split: str, limit: int | None) -> Iterator[SourceRow]:
    """Yield the rows of a source.

    Args:
        source: A descriptor (see `sources`).
        split: The split of a data set of the hub, or `configuration/split`; files have none.
        limit: The number of rows to read, None for all.

    Raises:
        DataError: The source cannot be read.
    """
    rows = _hub_rows(source, split) if source["kind"] == "hub" else path_rows(Path(source["path"]))
    return islice(rows, limit)


def path_rows(path: Path) -> Iterator[SourceRow]:
    """Yield the rows of a file, or of the files of a folder in the order of their names. Raises DataError."""
    if not path.is_dir():
        return _file_rows(path)
    return (row._replace(file=str(file.relative_to(path))) for file in folder_files(path) for row in _file_rows(file))


def folder_files(folder: Path) -> list[Path]:
    """The data files in a folder and the folders in it, in the order of their names.

    Raises:
        DataError: There is none.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(ENDINGS))
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    files = [path for path in files if path.name not in _ABOUT]
    if not files:
        raise DataError(f"{folder} holds no data file; files that are read end in {', '.join(ENDINGS)}")
    return files


def _file_rows(path: Path) -> Iterator[SourceRow]:
    name = path.name.removesuffix(".gz")
    if name.endswith(".jsonl"):
        return _lines(path)
    if name.endswith(".json"):
        return _json_rows(path)
    if name.endswith(".parquet"):
        return _parquet_rows(path)
    raise DataError(f"{path} ends in {path.suffix!r}; files that are read end in {', '.join(ENDINGS)}")


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")  # type: ignore[return-value]


def _lines(path: Path) -> Iterator[SourceRow]:
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                line = line.removeprefix(b"\xef\xbb\xbf").strip()
                if line:
                    yield SourceRow(number, line)
    except _NOT_GZIP as error:
        raise _not_gzip(path, error) from None


def _json_rows(path: Path) -> Iterator[SourceRow]:
    """The rows of a list; of an object with one list; or, as many data sets are published, of one object per line."""
    try:
        with _open(path) as file:
            head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith(b"["):
            yield from _elements(path)
        elif _first_line_is_a_row(path):
            yield from _lines(path)
        else:
            yield from _inner_list(path)
    except _NOT_GZIP as error:
        raise _not_gzip(path, error) from None


def _not_gzip(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is not a whole gzip file ({error}); copy it anew")


def _first_line_is_a_row(path: Path) -> bool:
    with _open(path) as file:
        lines = (line.strip() for line in file)
        first, second = next(filter(None, lines), b""), next(filter(None, lines), b"")
    try:
        return isinstance(json.loads(first.removeprefix(b"\xef\xbb\xbf")), dict) and second.startswith(b"{")
    except ValueError:
        return False


def _inner_list(path: Path) -> Iterator[SourceRow]:
    with _open(path) as file:
        data = file.read(_WHOLE_BYTES + 1)
    if len(data) > _WHOLE_BYTES:
        raise DataError(f"{path} is an object of more than {_WHOLE_BYTES} bytes; write its rows as .jsonl")
    try:
        value = loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({error}); correct it, or write one object per line as .jsonl") from None
    lists = {key: item for key, item in value.items() if isinstance(item, list)} if isinstance(value, dict) else {}
    if len(lists) != 1:
        what = (
            f"an object with {len(lists)} lists ({', '.join(lists) or 'none'})"
            if isinstance(value, dict)
            else type(value).__name__
        )
        raise DataError(f"{path} holds {what}, expected a list of rows, or an object with one list")
    return (SourceRow(number, row) for number, row in enumerate(next(iter(lists.values())), 1))


def _elements(path: Path) -> Iterator[SourceRow]:
    """The elements of a list, decoded one by one: files of many gigabytes are lists."""
    decoder = json.JSONDecoder()
    with _open(path) as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8")
        text, at, number, ended = _more(file, path), 0, 0, False
        at = text.index("[") + 1
        while True:
            at = _skip(text, at, " \t\r\n,")
            if text[at : at + 1] == "]":
                if rest := (text[at + 1 :] + _more(file, path)).strip():
                    remedy = "write one list, or one object per line as .jsonl"
                    raise DataError(f"{path} goes on after its list ({rest[:40]!r}); {remedy}")
                return
            try:
                _, end = decoder.raw_decode(text, at)
                if end == len(text) and not ended:  # a number may go on
                    raise ValueError("cut")
            except (ValueError, RecursionError) as error:
                more = "" if isinstance(error, RecursionError) else _more(file, path, max(_CHUNK, len(text) - at))
                if not more:
                    if ended or isinstance(error, RecursionError) or at >= len(text):
                        raise _not_json(path, number + 1, error) from None
                    ended = True
                text, at = text[at:] + more, 0
                continue
            number += 1
            yield SourceRow(number, text[at:end].encode())
            at = end


def _more(file: io.TextIOWrapper, path: Path, size: int = _CHUNK) -> str:
    try:
        return file.read(size)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error.reason}); convert it to UTF-8") from None


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _not_json(path: Path, number: int, error: Exception) -> DataError:
    return DataError(f"{path} is not JSON (row {number}: {error}); correct it, or write one object per line as .jsonl")


def _parquet_rows(path: Path) -> Iterator[SourceRow]:
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        rows = (row for batch in file.iter_batches(batch_size=512) for row in batch.to_pylist(maps_as_pydicts="strict"))
        yield from (SourceRow(number, row, table=True) for number, row in enumerate(rows, 1))
    except (pyarrow.ArrowException, OSError, KeyError) as error:  # KeyError: a map with one key twice
        if getattr(error, "errno", None):  # a problem of this machine, not of the file
            raise
        raise DataError(f"{path} is not a Parquet file ({' '.join(str(error).split())}); copy it anew") from None


def _hub_rows(source: dict[str, Any], split: str) -> Iterator[SourceRow]:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HTTPError

    configuration, _, name = split.rpartition("/")
    try:
        rows = load_dataset(source["hub"], configuration or None, revision=source["revision"], split=name)
    except (DatasetsError, HTTPError, OSError, ValueError) as error:  # ValueError: the split does not exist
        if getattr(error, "errno", None):  # a problem of this machine (a full disk), not of the hub
            raise
        reason = " ".join(str(error).split())
        remedy = "correct data.split (or configuration/split), or download its files and give their folder as data.path"
        raise DataError(f"data set {source['hub']!r}, split {split!r} does not load: {reason}; {remedy}") from None
    return (SourceRow(number, row, table=True) for number, row in enumerate(rows, 1))
