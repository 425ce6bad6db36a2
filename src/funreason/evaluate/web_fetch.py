"""Ask the web what BFCL's search functions ask: SerpApi with a key, and pages at addresses that a model wrote.

A page may be at any address, so only public ones are visited: no local network, no service of a cloud's machine.
"""

import ipaddress
import os
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from funreason.core.errors import EngineError

KEY, BACKEND = "SERPAPI_API_KEY", "SERPAPI_BACKEND"
_SERPAPI = "https://serpapi.com"
_TRIES = 6  # while the API says 429, over a minute; the official code tries without end
_TIMEOUT_S = 20  # until an answer begins, and between two parts of it, as in the official code
_PAGE_S, _PAGE_BYTES = 60, 1 << 22  # of a whole page; more than any model can read
_FIELDS = ("title", "link", "snippet")  # of a result; the official code reads no others
# The official ones, so that sites send the same pages, but for a compression that is not always there (br).
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/112.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7",
    "Accept-Language": "en-US,en;q=0.9", "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive",
    "Upgrade-Insecure-Requests": "1", "Referer": "https://www.google.com/", "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1", "Sec-Fetch-Dest": "document",
}  # fmt: skip


def fetch(wanted: dict) -> dict:
    """The reply to a request.

    Args:
        wanted: {"search": parameters} or {"page": URL}.

    Returns:
        {"organic_results"} or {"error"} of a search, {"text"} or {"error"} of a page.

    Raises:
        EngineError: the search API refuses the key or does not answer.
    """
    return _search(wanted["search"]) if "search" in wanted else _page(wanted["page"])


def backend() -> str:
    """The search API: SerpApi, or what SERPAPI_BACKEND names."""
    return os.environ.get(BACKEND, _SERPAPI).rstrip("/")


def _search(parameters: dict) -> dict:
    status, body = _asked(parameters)
    for attempt in range(1, _TRIES):
        if status != 429 and "429" not in str(body.get("error", "")):
            break
        time.sleep(2**attempt)
        status, body = _asked(parameters)
    if status != 200 or "429" in str(body.get("error", "")):
        why = str(body.get("error", ""))[:200].replace(os.environ[KEY], "…")
        raise EngineError(f"web_search: {backend()} gave status {status} ({why}); see the account of {KEY}, run again")
    if not isinstance(results := body.get("organic_results"), list):
        return {"error": str(body.get("error", "no organic_results"))[:1000]}
    return {
        "organic_results": [
            {name: row[name] for name in _FIELDS if name in row} for row in results if isinstance(row, dict)
        ]
    }


def _asked(parameters: dict) -> tuple[int, dict]:
    """The status and the body of one search, as the package google-search-results asks."""
    whole = parameters | {"api_key": os.environ[KEY], "source": "python", "output": "json"}
    try:
        reply = requests.get(f"{backend()}/search", whole, timeout=_TIMEOUT_S)
    except requests.RequestException as error:  # its text holds the key, in the address
        raise EngineError(f"web_search: {backend()} cannot be asked ({type(error).__name__}); run again") from None
    try:
        body = reply.json()
    except ValueError:
        body = {}
    return reply.status_code, body if isinstance(body, dict) else {}


def _page(url: str) -> dict:
    """The text as the official code would see it."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy: the address that is checked is the one that answers
        for scheme in ("http://", "https://"):
            session.mount(scheme, _PublicOnly())
        try:
            with session.get(url, headers=_HEADERS, timeout=_TIMEOUT_S, stream=True) as reply:
                reply.raise_for_status()
                reply._content = _body(reply)  # `text` then decodes it as it does for the official code
                return {"text": reply.text}
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return {"error": str(error)[:1000]}


def _body(reply: requests.Response) -> bytes:
    body, end = b"", time.monotonic() + _PAGE_S
    for part in reply.iter_content(1 << 16):
        body += part
        if len(body) > _PAGE_BYTES or time.monotonic() > end:
            break
    return body[:_PAGE_BYTES]


def _checked(connection: socket.socket, host: str, port: int | None) -> socket.socket:
    """The connection, if its other end is public or the search API. Checked is what answers, not what a name says."""
    api = urlsplit(backend())
    if (host, port) != (api.hostname, api.port) and not ipaddress.ip_address(connection.getpeername()[0]).is_global:
        connection.close()
        raise OSError(f"{host} is not a public address")
    return connection


class _Http(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host, self.port)


class _Https(urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host, self.port)


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class _PublicOnly(HTTPAdapter):
    """Connects to public addresses alone, after each redirect, too."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
