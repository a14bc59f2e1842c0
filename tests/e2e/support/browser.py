"""A headless Chromium that can be told to run no scripts, driven over a pair of pipes."""

import json
import os
import select
import shlex
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from typing import Any, Self

CHROMIUM = (
    "/usr/bin/chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)
WAIT_S = 120.0


class Browser:
    """One browser process; a context manager. `complaints` collects what pages wrote to console and log."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._buffer = b""
        self._number = 0
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        """Start Chromium: it reads commands from descriptor 3 and writes events to descriptor 4."""
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        command = [*CHROMIUM, f"--user-data-dir={self._profile}", "--remote-debugging-pipe", "about:blank"]
        # by way of high numbers, so that neither dup overwrites the other's descriptor
        moved = f"exec {shlex.join(command)} 3<&{their_in} 4>&{their_out}"
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", moved], pass_fds=(their_in, their_out), stderr=subprocess.DEVNULL
        )
        os.close(their_in)
        os.close(their_out)
        return self

    def __exit__(self, *_: object) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(WAIT_S)
        os.close(self._in)
        os.close(self._out)

    def dom(self, url: str, *, scripts: bool) -> str:
        """Open `url` in a new tab and return its DOM once it is loaded."""
        session = self._open(url, scripts=scripts)
        root = self._call("DOM.getDocument", session)["root"]["nodeId"]
        return str(self._call("DOM.getOuterHTML", session, nodeId=root)["outerHTML"])

    def evaluate(
        self, url: str, *expressions: str, width: int = 0, dark: bool = False, printed: bool = False
    ) -> Any:
        """Open `url` in a new tab and return what the last expression of JavaScript gives there, as JSON.

        Args:
            url: What to open.
            expressions: One after the other; a promise is waited for.
            width: Of the window in pixels, which is 1000 high; 0: the browser's own size.
            dark: Whether the user prefers a dark theme.
            printed: Whether the page is laid out as for paper.
        """
        session = self._open(url, scripts=True, width=width, dark=dark)
        if printed:
            self._call("Emulation.setEmulatedMedia", session, media="print")
        value = None
        for expression in expressions:
            response = self._call(
                "Runtime.evaluate", session, expression=expression, returnByValue=True, awaitPromise=True
            )
            assert "exceptionDetails" not in response, response
            value = response["result"].get("value")
        return value

    def screenshot(self, url: str, *, width: int, height: int) -> bytes:
        """Open `url` in a new tab of this size, in pixels, and return it as a PNG."""
        session = self._open(url, scripts=True)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", session, **size)
        return b64decode(self._call("Page.captureScreenshot", session, format="png")["data"])

    def _open(self, url: str, *, scripts: bool, width: int = 0, dark: bool = False) -> str:
        """Open `url` in a new tab, wait until it is loaded, and return the tab's session."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            self._call(f"{domain}.enable", session)
        self._call("Emulation.setScriptExecutionDisabled", session, value=not scripts)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", session, features=[theme])
        if width:
            size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
            self._call("Emulation.setDeviceMetricsOverride", session, **size)
        self._call("Page.navigate", session, url=url)
        self._until(lambda message: message.get("method") == "Page.loadEventFired")
        return str(session)

    def _call(self, method: str, session: str | None = None, **params: object) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": params}
        os.write(
            self._out, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        )
        response = self._until(lambda found: found.get("id") == number)
        assert "error" not in response, response
        result: dict[str, Any] = response["result"]
        return result

    def _until(self, wanted: Any) -> dict[str, Any]:
        """Return the first message that is wanted; complaints on the way are kept."""
        while True:
            message = self._read()
            if message.get("method") in {
                "Log.entryAdded",
                "Runtime.consoleAPICalled",
                "Runtime.exceptionThrown",
            }:
                self.complaints.append(json.dumps(message["params"]))
            if wanted(message):
                return message

    def _read(self) -> dict[str, Any]:
        """Return the next message; they end with a zero byte."""
        end = time.monotonic() + WAIT_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser said nothing for too long"
            self._buffer += os.read(self._in, 1 << 16)
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        return message
