"""Event streams: whole, in order, each event once, for every viewer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from acceptance.facts import Gate
from acceptance.server import Project, Server
from acceptance.sse import Event, outline, output, parse

VIEWERS = 60


@contextmanager
def background(workers: int) -> Iterator[Callable[..., Future[list[Event]]]]:
    """Runs viewers in threads."""
    with ThreadPoolExecutor(workers) as pool:
        yield pool.submit


def crawl(server: Server, execution: str, hurry: threading.Event) -> list[Event]:
    """Watch over a raw socket with a tiny buffer, a byte a second, until ``hurry`` is set; then read on at once."""
    received = bytearray()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(("127.0.0.1", int(server.port)))
        request = (
            f"GET /api/executions/{execution}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(request.encode())
        while not hurry.wait(1.0):
            received += connection.recv(1)
        while data := connection.recv(65536):
            received += data
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"transfer-encoding: chunked" in head.lower()
    return list(parse(unchunked(rest).decode().splitlines()))


def unchunked(data: bytes) -> bytes:
    """The body that chunks make up; it must be complete."""
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return body
        body += data[:length]
        assert data[length : length + 2] == b"\r\n"
        data = data[length + 2 :]


def drop_and_return(server: Server, execution: str, every: int) -> list[Event]:
    """Watch, leave after so many events, come back with Last-Event-ID, until the stream ends by itself."""
    seen: list[Event] = []
    while not seen or not seen[-1].name.startswith("workflow."):
        with server.stream(execution, seen[-1].id if seen else None) as events:
            for _, event in zip(range(every), events, strict=False):
                seen.append(event)
    return seen


def test_sixty_viewers_see_every_event_once_and_in_order(project: Project) -> None:
    gates = [Gate(project.root / f"gate{number}") for number in range(3)]
    project.steps("long", *(f"seq 1 40; {gate.wait}; seq 41 80" for gate in gates))
    server = project.serve()
    execution = server.run("long")
    hurry = threading.Event()
    with background(VIEWERS) as start:
        viewers = [start(crawl, server, execution, hurry)]
        for number, gate in enumerate(gates, start=1):
            server.wait_event(execution, "output", f"s{number}")
            viewers += [start(server.events, execution) for _ in range(10)]
            viewers += [start(drop_and_return, server, execution, every) for every in range(1, 6)]
            gate.open()
        server.wait(execution)
        viewers += [start(server.events, execution) for _ in range(VIEWERS - len(viewers))]
        hurry.set()
        seen = [viewer.result(timeout=60) for viewer in viewers]
    assert len(seen) == VIEWERS
    reference = server.events(execution)
    assert outline(reference) == [
        *(f"step.{what} s{number}" for number in (1, 2, 3) for what in ("started", "completed")),
        "workflow.completed",
    ]
    numbers = "".join(f"{number}\n" for number in range(1, 81))
    assert [output(reference, f"s{number}") for number in (1, 2, 3)] == [numbers] * 3
    assert [event.id for event in reference] == sorted({event.id for event in reference})
    for events in seen:
        assert events == reference


def test_a_slow_viewer_of_much_output_holds_up_nobody_and_loses_nothing(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("loud", f"{gate.wait}; yes 'all work and no play' | head -c 4000000", "echo quiet")
    server = project.serve()
    execution = server.run("loud")
    hurry = threading.Event()
    with background(3) as start:
        slow = start(crawl, server, execution, hurry)
        fast = [start(server.events, execution) for _ in range(2)]
        server.wait_event(execution, "step.started", "s1")
        gate.open()
        quick = [viewer.result(timeout=60) for viewer in fast]
        assert not slow.done()
        assert server.execution(execution)["status"] == "completed"
        hurry.set()
        late = slow.result(timeout=60)
    assert len(output(late, "s1")) == 4_000_000
    assert late == quick[0] == quick[1]


def test_a_finished_execution_is_replayed_whole_and_after_any_event(examples: Server) -> None:
    execution = examples.run("triage", value=5)
    examples.wait(execution)
    whole = examples.events(execution)
    assert outline(whole)[-1] == "workflow.completed"
    for index, event in enumerate(whole[:-1]):
        assert examples.events(execution, event.id) == whole[index + 1 :]
        assert examples.events(execution, query=f"?last_event_id={event.id}") == whole[index + 1 :]
    for unknown in (0, 10**9):
        assert examples.events(execution, unknown) == whole


def test_who_has_had_everything_gets_204(examples: Server) -> None:
    execution = examples.run("triage", value=5)
    examples.wait(execution)
    last = str(examples.events(execution)[-1].id)
    place = f"/api/executions/{execution}/events"
    for answer in (
        examples.get(place, headers={"Last-Event-ID": last}),
        examples.get(f"{place}?last_event_id={last}"),
    ):
        assert (answer.status_code, answer.content) == (204, b"")


def test_all_events_are_the_whole_journal_without_gaps(examples: Server) -> None:
    execution = examples.run("triage", value=5)
    examples.wait(execution)
    everything = examples.events(execution, query="?events=all")
    assert [event.id for event in everything] == list(range(1, len(everything) + 1))
    names = [event.name for event in everything]
    assert names[:3] == ["execution.accepted", "execution.started", "state.entered"]
    default = examples.events(execution)
    assert default == [event for event in everything if event in default]
    seed = {
        "step.started",
        "step.completed",
        "step.failed",
        "workflow.completed",
        "workflow.failed",
        "output",
    }
    assert {event.name for event in default} <= seed


def test_the_headers_of_a_stream_keep_proxies_from_holding_it(examples: Server) -> None:
    execution = examples.run("triage", value=5)
    examples.wait(execution)
    with examples.client.stream("GET", f"/api/executions/{execution}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"


def test_output_of_both_streams_comes_while_the_step_runs(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("both", f"printf 'to out'; printf 'to err' >&2; {gate.wait}; echo ' and on'")
    server = project.serve()
    execution = server.run("both")
    with server.stream(execution) as events:
        seen = []
        for event in events:
            seen.append(event)
            if output(seen, "s1") == "to out" and output(seen, "s1", "stderr") == "to err":
                gate.open()
    assert outline(seen) == ["step.started s1", "step.completed s1", "workflow.completed"]
    assert output(seen, "s1") == "to out and on\n"
    assert seen[-2].data["output"] == "to out and on\n"


def test_output_is_valid_utf_8_whatever_the_step_writes(project: Project) -> None:
    project.steps("bytes", r"printf 'gr\303\274n \377\376 \360\237\214\215'", r"printf '\000\001\033[0m'")
    server = project.serve()
    events = server.events(server.run("bytes"))
    assert output(events, "s1") == "grün �� 🌍"
    assert outline(events)[-1] == "workflow.completed"


def test_truncation_is_told_once_and_the_end_is_kept(project: Project) -> None:
    size = 20_000_000
    project.steps("flood", f"yes 0123456789abcde | head -c {size}; printf THE-END")
    server = project.serve()
    execution = server.run("flood")
    events = server.events(execution)
    outputs = [event for event in events if event.name == "output"]
    assert [event.data.get("truncated", False) for event in outputs].count(True) == 1
    assert outputs[-1].data["truncated"]
    assert len(output(events, "s1")) <= 5 * 1024 * 1024
    completed = next(event for event in events if event.name == "step.completed")
    assert completed.data["output"].endswith("THE-END")
    assert completed.data["output_truncated"]
    assert len(completed.data["output"].encode()) <= 64 * 1024
    whole = server.body(f"/api/executions/{execution}/steps/1/output")
    assert whole["output"].endswith("THE-END")
    assert whole["omitted_bytes"] > size - 11 * 1024 * 1024
    assert len(json.dumps(whole)) < 16 * 1024 * 1024


def test_a_viewer_that_leaves_disturbs_nobody(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("short", f"echo begun; {gate.wait}")
    server = project.serve()
    execution = server.run("short")
    for _ in range(5):
        with server.stream(execution) as events:
            next(events)
    gate.open()
    assert server.wait(execution)["status"] == "completed"


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no memory")


def test_viewers_that_read_nothing_cost_bounded_memory(project: Project) -> None:
    gate, size, count = Gate(project.root / "gate"), 4_500_000, 40
    project.steps("loud", "echo begun", f"{gate.wait}; yes 'all work and no play' | head -c {size}")
    server = project.serve()
    execution = server.run("loud")
    server.wait_event(execution, "step.started", "s2")
    with ExitStack() as stack:
        for _ in range(count):
            viewer = stack.enter_context(server.stream(execution))
            assert next(viewer).step == "s1"
        before = resident(server.process.pid)
        gate.open()
        server.wait(execution)
        grown = resident(server.process.pid) - before
    assert grown < count * size / 3, grown
