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
