"""Import this before anything of bfcl_eval: it keeps the package from loading a client for every vendor.

`bfcl_eval.constants.model_config` imports all clients (seven seconds, torch, 1.9 GB of packages) only to map names to
handlers. The handler of local models imports the clients by which it asks a server. pandas, a third of the time of a
run, serves only the tables of the leaderboard, which are not used here. Prompts, turns, decoding, checking and counting
stay the official code.
"""

import json
import os
import sys
import tempfile
import types

# The package makes its result folders at import, inside site-packages unless told otherwise.
os.environ.setdefault("BFCL_PROJECT_ROOT", tempfile.mkdtemp(prefix="bfcl-"))

MODEL = "funreason"  # without an underscore: the runner would read it as a slash


class Handler:
    """What the runner needs of a prompting model's handler: the official decoders of such models."""

    def decode_ast(self, result: str | list, language: object, has_tool_call_tag: bool | None = None) -> list:
        """BFCL's decoder of single turns; a list holds calls of a tools API (FC mode), {name: arguments as JSON}."""
        if isinstance(result, list):
            return [_fc_call(*next(iter(call.items()))) for call in result]
        from bfcl_eval.model_handler.utils import default_decode_ast_prompting

        return default_decode_ast_prompting(result, language, *_tag(has_tool_call_tag))

    def decode_execute(self, result: str, has_tool_call_tag: bool | None = None) -> list:
        """BFCL's decoder of conversations."""
        from bfcl_eval.model_handler.utils import default_decode_execute_prompting

        return default_decode_execute_prompting(result, *_tag(has_tool_call_tag))


def fc_mode(on: bool) -> None:
    """Whether the answers come from a tools API, whose names have no dots: BFCL then writes its own without them."""
    model_config = sys.modules["bfcl_eval.constants.model_config"]
    model_config.MODEL_CONFIG_MAPPING[MODEL].underscore_to_dot = on


def _fc_call(name: str, arguments: object) -> dict:
    """Some models keep the dots; both are the name that BFCL means."""
    return {name.replace(".", "_"): json.loads(arguments) if isinstance(arguments, str) else arguments}


def _tag(has_tool_call_tag: bool | None) -> list:
    return [] if has_tool_call_tag is None else [has_tool_call_tag]  # v3 has no such tag


def _stub(name: str, **contents: object) -> None:
    module = types.ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


_stub(
    "bfcl_eval.constants.model_config",
    MODEL_CONFIG_MAPPING={MODEL: types.SimpleNamespace(underscore_to_dot=False)},
)
_stub("openai", OpenAI=lambda **_: None)  # our handlers do not ask a server
_stub("requests")
_stub("pandas")


def unstub(*names: str) -> None:
    """Let the next import of these packages load them, for others than bfcl_eval."""
    for name in names:
        sys.modules.pop(name, None)
