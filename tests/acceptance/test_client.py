"""The Python client, against the real server."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias

import pytest

from acceptance.facts import Gate, until
from acceptance.ports import free_port
from acceptance.relay import Relay
from acceptance.server import Project, Server
from acceptance.sse import parse
from awf.client import AsyncClient, Client, Event, RemoteError
from awf.errors import (
    ExecutionNotFound,
    InputsInvalid,
    NotAnAwfServer,
    NotResumable,
    NotWaiting,
    RequestInvalid,
    ResumePointInvalid,
    ServerUnreachable,
    StillRunning,
    WorkflowInvalid,
    WorkflowNotFound,
)

Watch: TypeAlias = Callable[..., list[Event]]
ITEMS = 700


def watch(url: str, execution: str, **more: Any) -> list[Event]:
    """A whole stream, by the client that waits."""
    with Client(url) as client:
        return list(client.events(execution, **more))


def watch_async(url: str, execution: str, **more: Any) -> list[Event]:
    """A whole stream, by the client for asyncio."""

    async def collect() -> list[Event]:
        async with AsyncClient(url) as client:
            return [event async for event in client.events(execution, **more)]

    return asyncio.run(collect())


both = pytest.mark.parametrize("follow", [watch, watch_async], ids=["blocking", "asyncio"])


def reference(server: Server, execution: str, query: str = "") -> list[Event]:
    """The stream as the server gives it on one connection, read by a reader of the tests."""
    # Not by lines as Python sees them: U+2028 ends none here.
    lines = server.get(f"/api/executions/{execution}/events{query}").content.decode().split("\n")
    return [Event(event.id, event.name, event.data) for event in parse(lines)]


def repeat(project: Project, name: str, count: int) -> None:
    """A workflow with ``count`` iterations of one step that says which."""
    project.workflow(
        name,
        json.dumps({
            "name": name,
            "version": "1.0.0",
            "states": {
                "initial": "all",
                "all": {
                    "type": "for_each",
                    "items": list(range(count)),
                    "body": ["say"],
                    "on_success": "done",
                },
                "say": {"type": "step", "command": "echo {{loop.item}}", "on_success": "all"},
                "done": {"type": "terminal"},
            },
        }),
    )  # fmt: skip


def stop(server: Server) -> None:
    """As two times Ctrl-C: it leaves at once."""
    server.signal(signal.SIGTERM)
    until(lambda: "shutting down" in server.said(), "the server drains")
    server.signal(signal.SIGTERM)
    server.process.wait()


@pytest.fixture(scope="module")
def finished(examples: Server) -> str:
    """A finished execution of the examples."""
    execution = examples.run("code-review", file="main.go")
    examples.wait(execution)
    return execution


def test_a_run_is_followed_and_waited_for(examples: Server) -> None:
    with Client(examples.url) as client:
        execution = client.run("code-review", {"file": "main.go"})
        events = list(client.events(execution))
        assert events == reference(examples, execution)
        assert (events[-1].name, events[-1].final) == ("workflow.completed", True)
        assert [event.step for event in events if event.name == "step.started"] == [
            "read",
            "analyze",
            "report",
        ]
        found = client.wait(execution)
    assert (found.status, found.workflow_name, found.finished) == ("completed", "code-review", True)
    assert found.inputs["file"] == "main.go"
    assert [step.name for step in found.steps] == ["read", "analyze", "report"]
    assert found.started_at.tzinfo == UTC
    assert found.completed_at is not None


def test_the_client_for_asyncio_does_the_same(examples: Server) -> None:
    async def everything() -> None:
        async with AsyncClient(examples.url) as client:
            execution = await client.run("code-review", {"file": "main.go"})
            found = await client.wait(execution)
            assert found == await client.execution(execution)
            assert found.status == "completed"
            assert {flow.name for flow in await client.workflows()} > {"code-review", "deploy-app"}
            assert (await client.workflow("code-review"))["states"]["initial"] == "read"
            assert (await client.validate("code-review")).valid
            assert execution in [one.execution_id for one in await client.executions()]
            assert [step.name for step in await client.steps(execution)] == ["read", "analyze", "report"]
            assert (await client.step_output(execution, 1)).output.startswith("package main")
            assert execution in [one.id for one in await client.history(workflow="code-review")]
            assert (await client.statistics(workflow="code-review")).success_count >= 1
            await client.cancel(execution)
            with pytest.raises(NotResumable):
                await client.resume(execution)
            with pytest.raises(NotWaiting):
                await client.respond(execution, "yes")

    asyncio.run(everything())


def test_discovery(examples: Server) -> None:
    with Client(examples.url) as client:
        listed = {flow.name: flow for flow in client.workflows()}
        assert listed["deploy-app"].version == "2.1.0"
        assert listed["deploy-app"].error is None
        assert client.workflow("deploy-app")["name"] == "deploy-app"
        assert client.validate("deploy-app").errors == []


def test_a_stream_of_thousands_of_events_over_many_cut_connections(project: Project) -> None:
    repeat(project, "many", ITEMS)
    server = project.serve()
    execution = server.run("many")
    with Relay(server.port, allowance=60_000) as relay:
        seen = watch(relay.url, execution)
        assert watch_async(relay.url, execution) == seen
    assert relay.cuts > 6
    assert seen == reference(server, execution)
    assert len(seen) > 3 * ITEMS
    said = "".join(event.data["output"] for event in seen if event.name == "output")
    assert said == "".join(f"{number}\n" for number in range(ITEMS))


@both
@pytest.mark.parametrize("abrupt", [True, False])
def test_a_connection_that_ends_within_an_event_loses_and_repeats_none(
    examples: Server, finished: str, follow: Watch, abrupt: bool
) -> None:
    whole = reference(examples, finished)
    longest = max(len(json.dumps(event.data)) for event in whole)
    # The head of the response, one whole event at least, and a part of the next.
    with Relay(examples.port, allowance=longest + 700, abrupt=abrupt) as relay:
        assert follow(relay.url, finished) == whole
        assert relay.cuts >= 2


@both
def test_events_go_on_over_restarts_of_the_server(project: Project, follow: Watch) -> None:
    gates = [Gate(project.root / f"gate{number}") for number in range(2)]
    project.steps("long", *(f"echo before; {gate.wait}; echo after" for gate in gates))
    server = project.serve()
    execution = server.run("long")
    seen: list[Event] = []
    with Relay(server.port) as relay:
        viewer = threading.Thread(target=lambda: seen.extend(follow(relay.url, execution)))
        viewer.start()
        for number, gate in enumerate(gates, start=1):
            server.wait_event(execution, "output", f"s{number}")
            # Once as in an upgrade, once as in a crash.
            if number == 1:
                stop(server)
            else:
                server.kill()
            gate.open()
            server = project.serve()
            relay.lead_to(server.port)
        viewer.join(60)
    assert seen == reference(server, execution)
    assert seen[-1].name == "workflow.completed"


def test_a_draining_server_is_waited_for(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", f"echo before; {gate.wait}")
    server = project.serve()
    execution = server.run("long")
    with Relay(server.port) as relay, Client(relay.url) as client:
        following = client.events(execution)
        assert next(following).name == "step.started"
        with server.stream(execution):  # somebody else, for whom the server stays
            server.signal(signal.SIGTERM)
            until(lambda: server.get("/api/workflows").status_code == 503, "the server drains")
            with pytest.raises(RemoteError) as refused:
                client.run("long")
            assert (refused.value.status, refused.value.code) == (503, "SYSTEM.SERVER.DRAINING")
            successor = project.serve()
            relay.lead_to(successor.port)
            assert client.execution(execution).status == "running"
        gate.open()
        assert list(following)[-1].name == "workflow.completed"


@both
def test_events_begin_behind_a_number_and_show_everything(
    examples: Server, finished: str, follow: Watch
) -> None:
    whole = reference(examples, finished)
    assert follow(examples.url, finished, after=whole[2].id) == whole[3:]
    assert follow(examples.url, finished, after=whole[-1].id) == []
    everything = follow(examples.url, finished, everything=True)
    assert everything == reference(examples, finished, "?events=all")
    assert "state.entered" in {event.name for event in everything}


def test_a_viewer_that_leaves_closes_its_connection(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", f"echo begun; {gate.wait}")
    server = project.serve()
    execution = server.run("long")

    async def look() -> list[Event]:
        async with AsyncClient(server.url) as client, aclosing(client.events(execution)) as events:
            return [await anext(events)]

    with Client(server.url) as client:
        assert [event.step for event in islice(client.events(execution), 1)] == ["s1"]
        assert [event.step for event in asyncio.run(look())] == ["s1"]
        server.signal(signal.SIGTERM)
        # It leaves when the last viewer has.
        assert server.process.wait(10) == 0
    gate.open()


@both
def test_the_events_that_there_are_now(project: Project, follow: Watch) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", f"echo begun; {gate.wait}")
    server = project.serve()
    execution = server.run("long")
    server.wait_event(execution, "output")
    seen = follow(server.url, execution, follow=False)
    assert [event.name for event in seen] == ["step.started", "output"]
    assert follow(server.url, execution, follow=False, after=seen[-1].id) == []
    gate.open()
    server.wait(execution)
    assert follow(server.url, execution, follow=False) == reference(server, execution)


def test_waiting_has_a_limit(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", gate.wait)
    server = project.serve()
    execution = server.run("long")

    async def wait() -> None:
        async with AsyncClient(server.url) as client:
            await client.wait(execution, timeout=0.3)

    with Client(server.url) as client:
        with pytest.raises(StillRunning, match=execution):
            client.wait(execution, timeout=0.3)
        with pytest.raises(StillRunning):
            asyncio.run(wait())
        assert not client.execution(execution).finished
        gate.open()
        assert client.wait(execution, timeout=30).status == "completed"


def test_cancel_and_resume(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("long", "echo one", f"echo two; {gate.wait}")
    server = project.serve()
    with Client(server.url) as client:
        execution = client.run("long")
        server.wait_event(execution, "output", "s2")
        client.cancel(execution)
        ended = client.wait(execution)
        assert ended.status == "cancelled"
        assert list(client.events(execution))[-1].data["status"] == "cancelled"
        client.cancel(execution)
        with pytest.raises(ResumePointInvalid, match="nowhere"):
            client.resume(execution, from_step="nowhere")
        gate.open()
        resumed = client.resume(execution, from_step="s2", input_overrides={"colour": "blue"})
        again = client.wait(resumed)
        assert (again.status, again.resumed_from, again.inputs) == (
            "completed",
            execution,
            {"colour": "blue"},
        )
        assert [(step.name, step.reused) for step in again.steps] == [("s1", True), ("s2", False)]
        assert [entry.status for entry in client.history()] == ["success", "cancelled"]
        counts = client.statistics()
        assert (counts.total_executions, counts.success_count, counts.cancelled_count) == (2, 1, 1)


def test_pages(project: Project) -> None:
    repeat(project, "pages", 120)
    project.steps("short", "true")
    server = project.serve()
    with Client(server.url) as client:
        begun = datetime.now(UTC) - timedelta(minutes=1)
        execution = client.run("pages")
        others = [client.run("short") for _ in range(3)]
        for one in [execution, *others]:
            client.wait(one)
        first = client.steps(execution)
        assert (len(first), first.cursor is None) == (100, False)
        last = client.steps(execution, cursor=first.cursor)
        assert last.cursor is None
        assert [step.number for step in [*first, *last]] == list(range(1, 122))
        newest = client.executions(limit=2)
        rest = client.executions(limit=2, cursor=newest.cursor)
        assert [one.execution_id for one in [*newest, *rest]] == [*reversed(others), execution]
        assert len(client.history(workflow="short", status="success", since=begun, limit=2)) == 2
        assert list(client.history(until=begun)) == []
        assert client.statistics(workflow="short").total_executions == 3


def test_any_text_goes_there_and_back(project: Project) -> None:
    project.workflow(
        "grüße",
        json.dumps({
            "name": "grüße",
            "version": "1.0.0",
            "inputs": [{"name": "text"}],
            "states": {
                "initial": "say",
                "say": {"type": "step", "command": "printf %s {{inputs.text}}", "on_success": "done"},
                "done": {"type": "terminal"},
            },
        }),
    )  # fmt: skip
    server = project.serve()
    text = 'žluťoučký 🐎 \u2028\r\n"quoted" data: x\r\revent: y'
    with Client(server.url) as client:
        execution = client.run("grüße", {"text": text})
        events = list(client.events(execution))
        assert events == reference(server, execution)
        assert client.execution(execution).inputs == {"text": text}
        assert client.step_output(execution, 1).output == "".join(
            event.data["output"] for event in events if event.name == "output"
        )
        with pytest.raises(RequestInvalid):
            client.run("grüße", {"text": "\ud800"})


def test_refusals_are_the_errors_of_the_tree(project: Project) -> None:
    project.workflow("broken", "name: broken\nversion: '1'\nstates:\n  initial: nowhere\n")
    project.workflow(
        "typed",
        "name: typed\nversion: '1'\ninputs:\n  - {name: count, type: integer, required: true}\n"
        "  - {name: size, type: integer, required: true}\n"
        "states:\n  initial: done\n  done: {type: terminal}\n",
    )
    server = project.serve()
    missing = "00000000-0000-0000-0000-000000000000"
    with Client(server.url) as client:
        for name in ("absent", "..", "", "a/..", "a//b", "a/b/c", "no\0name", "?x=1"):
            with pytest.raises(WorkflowNotFound):
                client.run(name)
        with pytest.raises(WorkflowNotFound) as refused:
            client.workflow("absent")
        assert isinstance(refused.value, RemoteError)
        assert (refused.value.status, refused.value.code) == (404, "USER.FACADE.WORKFLOW_NOT_FOUND")
        assert (refused.value.detail, refused.value.exit_status) == ("workflow not found: absent", 1)
        with pytest.raises(WorkflowInvalid) as invalid:
            client.run("broken")
        assert (invalid.value.status, invalid.value.exit_status) == (422, 2)
        assert "broken.yaml" in str(invalid.value)
        assert client.validate("broken").errors
        with pytest.raises(InputsInvalid) as inputs:
            client.run("typed", {"count": "many"})
        assert isinstance(inputs.value, RemoteError)
        assert len(inputs.value.errors) == 2
        for call in (client.execution, client.wait, client.steps, lambda one: list(client.events(one))):
            for execution in (missing, "no-id", "..", ""):
                with pytest.raises(ExecutionNotFound):
                    call(execution)
        with pytest.raises(ExecutionNotFound):
            client.respond(missing, "yes")
        with pytest.raises(NotResumable):
            client.resume(missing)
        with pytest.raises(RequestInvalid, match="status"):
            client.executions(status="sleeping")
        with pytest.raises(RemoteError, match="step not found") as step:
            client.step_output(client.run("typed", {"count": 1, "size": 2}), 99)
        assert step.value.status == 404


def test_nobody_there(project: Project) -> None:
    port = free_port()
    with Client(f"http://127.0.0.1:{port}", retries=1) as client:
        for call in (client.workflows, lambda: client.run("x"), lambda: list(client.events("x"))):
            with pytest.raises(ServerUnreachable, match=f"no server answers at http://127.0.0.1:{port}: "):
                call()


def test_patience_with_a_server_that_is_away_ends(examples: Server, finished: str) -> None:
    with Relay(examples.port, allowance=900) as relay, Client(relay.url, patience=0.0) as client:
        seen = []

        def look() -> None:
            for event in client.events(finished):
                seen.append(event)
                relay.lead_to(free_port())

        with pytest.raises(ServerUnreachable):
            look()
        assert seen == reference(examples, finished)[: len(seen)]


def test_something_else_there(examples: Server) -> None:
    for url in (f"{examples.url}/docs", f"{examples.url}/elsewhere"):
        with Client(url) as client, pytest.raises((NotAnAwfServer, RemoteError)):
            client.workflows()
