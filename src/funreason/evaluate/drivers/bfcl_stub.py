"""Import this before anything of bfcl_eval: it keeps the package from loading a client for every vendor.

`bfcl_eval.constants.model_config` imports all of them (seven seconds, torch, 1.9 GB of packages) only to map names to
handlers; the handler of local models the clients it asks a server with; and pandas (a third of the time of a run) is
there for the leaderboard's tables alone, which nobody reads here. Prompts, turns, decoding, checking and counting stay
the official code.
"""

import os
import sys
import tempfile
import types

# The package makes its result folders at import, inside site-packages unless told otherwise.
os.environ.setdefault("BFCL_PROJECT_ROOT", tempfile.mkdtemp(prefix="bfcl-"))

MODEL = "funreason"  # without an underscore: the runner would read it as a slash


class Handler:
    """What the runner needs of a prompting model's handler: the official decoders of such models."""

    def decode_ast(self, result, language, has_tool_call_tag=None):
        from bfcl_eval.model_handler.utils import default_decode_ast_prompting

        return default_decode_ast_prompting(result, language, *_given(has_tool_call_tag))

    def decode_execute(self, result, has_tool_call_tag=None):
        from bfcl_eval.model_handler.utils import default_decode_execute_prompting

        return default_decode_execute_prompting(result, *_given(has_tool_call_tag))


def _given(has_tool_call_tag) -> list:
    return [] if has_tool_call_tag is None else [has_tool_call_tag]  # v3 has no such tag


def _stub(name: str, **contents) -> None:
    module = types.ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


_stub(
    "bfcl_eval.constants.model_config",
    MODEL_CONFIG_MAPPING={MODEL: types.SimpleNamespace(underscore_to_dot=False)},
)
_stub("openai", OpenAI=lambda **_: None)  # no handler of ours asks a server
_stub("requests")
_stub("pandas")
