"""A real Chromium without a window, driven over its debugging pipe."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
LIMIT = 30.0


class Browser:
    """One Chromium with an empty profile. Messages are JSON, each ended by a NUL, as the DevTools protocol says."""

    def __init__(self, profile: Path) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._log = (profile / "chromium.log").open("wb")
        line = f'exec chromium "$@" 3<&{commands} 4>&{answers}'
        self._process = subprocess.Popen(
            ["bash", "-c", line, "chromium", *FLAGS, f"--user-data-dir={profile}/data", "about:blank"],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call("Browser.close")
        os.close(self._commands)
        self._process.wait(timeout=LIMIT)
        os.close(self._answers)
        self._log.close()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Ask for something; its result. Events that come meanwhile are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT
        while (answer := self._receive(deadline)).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def look(self, deadline: float) -> None:
        """Wait for one event, until the deadline."""
        self.events.append(self._receive(deadline))

    def open(self, url: str) -> Tab:
        """A new tab that goes to an address."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Runtime", "Network"):
            tab.call(f"{domain}.enable")
        tab.call("Page.navigate", url=url)
        return tab

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._answers], [], [], left)[0]
            assert ready, f"nothing came from the browser; so far: {self.events[-20:]}"
            data = os.read(self._answers, 1 << 20)
            assert data, f"the browser has ended: {Path(self._log.name).read_text(errors='replace')[-2000:]}"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class Tab:
    """One page of a browser, and what has happened in it."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def seen(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every event of that kind so far."""
        return [
            event["params"]
            for event in self._browser.events
            if event.get("sessionId") == self._session and event["method"] == method
        ]

    def console(self) -> list[str]:
        """What the page has written to its console, an object as its JSON."""
        return [
            " ".join(_shown(argument) for argument in call["args"])
            for call in self.seen("Runtime.consoleAPICalled")
        ]

    def faults(self) -> list[dict[str, Any]]:
        """Exceptions that nothing in the page caught."""
        return self.seen("Runtime.exceptionThrown")

    def requests(self) -> list[str]:
        """The address of every request."""
        return [request["request"]["url"] for request in self.seen("Network.requestWillBeSent")]

    def until(self, fact: Callable[[], Any], what: str) -> Any:
        """The first true value of ``fact``, looked at after every event of the browser."""
        deadline = time.monotonic() + LIMIT
        while not (found := fact()):
            assert time.monotonic() < deadline, f"{what} did not happen: {self.console()} {self.faults()}"
            self._browser.look(deadline)
        return found


def _shown(argument: dict[str, Any]) -> str:
    if "value" in argument:
        return str(argument["value"])
    properties = argument.get("preview", {}).get("properties", [])
    return json.dumps({entry["name"]: entry.get("value") for entry in properties})
