"""A seccomp filter: the kernel's calls that a sandboxed program cannot use, as a BPF program for bwrap's --seccomp.

Denied is what no honest program of a benchmark needs and what goes round another limit: memory that belongs to no
process (memfd, System V, shared mappings without a file), new namespaces (all capabilities inside), io_uring,
userfaultfd, keyrings, and the hold on another process of the same user (ptrace, its memory, its limits, its priority).
"""

import errno
import platform
import struct

# name: (number on x86_64, number on aarch64)
_DENIED = {
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semctl": (66, 191),
    "msgget": (68, 186), "msgctl": (71, 187), "mq_open": (240, 180), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272), "move_pages": (279, 239),
    "migrate_pages": (256, 238), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "bpf": (321, 280), "perf_event_open": (298, 241), "unshare": (272, 97),
    "setns": (308, 268), "fanotify_init": (300, 262),
}  # fmt: skip
_CLONE3 = (435, 435)  # its flags lie in memory, where a filter cannot look: glibc takes `clone` where it is missing
_CLONE, _MMAP = (56, 220), (9, 222)
_ONLY_SELF = {  # the arguments that must be 0: the process itself
    "prlimit64": ((302, 261), (0,)),
    "sched_setaffinity": ((203, 122), (0,)),
    "sched_setparam": ((142, 118), (0,)),
    "sched_setscheduler": ((144, 119), (0,)),
    "sched_setattr": ((314, 274), (0,)),
    "setpriority": ((141, 140), (0, 1)),
    "ioprio_set": ((251, 30), (1,)),
}
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_SHARED, _ANONYMOUS = 0x01, 0x20  # MAP_SHARED_VALIDATE is 3, and has the bit of MAP_SHARED, too
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # (column above, AUDIT_ARCH)
_X32 = 0x40000000  # numbers from here on are another table of the same kernel

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH = 0, 4  # offsets in struct seccomp_data


def bpf_program(machine: str | None = None) -> bytes:
    """The filter as an array of struct sock_filter.

    Args:
        machine: x86_64 or aarch64; None for this one.

    Returns:
        The program; empty for another machine, whose numbers are not known here.
    """
    column, arch = _MACHINES.get(machine or platform.machine(), (0, 0))
    if not arch:
        return b""
    deny, missing = _ret(_ERRNO | errno.EPERM), _ret(_ERRNO | errno.ENOSYS)
    code = [_op(_LOAD, _ARCH), _op(_EQUAL, arch, 1, 0), _ret(_KILL), _op(_LOAD, _NUMBER)]
    code += [_op(_AT_LEAST, _X32, 0, 1), missing]
    for numbers in _DENIED.values():
        code += [_op(_EQUAL, numbers[column], 0, 1), deny]
    code += [_op(_EQUAL, _CLONE3[column], 0, 1), missing]
    code += _block(_CLONE[column], [_op(_LOAD, _low(0)), _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1), deny])
    both = _SHARED | _ANONYMOUS
    code += _block(_MMAP[column], [_op(_LOAD, _low(3)), _op(_AND, both), _op(_EQUAL, both, 0, 1), deny])
    for numbers, arguments in _ONLY_SELF.values():
        checks = [part for n in arguments for part in (_op(_LOAD, _low(n)), _op(_EQUAL, 0, 1, 0), deny)]
        code += _block(numbers[column], checks)
    return b"".join([*code, _ret(_ALLOW)])


def _block(number: int, checks: list[bytes]) -> list[bytes]:
    """`checks` for the call of that number, which is allowed where none of them returns."""
    body = [*checks, _ret(_ALLOW)]
    return [_op(_EQUAL, number, 0, len(body)), *body]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _ret(value: int) -> bytes:
    return _op(_RETURN, value)


def _low(argument: int) -> int:
    """The offset of the low 32 bits of an argument, on a little-endian machine."""
    return 16 + 8 * argument
