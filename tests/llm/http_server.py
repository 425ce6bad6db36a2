"""A small real HTTP server with a script: it answers the n-th chat request as the script's n-th entry says."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(text: str, **message) -> dict:
    """A body in the form of OpenAI's chat completions."""
    message = {"role": "assistant", "content": text, **message}
    return {
        "id": "1", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }  # fmt: skip


def echo(body: dict) -> dict:
    return completion(f"to {body['messages'][0]['content']}")


@contextmanager
def serve(*script, answer=echo):
    """Yield a running server. An entry of the script is a body (or its bytes in (status, bytes)), a status,
    (status, body), seconds to wait before the answer, or a function that writes to the handler; after the last entry
    `answer` makes the entry.
    `.asked` holds the requests, `.keys` the keys.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.script, server.answer, server.lock = list(script), answer, threading.Lock()
    server.asked, server.keys, server.now, server.most = [], set(), 0, 0
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    with running(server):
        yield server


@contextmanager
def running(server: ThreadingHTTPServer):
    """The server in a thread of its own, until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class JsonHandler(BaseHTTPRequestHandler):
    """Sends JSON, and says nothing on the terminal."""

    def log_message(self, *_):
        pass

    def _send(self, status: int, body: dict | bytes) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):  # the client gave up waiting, as a test wants it to
            self.wfile.write(data)


class _Handler(JsonHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._send(200, {"object": "list", "data": [{"id": "m", "object": "model"}]})

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        if len(data := self.rfile.read(length)) < length:
            return  # the client gave up while it asked
        body = json.loads(data)
        with self.server.lock:
            self.server.asked.append(body)
            self.server.keys.add(self.headers["Authorization"])
            step = self.server.script.pop(0) if self.server.script else self.server.answer(body)
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        if isinstance(step, float):
            time.sleep(step)
            with self.server.lock:  # as above: an answer may read what it needs when it is first asked
                step = self.server.answer(body)
        with self.server.lock:
            self.server.now -= 1
        if callable(step):
            self.close_connection = True
            with suppress(ConnectionError):  # the client gave up
                step(self)
            return
        status, reply = step if isinstance(step, tuple) else (200, step) if isinstance(step, dict) else (step, {})
        self._send(status, reply)
