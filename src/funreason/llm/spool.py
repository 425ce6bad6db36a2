"""The requests that wait for an engine, on the disk: a million of them take no memory but their keys.

SQLite keeps small spools in memory and sorts large ones on the disk; the file has no name and dies with the process.
"""

import pickle
import sqlite3
from collections.abc import Iterable, Iterator

from funreason.llm.request import Job

KEY = 32  # bytes of a key


class Spool:
    """All keys in the order of the requests, and the jobs that are to be asked, each once."""

    def __init__(self):
        self._keys = bytearray()
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA synchronous=OFF")  # nobody reads it after a crash
        self._database.execute("CREATE TABLE todo (key BLOB UNIQUE, prompt TEXT, request BLOB, seed INTEGER)")
        self.todo = 0

    def __len__(self) -> int:
        return len(self._keys) // KEY

    def add(self, jobs: Iterable[Job], known: Iterable[bytes]) -> None:
        """Note all jobs' keys; those of which nothing is known are to be asked."""
        jobs = list(jobs)
        self._keys += b"".join(job.key for job in jobs)
        rows = [_row(job) for job in jobs if job.key not in known]
        if rows:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR IGNORE INTO todo VALUES (?, ?, ?, ?)", rows)
            self._database.execute("COMMIT")
            self.todo = self._database.total_changes  # only rows that were new

    def jobs(self) -> Iterator[Job]:
        """What is to be asked, in the order of the prompts: those that begin alike meet in the prefix cache."""
        select = "SELECT key, prompt, request, seed FROM todo ORDER BY prompt, rowid"
        for key, prompt, request, seed in self._database.execute(select):
            yield Job(key, pickle.loads(request), prompt, seed)

    def keys(self, size: int) -> Iterator[list[bytes]]:
        """The keys in the order of the requests, in blocks."""
        for start in range(0, len(self), size):
            block = range(start, min(start + size, len(self)))
            yield [bytes(self._keys[at * KEY : at * KEY + KEY]) for at in block]

    def close(self) -> None:
        self._database.close()


def _row(job: Job) -> tuple:
    return job.key, job.prompt, pickle.dumps(job.request), job.seed
