"""One request to a server, asked again after errors that may pass."""

import asyncio
import math
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from funreason.llm.budget import tokens_of
from funreason.llm.engines.faults import Fault, Kind
from funreason.llm.engines.replies import read
from funreason.llm.engines.scrub import Scrubber
from funreason.llm.engines.transport import NoReply, Transport
from funreason.llm.request import REFUSED, TOO_LONG, Response

FIRST_WAIT_S, LONGEST_BACKOFF_S = 0.5, 8.0
LONGEST_WAIT_S = 120.0  # whatever the server asks for


async def ask(transport: Transport, content: bytes, prompt: str, scrubber: Scrubber, attempts: int) -> Response | Fault:
    """Ask for a chat completion.

    Args:
        transport: Where.
        content: The request, as JSON.
        prompt: Its text, for estimates of tokens.
        scrubber: Takes the key out of texts.
        attempts: Requests that are sent at most.

    Returns:
        The response, also of a request that the server refuses; or what is wrong with the server.
    """
    for attempt in range(attempts):
        try:
            outcome = read(await transport.send("POST", "/chat/completions", content), prompt, scrubber)
        except NoReply as error:
            outcome = Fault(Kind.PASSING, 0, str(error))
        if isinstance(outcome, Response):
            return outcome
        if outcome.kind is Kind.TOO_LONG:
            return Response("", TOO_LONG, 0, 0)  # as vLLM in process says it
        if outcome.kind is Kind.REQUEST:
            return unanswered(outcome, REFUSED, prompt, scrubber)
        if outcome.kind is Kind.STAGE or attempt == attempts - 1:
            break
        await asyncio.sleep(wait_s(attempt, outcome.retry_after))
    return outcome


def unanswered(fault: Fault, finish_reason: str, prompt: str, scrubber: Scrubber) -> Response:
    """The response that stands for no answer; its text is the reason.

    Args:
        fault: What the server says.
        finish_reason: Of the response.
        prompt: For an estimate of the tokens that may be billed.
        scrubber: Takes the key out of the reason.
    """
    text = f"{fault.status or ''} {scrubber.line(fault.text)}".strip()
    return Response(text, finish_reason, tokens_of(prompt) if fault.paid else 0, 0)


def wait_s(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt.

    Args:
        attempt: 0 after the first.
        retry_after: The server's wish, as seconds or as a date of HTTP. One that cannot be read is ignored.
    """
    wish = _seconds(retry_after.strip()) if retry_after else math.nan
    if wish >= 0:  # not for nan
        return min(wish, LONGEST_WAIT_S)
    backoff = min(FIRST_WAIT_S * 2**attempt, LONGEST_BACKOFF_S)
    return backoff * (1 - 0.25 * random.random())  # so that requests that failed together do not return together


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(text)
        return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan
