"""HTTP to a server that is not trusted: a deadline for each whole request, a limit for each body, no redirects.

The requests run in an event loop of a thread of their own. There one `asyncio.timeout` bounds everything: name
resolution, connecting, a slow header, a slow or endless body. httpx alone bounds only the wait for the next bytes.
"""

import asyncio
import logging
import threading
import zlib
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

import httpx

MAX_REPLY = 2**24  # bytes of a body; the longest answers of models have some hundred thousand

_T = TypeVar("_T")


class Reply(NamedTuple):
    """What came back.

    Attributes:
        status: Of HTTP.
        body: As bytes, decompressed; cut at `MAX_REPLY`.
        retry_after: The header of this name.
        cut: Whether the body was longer.
    """

    status: int
    body: bytes
    retry_after: str | None = None
    cut: bool = False


class NoReply(Exception):
    """No whole reply came. The message never repeats what the server sent."""


class Transport:
    """Connections to one server; nothing is opened before the first request.

    Args:
        base_url: What comes before /chat/completions.
        key: The API key; None where the server needs none.
        timeout_s: Seconds for a whole request.
        connections: That are kept open between requests.

    Raises:
        NoReply: The environment names a proxy that cannot be used.
    """

    def __init__(self, base_url: str, key: str | None, timeout_s: float, connections: int = 1):
        self._url, self._timeout_s = base_url.rstrip("/"), timeout_s
        for name in ("httpx", "httpcore"):  # at lower levels they log what the server sends
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            self._http = httpx.AsyncClient(
                # Plain bytes: a few compressed ones can be gigabytes.
                headers={"Authorization": f"Bearer {key or 'none'}", "Accept-Encoding": "identity"},
                timeout=None,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
            )
        except (ImportError, ValueError, httpx.InvalidURL):  # the message may hold the password of a proxy
            raise NoReply("the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used") from None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm-server", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Start work in the event loop; a cancelled future closes its connection."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Close all connections, and end the thread."""
        self.submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:  # those of an interrupted stage
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._http.aclose()

    async def send(self, method: str, path: str, content: bytes | None = None, timeout_s: float | None = None) -> Reply:
        """One request.

        Args:
            method: GET or POST.
            path: What comes after the base URL.
            content: JSON.
            timeout_s: Another limit than that of the transport.

        Raises:
            NoReply: There was no whole reply in time.
        """
        seconds = timeout_s or self._timeout_s
        headers = {"Content-Type": "application/json"} if content else None
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream(method, f"{self._url}{path}", content=content, headers=headers) as response,
            ):
                body, cut = await _body(response)
                return Reply(response.status_code, body, response.headers.get("retry-after"), cut)
        except TimeoutError:
            raise NoReply(f"no whole reply within {seconds:g} s") from None
        except httpx.ConnectError as error:
            raise NoReply(f"{error}") from None  # by the operating system: refused, no such host, certificate
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError):
            raise NoReply("not a URL that starts with http:// or https://") from None
        except (httpx.HTTPError, httpx.StreamError, zlib.error, OSError, ValueError) as error:
            raise NoReply(f"the reply broke off or is no HTTP ({type(error).__name__})") from None


async def _body(response: httpx.Response) -> tuple[bytes, bool]:
    """(the body, whether it was cut), decompressed here: httpx would decompress a chunk to any size."""
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > MAX_REPLY:
            break
    body = bytes(raw[: MAX_REPLY + 1])
    if response.headers.get("content-encoding", "").strip().lower() in ("gzip", "deflate"):
        body = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS).decompress(body, MAX_REPLY + 1)
    return body[:MAX_REPLY], len(body) > MAX_REPLY
