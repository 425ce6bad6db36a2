"""The tape of BFCL's web search: each request is sent once, and its reply is kept in the response cache for ever.

Replies do not depend on the model: all models see the same web.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed

from funreason.core.errors import EngineError
from funreason.evaluate.web_fetch import KEY, fetch
from funreason.llm import Cache, Response

MODEL = "web-search"  # under which the cache counts the replies
_WORKERS = 8
_REPLIES = {"organic_results": list, "text": str, "error": str}  # see web_fetch.fetch
_REMEDY = f"set {KEY} to a key of serpapi.com, import a cache that holds the replies, or leave web_search out"


def require_source(cache: Cache) -> None:
    """Raise EngineError where there is neither a key to record with nor anything recorded."""
    if not os.environ.get(KEY) and not cache.do(_any_recorded):
        raise EngineError(f"web_search: {KEY} is not set, and the response cache holds no recorded search; {_REMEDY}")


def replies(cache: Cache, wanted: Iterable[str]) -> dict[str, dict]:
    """The replies to requests, from the tape or recorded on it now.

    Args:
        cache: holds the tape.
        wanted: requests, see drivers/bfcl_search.py.

    Returns:
        {request: reply}.

    Raises:
        EngineError: no key for what is not recorded, a tape that was changed, or the search API refuses. What was
            recorded stays.
    """
    keys = {_cache_key(request): request for request in wanted}
    recorded = {keys[key]: _recorded(response.text, keys[key]) for key, response in cache.get(keys).items()}
    missing = [request for request in keys.values() if request not in recorded]
    if missing and not os.environ.get(KEY):
        raise EngineError(f"web_search: {missing[0][:200]} is not recorded, and {KEY} is not set; {_REMEDY}")
    refused: list[EngineError] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        started = {pool.submit(fetch, json.loads(request)): request for request in missing}
        for done in as_completed(started):
            try:
                recorded[started[done]] = reply = done.result()
            except EngineError as error:
                refused.append(error)
            else:
                cache.put(_cache_key(started[done]), Response(json.dumps(reply), "stop", 0, 0), MODEL)
    if refused:
        raise refused[0]
    return recorded


def _recorded(text: str, request: str) -> dict:
    """A reply of the tape, which may come from another's cache."""
    try:
        reply = json.loads(text)
        if isinstance(reply, dict) and any(isinstance(reply.get(key), kind) for key, kind in _REPLIES.items()):
            return reply
    except (ValueError, RecursionError):
        pass
    remedy = "import a cache that holds it, or take another cache and record anew"
    raise EngineError(f"web_search: the recorded reply to {request[:200]} is {text!r:.80}, not a reply; {remedy}")


def _cache_key(request: str) -> bytes:
    return hashlib.sha256(f"funreason web search 1\n{request}".encode()).digest()


def _any_recorded(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM responses WHERE model = ? LIMIT 1", (MODEL,)).fetchone() is not None
