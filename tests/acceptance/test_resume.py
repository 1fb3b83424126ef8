"""A failed or cancelled execution goes on as a new one, with what was done."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from acceptance.server import Project, Server
from acceptance.sse import outline


def resume(server: Server, execution: str, **body: Any) -> httpx.Response:
    return server.post(f"/api/executions/{execution}/resume", body)


def resumed(server: Server, execution: str, **body: Any) -> str:
    """Resume; the new id."""
    response = resume(server, execution, **body)
    assert response.status_code == 200, response.text
    found = response.json()["body"]
    assert found["status"] == "accepted"
    assert found["execution_id"] != execution
    return found["execution_id"]


def three(project: Project) -> None:
    """A workflow of three steps that each leave a line; the second fails until ``token`` is right."""
    project.workflow(
        "three",
        """
name: three
version: "1.0.0"
inputs:
  - {name: count, type: integer, default: 1, validation: {min: 1, max: 9}}
  - {name: good, type: boolean, default: false}
states:
  initial: first
  first: {type: step, command: 'echo first >>lines; echo result of first', on_success: second}
  second:
    type: step
    command: 'echo second >>lines; [ {{inputs.good}} = true ] || { echo not good >&2; exit 3; }'
    on_success: third
  third: {type: step, command: 'echo third >>lines; echo "{{states.first.Output}} x {{inputs.count}}"', on_success: done}
  done: {type: terminal}
""",
    )


def lines(project: Project) -> list[str]:
    return (project.root / "lines").read_text().split()


def test_the_flaky_release_is_published_with_the_right_password(examples: Server) -> None:
    failed = examples.run("flaky-release")
    before = examples.wait(failed, "failed")
    assert before["error"] == "not published: publish: access denied"
    prepared = before["steps"][0]["output"]
    new = resumed(examples, failed, input_overrides={"password": "open sesame"})
    shown = examples.wait(new)
    assert shown["resumed_from"] == failed
    assert [(step["name"], step.get("reused", False)) for step in shown["steps"]] == [
        ("prepare", True),
        ("publish", False),
    ]
    assert shown["steps"][0]["output"] == prepared
    assert shown["steps"][1]["output"] == f"published what was {prepared}\n"
    assert outline(examples.events(new)) == [
        "step.started publish",
        "step.completed publish",
        "workflow.completed",
    ]
    assert shown["inputs"]["password"] == "***"
    for place in (failed, new):
        told = examples.get(f"/api/executions/{place}/events?events=all").text
        assert "open sesame" not in told + examples.get(f"/api/executions/{place}").text
    assert examples.execution(failed) == before
    history = {entry["id"]: entry["status"] for entry in examples.history("?workflow=flaky-release")}
    assert history == {new: "success", failed: "failed"}
    counts = examples.body("/api/history/stats?workflow=flaky-release")
    assert (counts["TotalExecutions"], counts["SuccessCount"], counts["FailedCount"]) == (2, 1, 1)


def test_completed_steps_are_reused_and_their_results_stand(project: Project) -> None:
    three(project)
    server = project.serve()
    failed = server.run("three")
    server.wait(failed, "failed")
    again = resumed(server, failed)
    server.wait(again, "failed")
    done = resumed(server, again, input_overrides={"good": True, "count": "7"})
    shown = server.wait(done)
    assert lines(project) == ["first", "second", "second", "second", "third"]
    assert shown["steps"][-1]["output"] == "result of first\n x 7\n"
    assert shown["inputs"] == {"count": 7, "good": True}
    assert [step["number"] for step in shown["steps"]] == [1, 2, 3]


def test_from_step_chooses_where_to_go_on(project: Project) -> None:
    three(project)
    server = project.serve()
    failed = server.run("three")
    server.wait(failed, "failed")
    good = {"good": True}
    for choice, expected in (
        ("current", ["second", "third"]),
        ("previous", ["first", "second", "third"]),
        ("first", ["first", "second", "third"]),
        ("second", ["second", "third"]),
        ("third", ["third"]),
    ):
        before = len(lines(project))
        new = resumed(server, failed, input_overrides=good, from_step=choice)
        shown = server.wait(new)
        assert lines(project)[before:] == expected, choice
        assert [step["name"] for step in shown["steps"] if not step.get("reused")] == expected


def test_a_cancelled_execution_can_be_resumed(project: Project) -> None:
    project.steps("waits", "echo first >>lines", "echo second >>lines; [ -e go ] || sleep 600")
    server = project.serve()
    execution = server.run("waits")
    server.wait_event(execution, "step.started", "s2")
    server.cancel(execution)
    server.wait(execution, "cancelled")
    (project.root / "go").touch()
    server.wait(resumed(server, execution))
    assert lines(project).count("first") == 1


def test_running_and_completed_executions_cannot_be_resumed(project: Project) -> None:
    project.steps("waits", "sleep 600")
    project.steps("short", "true")
    server = project.serve()
    running, done = server.run("waits"), server.run("short")
    server.wait(done)
    server.wait_event(running, "step.started")
    for execution in (running, done):
        response = resume(server, execution)
        assert response.status_code == 404
        assert response.json()["detail"] == f"execution not found or cannot be resumed: {execution}"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"from_step": "secnod"}, "secnod"),
        ({"from_step": "done"}, "done"),
        ({"input_overrides": {"count": "many"}}, "count"),
        ({"input_overrides": {"count": 10}}, "count"),
    ],
)
def test_what_does_not_fit_is_422(project: Project, body: dict[str, Any], named: str) -> None:
    three(project)
    server = project.serve()
    failed = server.run("three")
    server.wait(failed, "failed")
    response = resume(server, failed, **body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert named in response.json()["detail"]
    assert len(server.body("/api/executions")["executions"]) == 1


def test_the_pinned_definition_is_resumed_unless_the_latest_is_asked_for(project: Project) -> None:
    path = project.steps("changes", "echo old >>lines; exit 1", "true")
    server = project.serve()
    failed = server.run("changes")
    server.wait(failed, "failed")
    path.write_text(path.read_text().replace("echo old >>lines; exit 1", "echo new >>lines"))
    server.wait(resumed(server, failed), "failed")
    server.wait(resumed(server, failed, definition="latest"))
    assert lines(project) == ["old", "old", "new"]
    path.unlink()
    server.wait(resumed(server, failed), "failed")
    response = resume(server, failed, definition="latest")
    assert response.status_code == 404
    assert response.json()["detail"] == "workflow not found: changes"


def circle(project: Project) -> None:
    """a, b, c, a again, then d, which fails; c shows what it sees of a."""
    project.workflow(
        "circle",
        """
name: circle
version: "1.0.0"
states:
  initial: a
  a:
    type: step
    command: 'echo a >>lines; grep -c a lines'
    transitions: [{when: "states.a.Output == '1'", goto: b}, {goto: d}]
  b: {type: step, command: 'echo b >>lines; echo "b saw {{states.a.Output}}"', on_success: c}
  c: {type: step, command: 'echo c >>lines; echo c', on_success: a}
  d: {type: step, command: 'exit 1', on_success: done}
  done: {type: terminal}
""",
    )


def reused(server: Server, execution: str) -> list[str]:
    """The names of the steps that were taken over."""
    return [step["name"] for step in server.execution(execution)["steps"] if step.get("reused")]


def test_results_are_taken_as_they_stood_at_the_entry(project: Project) -> None:
    circle(project)
    with project.serve() as server:
        failed = server.run("circle")
        server.wait(failed, "failed")
        again = resumed(server, failed, from_step="b")
        done = server.wait(again, "failed")
        assert reused(server, again) == ["a"]
        outputs = {step["name"]: step["output"] for step in done["steps"]}
        assert outputs["b"] == "b saw 1\n\n"


def test_a_resume_of_a_resumed_execution_drops_what_came_after_the_entry(project: Project) -> None:
    circle(project)
    with project.serve() as server:
        failed = server.run("circle")
        server.wait(failed, "failed")
        second = resumed(server, failed)
        server.wait(second, "failed")
        assert reused(server, second) == ["b", "c", "a"]
        third = resumed(server, second, from_step="c")
        server.wait(third, "failed")
        assert reused(server, third) == ["a", "b"]
        outputs = [step["output"] for step in server.execution(third)["steps"] if step.get("reused")]
        assert outputs[0] == "1\n", (
            "the result of a that stood when c was entered, not that of the second round"
        )


def test_a_path_reaches_inside_also_after_a_restart_of_the_server(project: Project) -> None:
    project.workflow(
        "nested",
        """
name: nested
states:
  initial: each
  each: {type: for_each, items: [a, b, c], body: [call], on_success: done}
  call: {type: call_workflow, workflow: inner, inputs: {item: "{{loop.Item}}"}}
  done: {type: terminal}
""",
    )
    inner = project.workflow(
        "inner",
        """
name: inner
inputs: [{name: item, type: string}]
states:
  initial: one
  one: {type: step, command: 'echo one-{{inputs.item}} >>lines; echo of {{inputs.item}}', on_success: two}
  two:
    type: step
    command: 'echo two-{{inputs.item}} >>lines; echo "{{states.one.Output}}"; [ {{inputs.item}} != b ] || [ -e good ]'
    on_success: done
  done: {type: terminal}
""",
    )
    with project.serve() as server:
        failed = server.run("nested")
        server.wait(failed, "failed")
        response = resume(server, failed, from_step="each[1]/call/tow")
        assert response.status_code == 422
        assert "did you mean 'each[1]/call/two'?" in response.json()["detail"]
        assert "each[1]/call/one" in response.json()["detail"]
    inner.unlink()
    (project.root / "good").touch()
    with project.serve() as server:
        new = resumed(server, failed)
        shown = server.wait(new)
        assert lines(project) == ["one-a", "two-a", "one-b", "two-b", "two-b", "one-c", "two-c"]
        assert outline(server.events(new))[:3] == [
            "step.started each",
            "step.started call",
            "step.started two",
        ]
        paths = {step["path"]: step.get("reused", False) for step in shown["steps"]}
        assert paths["each[1]/call/one"]
        assert not paths["each[1]/call/two"]
