"""The line that a user watches: rows and tokens per second, responses from the cache, and the time left."""

import time

from tqdm import tqdm

from funreason.core.runtime import TimeLeft
from funreason.llm.request import Response

_EVERY_S = 0.5  # seconds between two updates of the rates


class ProgressLine:
    """A context manager around asking. Where stderr is not a terminal, it prints a line per minute.

    Args:
        total: Requests.
        hits: Those of them whose response was in the cache.
        desc: The beginning of the line.
    """

    def __init__(self, total: int, hits: int, desc: str):
        self._bar = tqdm(total=total, initial=hits, desc=desc, unit="row", disable=None)
        self._hits, self._prompt, self._completion = hits, 0, 0
        self._start = self._shown = time.monotonic()
        self._total, self._done, self._time_left = total, hits, TimeLeft(desc, total, hits)
        self._bar.set_postfix_str(f"{hits:,} cached")

    def add(self, response: Response) -> None:
        """Count one more response of the engine."""
        self._prompt += response.prompt_tokens
        self._completion += response.completion_tokens
        now = time.monotonic()
        if not self._bar.disable and now - self._shown > _EVERY_S:
            self._shown = now
            self._bar.set_postfix_str(self._rates(now - self._start), refresh=False)
        self._bar.update()
        self._done += 1
        if self._bar.disable:
            self._time_left.update(
                self._done, lambda seconds: f"{self._done:,} of {self._total:,} rows, {self._rates(seconds)}"
            )

    def _rates(self, seconds: float) -> str:
        prompt, completion = (count / max(seconds, 1e-9) for count in (self._prompt, self._completion))
        return f"{self._hits:,} cached, {prompt:,.0f} prompt and {completion:,.0f} output tokens/s"

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._bar.disable:
            self._bar.set_postfix_str(self._rates(time.monotonic() - self._start))
        self._bar.close()
