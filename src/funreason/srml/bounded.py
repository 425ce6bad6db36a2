"""A chat template is a program of the model's author: one that never ends, or takes all memory, is refused.

It is rendered once in a process with limits before it is used in this one. That process imports Jinja alone.
"""

import json
import subprocess
import sys
from functools import lru_cache

from jinja2 import TemplateError

SECONDS, MEGABYTES = 5, 1024
_SCRIPT = """
import json, resource, sys
template, tokens, seconds, megabytes = json.load(sys.stdin)
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
from jinja2 import ext, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

class Generation(ext.Extension):
    tags = {"generation"}
    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(line)
    def _text(self, caller):
        return caller()

def refuse(message):
    raise ValueError(message)

chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
tool = {"type": "function", "function": {"name": "f", "description": "d",
        "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}}
called = [chat[0], {"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": "r"}]
system = {"role": "system", "content": "s"}
try:
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, ext.loopcontrols])
    env.filters["tojson"] = lambda value, **_: json.dumps(value)
    env.globals |= {"raise_exception": refuse, "strftime_now": lambda form: "26 Jul 2024"}
    compiled = env.from_string(template)
except (MemoryError, OverflowError) as error:  # Jinja computes constants here
    sys.exit(f"{type(error).__name__} {error}")
except Exception:
    sys.exit(0)
for messages in (chat[:1], chat, [system, *chat], chat[:2], called, [system, *called]):
    for tools in (None, [tool]):
        for begin in (True, False):
            try:
                size = 0
                for part in compiled.generate(messages=messages, tools=tools, add_generation_prompt=begin, **tokens):
                    size += len(part)
                    if size > 1 << 24:
                        raise MemoryError
            except (MemoryError, OverflowError, RecursionError) as error:
                sys.exit(f"{type(error).__name__} {error}")
            except Exception:
                pass
"""


class EndlessTemplate(TemplateError):
    """A chat template that does not end, or takes too much memory."""


@lru_cache(maxsize=256)
def require_bounded(template: str, tokens: tuple[tuple[str, str], ...] = ()) -> None:
    """Render short chats with a chat template in a process with limits.

    Args:
        template: Jinja.
        tokens: (name, text) of the special tokens that it may use.

    Raises:
        EndlessTemplate: It takes more than SECONDS of processor time or MEGABYTES. Other errors of the template are
            left to its users.
    """
    request = json.dumps([template, dict(tokens), SECONDS, MEGABYTES])
    try:
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], input=request, capture_output=True, text=True, timeout=20 * SECONDS
        )
        ended, reason = done.returncode == 0, (done.stderr.strip().splitlines() or [""])[-1][:200]
    except subprocess.TimeoutExpired:
        ended, reason = False, ""
    if not ended:
        limit = f"{SECONDS} s of processor time and {MEGABYTES} MB for a chat of three messages"
        raise EndlessTemplate(
            f"the chat template does not end within {limit}{f' ({reason})' if reason else ''}; "
            "give the model another chat_template.jinja"
        )
