"""Many viewers of one execution: ``PORT EXECUTION COUNT``.

Says ``ready`` once the server has answered all of them, and at the end of the streams what each has seen. Nothing is
parsed before the end, so that the time of an arrival is the time of its ``recv``.
"""

from __future__ import annotations

import resource
import select
import socket
import sys
import time
from typing import Any

from bench.peers import say
from bench.sse import Decoder, Frame, request

SILENCE = 60.0


class Viewer:
    """One connection and what came over it."""

    def __init__(self, port: int, execution: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(request(port, execution))
        self.socket.setblocking(False)
        self.pieces: list[tuple[int, bytes]] = []

    def read(self) -> bool:
        """Take what is there; False at the end of the stream."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            data = b""
        self.pieces.append((time.time_ns(), data))
        return bool(data) and not data.endswith(b"\r\n0\r\n\r\n") and data != b"0\r\n\r\n"

    def frames(self) -> list[Frame]:
        """What it has seen."""
        decoder = Decoder()
        return [frame for at, data in self.pieces for frame in decoder.feed(data, at)]


def main() -> None:
    port, execution, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    viewers = {viewer.socket.fileno(): viewer for viewer in (Viewer(port, execution) for _ in range(count))}
    _read(viewers)
    seen = [viewer.frames() for viewer in viewers.values()]
    used = resource.getrusage(resource.RUSAGE_SELF)
    say(
        {
            "ids": [[frame.id for frame in frames] for frames in seen],
            "completed": [
                [frame.at for frame in frames if frame.event == "step.completed"] for frames in seen
            ],
            "payload": _payload(max(seen, key=len)),
            "cpu": used.ru_utime + used.ru_stime,
        }
    )


def _read(viewers: dict[int, Viewer]) -> None:
    poll = select.epoll()
    for number in viewers:
        poll.register(number, select.EPOLLIN)
    silent, live = set(viewers), len(viewers)
    while live:
        ready = poll.poll(SILENCE)
        if not ready:
            return
        for number, _ in ready:
            if not viewers[number].read():
                poll.unregister(number)
                live -= 1
        if silent:
            silent.difference_update(number for number, _ in ready)
            if not silent:
                say("ready")


def _payload(frames: list[Frame]) -> list[str]:
    """What the server writes when a step has ended: its event and the next step's, one text per step."""
    texts: list[Any] = [
        f"id: {frame.id}\nevent: {frame.event}\ndata: {frame.data.decode()}\n\n" for frame in [*frames]
    ]
    texts.append("")
    return [
        texts[index] + texts[index + 1]
        for index, frame in enumerate(frames)
        if frame.event == "step.completed"
    ]


if __name__ == "__main__":
    main()
