"""A real browser for the tests of pages: headless Chromium, driven over its DevTools protocol."""

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
         "--hide-scrollbars", "--force-color-profile=srgb")  # fmt: skip


class Browser:
    """One page in one browser, with everything that it logs and requests."""

    def __init__(self, folder: Path):
        program = next((path for name in NAMES if (path := shutil.which(name))), None)
        if program is None:
            pytest.skip(f"none of {', '.join(NAMES)} is installed: apt-get install chromium")
        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        port = folder / "DevToolsActivePort"
        until = time.monotonic() + 60
        while not (port.exists() and "\n" in port.read_text()):
            assert self._process.poll() is None and time.monotonic() < until, "the browser did not start"
            time.sleep(0.05)
        number, path = port.read_text().split("\n")[:2]
        self._connection = connect(f"ws://127.0.0.1:{number}{path}", max_size=None)
        self._socket = self._connection.__enter__()
        self._count, self._session = 0, None
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        self._connection.__exit__(None, None, None)
        self._process.kill()
        self._process.wait()

    def send(self, method: str, **params: Any) -> dict:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            reply = json.loads(self._socket.recv(timeout=60))
            if reply.get("id") == self._count:
                assert "error" not in reply, reply
                return reply["result"]
            self._note(reply)

    def _note(self, event: dict) -> None:
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" or (method == "Runtime.consoleAPICalled" and params["type"] != "log"):
            self.errors.append(json.dumps(params)[:500])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def evaluate(self, script: str) -> Any:
        reply = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def open(self, page: Path, view: str = "") -> None:
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=page.as_uri() + view)
        self.wait("document.documentElement?.dataset.ready")

    def go(self, view: str) -> None:
        """Follow an address within the page."""
        before = self.evaluate("window.shown = (window.shown || 0)")
        self.evaluate("addEventListener('hashchange', () => window.shown++, {once: true})")
        self.evaluate(f"location.hash = {json.dumps(view)}")
        self.wait(f"window.shown > {before}")

    def wait(self, condition: str) -> None:
        until = time.monotonic() + 20
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < until, condition
            time.sleep(0.02)

    def click(self, text: str, within: str = "body") -> None:
        """Click on the first link or summary whose text is `text`, with the mouse."""
        script = f"""(() => {{
            const all = [...document.querySelectorAll({json.dumps(f"{within} a, {within} summary")})];
            const element = all.find((one) => one.textContent.trim() === {json.dumps(text)});
            if (!element) return null;
            element.scrollIntoView({{block: 'center'}});
            const box = element.getClientRects()[0];
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        at = self.evaluate(script)
        assert at, f"nothing to click on: {text!r}"
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1)
        time.sleep(0.1)

    def text(self, selector: str = "main") -> str:
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def picture(self) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])

    def size(self, width: int, height: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, medium: str = "", scheme: str = "light") -> None:
        self.send(
            "Emulation.setEmulatedMedia", media=medium, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
