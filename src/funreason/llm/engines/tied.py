"""Processes that vLLM starts beside this one end with it: left alone after a kill, they would hold the GPU's memory."""

import multiprocessing
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from funreason.core.runtime import end_with_parent


@contextmanager
def tied() -> Iterator[None]:
    """What `multiprocessing` starts meanwhile is killed by the kernel when this process ends. Linux only.

    The block has to last until the new processes run their own code, as it does around vLLM, which waits for them.
    vLLM forks, or spawns where it must not fork (on a CPU, in WSL): then a script starts the new interpreter.
    """
    _tie_forks()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "python")
        script.write_text(f'#!/bin/sh\nexec setpriv --pdeathsig KILL {shlex.quote(sys.executable)} "$@"\n')
        script.chmod(0o700)
        if shutil.which("setpriv") and os.access(script, os.X_OK):  # not in a folder without execution
            multiprocessing.set_executable(str(script))
        try:
            yield
        finally:
            multiprocessing.set_executable(sys.executable)


@cache  # once per process
def _tie_forks() -> None:
    os.register_at_fork(after_in_child=end_with_parent)
