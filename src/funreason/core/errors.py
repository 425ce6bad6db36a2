"""Errors that a user can mend. Every message names the value seen, the values allowed and the remedy."""


class FunReasonError(Exception):
    """Base of all errors that `funreason.core.runtime.run` and the command line print as one line."""


class ParamsError(FunReasonError):
    """params.yaml or a profile: an unknown key, an ill-typed or out-of-range value."""


class DataError(FunReasonError):
    """A data file that is missing, malformed, or whose counts do not add up."""


class ModelError(FunReasonError):
    """A model path or hub id that does not exist or cannot be used."""


class EngineError(FunReasonError):
    """The LLM engine or server did not start, did not answer or refused a request."""


class SandboxError(FunReasonError):
    """The chosen sandbox is not available on this machine, or it failed."""


class RegressionError(FunReasonError):
    """A round's model lost more accuracy than gate.max_regression allows."""


# A model that brings code of its own: it is never run, and nothing is asked on the terminal.
OWN_CODE = (
    "it brings code of its own (auto_map in its config.json or tokenizer_config.json), which is never run; take a "
    "model that transformers has built in, or delete auto_map where it has"
)


def load_reason(error: BaseException) -> str:
    """Why a model, tokenizer or data set cannot be loaded, in one line.

    Args:
        error: What transformers, vLLM or datasets raised.

    Returns:
        The first line of its message; OWN_CODE where it would run the model's own code.
    """
    text = str(error).strip()
    if "trust_remote_code" in text or "custom code" in text:
        return OWN_CODE
    return (text.splitlines() or [type(error).__name__])[0]
