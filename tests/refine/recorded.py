"""A real HTTP server that stands where a judge would, with recorded replies by prompt (replies.jsonl)."""

import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from llm.http_server import completion

from funreason.prompts import calling_messages, judge_messages

from .rows import TASKS

REPLIES = Path(__file__).with_name("replies.jsonl")
RIGHT = "Everything is right. <judge>True</judge>"


def recorded() -> dict[str, list[str]]:
    """Prompt → replies, in asking order. A reply is recorded for a row, a check and, if given, an answer."""
    tasks = {task["id"]: task for task in TASKS}
    lines = [json.loads(line) for line in REPLIES.read_text().splitlines()]
    return {_prompt(tasks[line["id"]], line): line["replies"] for line in lines}


def _prompt(task: dict, line: dict) -> str:
    if line["check"] is None:
        return json.dumps(calling_messages(task["query"], task["tools"]))
    response = task["response"]
    answer = line["answer"] or response["answer"]
    texts = {"query": task["query"], "tools": task["tools"], "cot": response["cot"], "answer": answer}
    return json.dumps(judge_messages(line["check"], **texts))


@contextmanager
def serve():
    """Yield a running server; `.asked` counts the requests by prompt, `.temperatures` lists theirs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.replies, server.asked, server.temperatures = recorded(), Counter(), []
    server.lock = threading.Lock()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._send({"object": "list", "data": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = json.dumps(body["messages"])
        with self.server.lock:
            replies = self.server.replies.get(prompt, [RIGHT])
            reply = replies[self.server.asked[prompt]]
            self.server.asked[prompt] += 1
            self.server.temperatures.append((self.server.asked[prompt], body["temperature"]))
        self._send(completion(reply))

    def _send(self, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
