"""Import this before anything of bfcl_eval: it keeps the package from loading a client for every vendor.

`bfcl_eval.constants.model_config` imports all of them (seven seconds, torch, 1.9 GB of packages) only to map
names to handlers, and pandas (a third of the time of a run) only for the leaderboard's tables, which nobody reads here.
Decoding, checking and counting stay the official code.
"""

import os
import sys
import tempfile
import types

# The package makes its result folders at import, inside site-packages unless told otherwise.
os.environ.setdefault("BFCL_PROJECT_ROOT", tempfile.mkdtemp(prefix="bfcl-"))

MODEL = "funreason"  # without an underscore: the runner would read it as a slash


class Handler:
    """What the runner needs of a prompting model's handler: the official decoder of such models."""

    def decode_ast(self, result, language, has_tool_call_tag=None):
        from bfcl_eval.model_handler.utils import default_decode_ast_prompting

        # v3 has no such tag
        return default_decode_ast_prompting(
            result, language, *([] if has_tool_call_tag is None else [has_tool_call_tag])
        )


_stub = types.ModuleType("bfcl_eval.constants.model_config")
_stub.MODEL_CONFIG_MAPPING = {MODEL: types.SimpleNamespace(underscore_to_dot=False)}
sys.modules[_stub.__name__] = _stub
sys.modules["pandas"] = types.ModuleType("pandas")
