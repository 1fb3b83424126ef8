"""Somebody who watches an execution from its beginning to its end, whatever happens to the server."""

from __future__ import annotations

import threading
import time

import httpx

from acceptance.sse import Event, parse


class Viewer(threading.Thread):
    """Follows all events of an execution; comes back with ``Last-Event-ID`` whenever the connection ends. Approves what
    the execution asks, as often as it takes to be heard."""

    def __init__(self, url: str, execution: str, limit: float = 60.0) -> None:
        super().__init__(daemon=True)
        self.events: list[Event] = []
        self.returns = 0
        self._address = f"{url}/api/executions/{execution}"
        self._asked = False
        self._deadline = time.monotonic() + limit
        self._pause = threading.Event()
        self.start()

    def seen(self) -> list[Event]:
        """All events, once the execution has ended. Fails where that does not come."""
        self.join(max(0.0, self._deadline - time.monotonic()) + 5)
        assert self._ended(), f"the execution has not ended for its viewer: {self.events[-3:]}"
        return self.events

    def leave(self) -> None:
        """Go away, before the end."""
        self._deadline = 0.0
        self.join()

    def run(self) -> None:
        with httpx.Client(trust_env=False, timeout=httpx.Timeout(5, read=20)) as client:
            while not self._ended() and time.monotonic() < self._deadline:
                try:
                    self._follow(client)
                except httpx.TransportError:
                    self._pause.wait(0.05)

    def _follow(self, client: httpx.Client) -> None:
        if self._asked:
            self._answer(client)
        headers = {"Last-Event-ID": str(self.events[-1].id)} if self.events else {}
        with client.stream("GET", f"{self._address}/events?events=all", headers=headers) as response:
            if response.status_code != 200:
                self._pause.wait(0.05)
                return
            self.returns += 1
            for event in parse(response.iter_lines()):
                self.events.append(event)
                if event.name == "input.required":
                    self._asked = True
                    self._answer(client)
                if self._ended() or time.monotonic() > self._deadline:
                    return

    def _answer(self, client: httpx.Client) -> None:
        """Raises TransportError where nobody hears it."""
        response = client.post(f"{self._address}/respond", json={"response": "approve"})
        # Where the server died over it, it may have been heard.
        if response.status_code not in {204, 409}:
            raise httpx.ConnectError(response.text)
        self._asked = False

    def _ended(self) -> bool:
        return bool(self.events) and self.events[-1].name in {"workflow.completed", "workflow.failed"}
