"""Import this before evalscope's ACEBench: it keeps the package from loading everything that evalscope evaluates with.

Only modules of prompts, decoding, checking and simulated APIs are imported; they need the standard library alone. What
the loop over the simulated APIs takes from the rest of evalscope (messages and a log of steps, which are not scored)
are the few classes here.
"""

import logging
import sys
import types
from importlib.util import find_spec
from itertools import count
from pathlib import Path

_ids = count()


class Message:
    """A message of a chat: its text, and who wrote it."""

    role = "assistant"

    def __init__(self, content: str = "", **_: object) -> None:
        self.content, self.id = content, str(next(_ids))


class SystemMessage(Message):
    """A system prompt."""

    role = "system"


class UserMessage(Message):
    """A message of the user."""

    role = "user"


class Anything:
    """Takes every argument and call, and keeps nothing: the log of steps, and the counts of tokens."""

    total_usage = None

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def add_event(self, **_: object) -> None:
        """A step of the log."""


class Names(type):
    """A class whose attributes are their own names."""

    def __getattr__(cls, name: str) -> str:
        return name


class EventType(metaclass=Names):
    """The kinds of steps."""


def _stub(name: str, **contents: object) -> None:
    module = types.ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


def _packages() -> None:
    """The packages around the modules that are used, without what their own `__init__` would import."""
    spec = find_spec("evalscope")
    root = Path(next(iter(spec.submodule_search_locations)))
    for name in ("", "benchmarks", "third_party", "api", "utils"):
        _stub(f"evalscope.{name}".rstrip("."), __path__=[str(root / name)])


_packages()
_stub("evalscope.api.agent", AgentTrace=Anything, EventType=EventType)
_stub(
    "evalscope.api.messages",
    ChatMessage=Message,
    ChatMessageSystem=SystemMessage,
    ChatMessageTool=UserMessage,
    ChatMessageUser=UserMessage,
)
_stub("evalscope.api.model", Model=object, ModelOutput=Anything, ModelUsage=Anything)
_stub("evalscope.utils.logger", get_logger=logging.getLogger)
