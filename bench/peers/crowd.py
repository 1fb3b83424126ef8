"""Many clients that send requests as fast as they are answered: ``PORT CLIENTS REQUESTS POST_PATH GET_PATH``.

Every client keeps one connection and one request in flight. One more connection sends GET_PATH every 20 ms meanwhile.
Says latencies, statuses, the ids that were accepted, and its own processor time.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
import time

from bench.peers import say

PROBE_EVERY = 0.02
SILENCE = 60.0


class Connection:
    """One request in flight over one connection."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._answer = b""
        self.sent_at = 0
        self.waiting = False

    def send(self) -> None:
        """Send the request again."""
        self.waiting, self.sent_at = True, time.perf_counter_ns()
        self.socket.sendall(self._request)

    def receive(self) -> tuple[int, bytes, float] | None:
        """Status, body and milliseconds, once the whole answer is there."""
        self._answer += self.socket.recv(65536)
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        self._answer, self.waiting = b"", False
        return int(head.split(b" ", 2)[1]), body, (time.perf_counter_ns() - self.sent_at) / 1e6


class Crowd:
    """The clients, the prober, and what they have seen."""

    def __init__(self, port: int, clients: int, requests: int, post: bytes, get: bytes) -> None:
        self._poll = select.epoll()
        self._prober = Connection(port, get)
        posters = [Connection(port, post) for _ in range(clients)]
        self._connections = {
            connection.socket.fileno(): connection for connection in [self._prober, *posters]
        }
        for number in self._connections:
            self._poll.register(number, select.EPOLLIN)
        self._left = requests
        self._open = 0
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self.posts: list[float] = []
        self.gets: list[float] = []

    def run(self) -> None:
        """Send all requests; returns when all are answered."""
        for connection in self._connections.values():
            if connection is not self._prober:
                self._post(connection)
        probe_at = time.monotonic()
        while self._open:
            wait = probe_at - time.monotonic()
            if wait <= 0 and not self._prober.waiting:
                self._prober.send()
                probe_at = time.monotonic() + PROBE_EVERY
            ready = self._poll.poll(SILENCE if self._prober.waiting else max(0.0, wait))
            if not ready and self._prober.waiting:
                raise SystemExit(f"no answer for {SILENCE:g} s")
            for number, _ in ready:
                self._take(self._connections[number])

    def _post(self, connection: Connection) -> None:
        if self._left:
            self._left -= 1
            self._open += 1
            connection.send()

    def _take(self, connection: Connection) -> None:
        answer = connection.receive()
        if answer is None:
            return
        status, body, spent = answer
        if connection is self._prober:
            self.gets.append(spent)
            return
        self._open -= 1
        self.posts.append(spent)
        if status == 202:
            self.accepted.append(json.loads(body)["body"]["execution_id"])
        else:
            self.refused.append(f"{status} {body[:200]!r}")
        self._post(connection)


def main() -> None:
    port, clients, requests = (int(text) for text in sys.argv[1:4])
    host = f"Host: 127.0.0.1:{port}\r\n"
    post = f"POST {sys.argv[4]} HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    get = f"GET {sys.argv[5]} HTTP/1.1\r\n{host}\r\n"
    crowd = Crowd(port, clients, requests, post.encode(), get.encode())
    began = time.monotonic()
    crowd.run()
    wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    say(
        {
            "accepted": crowd.accepted,
            "refused": crowd.refused,
            "posts": crowd.posts,
            "gets": crowd.gets,
            "wall": wall,
            "cpu": used.ru_utime + used.ru_stime,
        }
    )


if __name__ == "__main__":
    main()
