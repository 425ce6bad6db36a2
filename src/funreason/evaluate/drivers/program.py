"""Run one program for the check of another process: arguments come in, results go out as plain built-in values.

Run as: python program.py READ_FD WRITE_FD (see remote.py). This process starts anew and never sees a test or an
expected value, so a program can find none here, and nothing that it does to Python changes the check.
"""

import collections.abc
import decimal
import fractions
import io
import operator
import os
import pickle
import struct
import sys
from itertools import chain

ATOMS = {
    type(None), bool, int, float, complex, str, bytes, bytearray, type(...), range, decimal.Decimal, fractions.Fraction
}  # fmt: skip
CONTAINERS = {list, tuple, set, frozenset}
MAX_ITEMS = 1_000_000  # of an iterator


class Opaque:
    """In place of an object that is not a plain value: it is there, and equals nothing."""

    made = 0

    def __init__(self) -> None:
        Opaque.made += 1


def plain(value: object) -> object:
    """The value of plain built-in types, all the way down; Opaque where it is anything else."""
    kind = type(value)
    if kind in ATOMS:
        return value
    # Tests of MBPP+ return 128 million items, or 1.7 million tuples: what is plain already is not walked in Python.
    if kind in CONTAINERS:
        kinds = set(map(type, value))
        if kinds <= ATOMS or (kinds <= CONTAINERS and ATOMS.issuperset(map(type, chain.from_iterable(value)))):
            return value
    for base in (int, float, complex, str, bytes):
        if isinstance(value, base):
            return base.__getnewargs__(value)[0] if base is not complex else complex(value.real, value.imag)
    for base in (list, tuple, set, frozenset):
        if isinstance(value, base):
            items = list(map(plain, base.__iter__(value)))
            return value if kind is base and all(map(operator.is_, items, value)) else base(items)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in dict.items(value)}
    if kind.__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, collections.abc.Mapping):
        return {plain(key): plain(value[key]) for key in value}
    if isinstance(value, collections.abc.Set):
        return {plain(item) for item in value}
    if isinstance(
        value, collections.abc.Iterable
    ):  # a check that passes makes a list of it, or asks only for its items
        return [plain(item) for item, _ in zip(value, range(MAX_ITEMS), strict=False)]
    return Opaque()


class Pickler(pickle.Pickler):
    """Writes Opaque as a mark that needs no class on the other side."""

    def persistent_id(self, obj: object) -> str | None:
        """The mark of an Opaque."""
        return "opaque" if type(obj) is Opaque else None


def encode(value: object) -> memoryview:
    """A reply: its length, and its pickle."""
    buffer = io.BytesIO(bytes(8))
    buffer.seek(8)
    # The mark costs a call of Python per object.
    (Pickler if Opaque.made else pickle.Pickler)(buffer, 5).dump(value)
    view = buffer.getbuffer()
    view[:8] = struct.pack("<Q", len(view) - 8)
    return view


def reply_to(work: object, *arguments: object) -> memoryview:
    """(True, what work returns as a plain value), or (False, the name of the error's type, its message)."""
    Opaque.made = 0
    try:
        return encode((True, plain(work(*arguments))))
    except BaseException as error:
        return encode((False, type(error).__name__, str(error)[:300]))


def main() -> None:
    """Read the program and the name of its function, then a call per message until the pipe closes."""
    source, target = os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb")

    def read() -> object:
        (size,) = struct.unpack("<Q", source.read(8))
        return pickle.loads(source.read(size))

    def write(reply: memoryview) -> None:
        target.write(reply)
        target.flush()

    code, name = read()
    namespace: dict = {}

    def load() -> None:
        exec(code, namespace)
        namespace[name]

    write(reply_to(load))
    while True:
        arguments, named = read()
        write(reply_to(lambda a=arguments, n=named: namespace[name](*a, **n)))


if __name__ == "__main__":
    main()
