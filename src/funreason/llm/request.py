"""What goes to a model and what comes back."""

from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from funreason.core.errors import ParamsError

STOP, CUT = "stop", "length"
TOO_LONG = "too_long"
REFUSED, FAILED = "refused", "failed"
UNANSWERED = (TOO_LONG, REFUSED, FAILED)  # the model wrote nothing
FILTERED = "content_filter"  # it wrote something, which the server withheld


@dataclass(frozen=True)
class Request:
    """A chat that a model continues.

    Attributes:
        messages: The chat, as role and content.
        index: Tells samples of one chat apart.
        prefix: The beginning of the model's turn; the response holds what the model wrote after it.
        tools: Tools in OpenAI's form, which the server or the chat template shows to the model.
    """

    messages: list[dict]
    index: int = 0
    prefix: str | None = None
    tools: list[dict] | None = None


@dataclass(frozen=True)
class Response:
    """What a model wrote.

    Attributes:
        text: Without the prefix of the request. Where the server refused or failed, its reason.
        finish_reason: stop (the model ended its turn), length (cut at max_tokens or at the context), too_long (the
            prompt leaves no room: nothing was asked), refused (the server does not answer this request), failed (it
            failed each time that this request was asked), content_filter (it withheld the answer, or its end), or
            another word of a server.
        prompt_tokens: Count, also of those that came from the prefix cache.
        completion_tokens: Count.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class Sampling(BaseModel):
    """How tokens are drawn.

    Attributes:
        temperature: 0 takes the most likely token.
        top_p: Nucleus sampling.
        max_tokens: Of one response.
        seed: None draws anew each time that the response is not in the cache.
        regex: What the whole text must match (vLLM's structured output; not every server has it).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(ge=1)
    seed: int | None = None
    regex: str | None = None

    @classmethod
    def of(cls, values: dict) -> "Sampling":
        """Check `values`. Raises ParamsError, which names the first bad one."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise ParamsError(
                f"sampling parameter {name}: {first['msg']}, got {first['input']!r}; "
                f"known are {', '.join(cls.model_fields)}"
            ) from None


class Job(NamedTuple):
    """A request on its way to an engine.

    Attributes:
        key: Its name in the cache (32 bytes).
        request: What was asked; None in another process, where the prompt is enough.
        prompt: The text that the key was made of.
        seed: None where tokens are drawn without one.
    """

    key: bytes
    request: Request | None
    prompt: str
    seed: int | None
