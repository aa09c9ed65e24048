"""A headless Chromium that tests steer over two pipes, by the DevTools protocol: no driver and no port."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

PATIENCE = 30.0


class Browser:
    """One page of a browser, between `__enter__` and `__exit__`."""

    def __init__(self, program: str, folder: Path) -> None:
        """`folder` is for what a browser keeps."""
        self._to_browser, ours_out = os.pipe()
        ours_in, self._from_browser = os.pipe()
        self._write, self._read = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self._command = [
            "bash",  # of all shells that one knows descriptors above 9
            "-c",
            f'exec "$0" "$@" 3<&{self._to_browser} 4>&{self._from_browser}',
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--hide-scrollbars",
            f"--user-data-dir={folder}",
            "--remote-debugging-pipe",
        ]
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            pass_fds=(self._to_browser, self._from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(self._to_browser)
        os.close(self._from_browser)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._write.close()
        self._read.close()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """What the browser answers; events that come before it are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Shows a page, and returns when it is loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page has
        """The value of an expression of JavaScript, of a promise what it comes to."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """A key, down and up again."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text
            )

    def contrasts(self) -> list[float]:
        """How far each kind of text stands out from what is behind it (WCAG 2, contrast ratio)."""
        found: list[float] = self.value(_CONTRASTS)
        return found

    def picture(self, file: Path) -> None:
        """Keeps a picture of the whole page."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """What the browser has logged since the page was opened: scripts that failed, broken rules."""
        entries = [
            event["params"]["entry"] for event in self.events if event.get("method") == "Log.entryAdded"
        ]
        thrown = [event for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        return [entry["text"] for entry in entries] + [str(event) for event in thrown]

    def _next(self) -> dict[str, Any]:
        octets = bytearray()
        while (octet := self._read.read(1)) != b"\0":
            assert octet, "the browser has ended"
            octets += octet
        message: dict[str, Any] = json.loads(octets)
        return message


_CONTRASTS = """
(() => {
  const channels = (text) => text.match(/[0-9.]+/g).map(Number);
  const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = channels(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const kinds = "h1,h2,p,dt,dd,td,th,a,li,code,label,summary,pre span,figcaption,.good,.bad,.warn,.quiet";
  const texts = [...document.querySelectorAll(kinds)];
  return texts.map((element) => {
    const [one, other] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  });
})()
"""
