"""What goes to a model and what comes back."""

from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from funreason.core.errors import ParamsError

TOO_LONG = "too_long"


@dataclass(frozen=True)
class Request:
    """A chat that a model goes on with.

    `index` tells samples of one chat apart. `prefix` is how the model's turn already begins; the response
    holds what the model wrote after it.
    """

    messages: list[dict]
    index: int = 0
    prefix: str | None = None


@dataclass(frozen=True)
class Response:
    """`finish_reason`: stop (the model ended its turn), length (cut at max_tokens or at the context),
    too_long (the prompt leaves no room: nothing was asked), or what else a server says. Tokens are counts.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class Sampling(BaseModel):
    """How tokens are drawn. `seed` None draws anew each time it is not answered from the cache; `regex` is what the
    whole text must match (vLLM's structured output; not every server has it).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(ge=1)
    seed: int | None = None
    regex: str | None = None

    @classmethod
    def of(cls, values: dict) -> "Sampling":
        """Raises ParamsError naming the first bad value."""
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
    """A request on its way to an engine: `prompt` is what the key was made of, `seed` None means unseeded."""

    key: bytes
    request: Request
    prompt: str
    seed: int | None
