"""What a step is given, how it may end, and what is told of it."""

from __future__ import annotations

import hashlib
import json
import signal
from typing import Any

import pytest

from acceptance.facts import Gate, until
from acceptance.server import Project, Server
from acceptance.sse import outline


def one_step(project: Project, command: str, **more: Any) -> None:
    """A workflow ``one`` of one step that goes to ``done``, or to ``bad`` where it fails."""
    step = {"type": "step", "command": command, "on_success": "done", "on_failure": "bad", **more}
    states = {
        "initial": "s1",
        "s1": step,
        "done": {"type": "terminal"},
        "bad": {"type": "terminal", "status": "failure"},
    }
    inputs = [{"name": "word", "type": "string", "default": "given"}, {"name": "api_token", "type": "string"}]
    text = {"name": "one", "version": "1.0.0", "inputs": inputs, "states": states}
    project.workflow("one", json.dumps(text))


def ended(server: Server, status: str, **inputs: Any) -> dict[str, Any]:
    """Run ``one``; its only step."""
    (step,) = server.wait(server.run("one", **inputs), status)["steps"]
    return step


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ("exit 3", 3, "exit code 3"),
        ("echo why >&2; exit 1", 1, "why"),
        ("no-such-command", 127, "no-such-command"),
        ("kill -KILL $$", 128 + signal.SIGKILL, ""),
        ("kill -TERM $$", 128 + signal.SIGTERM, ""),
        ("kill -SEGV $$", 128 + signal.SIGSEGV, ""),
    ],
)
def test_a_failure_is_told_with_its_exit_code(shared: Server, command: str, code: int, error: str) -> None:
    one_step(shared.project, command)
    step = ended(shared, "failed")
    assert (step["status"], step["exit_code"]) == ("failed", code)
    assert error in step["error"]


def test_a_reference_to_nothing_is_told_before_anything_runs(shared: Server) -> None:
    one_step(shared.project, "touch ran; echo {{inputs.wrod}}")
    response = shared.post("/api/workflows/one/run")
    assert response.status_code == 422
    assert "wrod" in response.json()["detail"]
    assert "word" in response.json()["detail"]
    assert not (shared.project.root / "ran").exists()


def test_a_timeout_ends_the_step_with_its_children(project: Project) -> None:
    one_step(project, "echo partial; setsid sleep 600 & sleep 600", timeout="300ms")
    server = project.serve()
    step = ended(server, "failed")
    assert (step["exit_code"], step["error"], step["output"]) == (
        124,
        "timeout exceeded (300ms)",
        "partial\n",
    )
    assert project.step_processes() == []


def test_a_child_in_the_background_neither_holds_nor_fails_the_step(project: Project) -> None:
    one_step(project, "sleep 600 & echo said")
    server = project.serve()
    assert ended(server, "completed")["output"] == "said\n"


def test_standard_input_is_empty(shared: Server) -> None:
    one_step(shared.project, "wc -c; [ ! -t 0 ]")
    assert ended(shared, "completed")["output"].strip() == "0"


def test_the_environment_says_where_the_step_is_and_what_it_was_given(project: Project) -> None:
    one_step(
        project,
        'echo "$AWF_EXECUTION_ID $AWF_WORKFLOW $AWF_STEP $AWF_ATTEMPT_ID $AWF_INPUT_WORD $word $own $INHERITED"; pwd',
        env={"own": "{{inputs.word}}!"},
    )
    server = project.serve(env={"INHERITED": "from-the-server"})
    execution = server.run("one", word="hello")
    (step,) = server.wait(execution)["steps"]
    said, place = step["output"].splitlines()
    assert said == f"{execution} one s1 {execution}.1.1 hello hello hello! from-the-server"
    assert place == str(project.root)


def test_a_directory_is_entered_or_its_absence_is_told(shared: Server) -> None:
    (shared.project.root / "below").mkdir()
    one_step(shared.project, "pwd", dir="{{inputs.word}}")
    assert ended(shared, "completed", word="below")["output"] == f"{shared.project.root}/below\n"
    step = ended(shared, "failed", word="nowhere")
    assert "nowhere" in step["error"]
    assert step["exit_code"] == 126


def test_a_secret_is_given_to_the_step_and_shown_to_nobody(shared: Server) -> None:
    secret = "s3cr3t-value-of-the-token"
    one_step(
        shared.project,
        'printf %s "{{inputs.api_token}}" | sha256sum; echo "got {{inputs.api_token}}"; echo "$AWF_INPUT_API_TOKEN" >&2',
    )
    execution = shared.run("one", api_token=secret)
    (step,) = shared.wait(execution)["steps"]
    assert step["output"].split()[0] == hashlib.sha256(secret.encode()).hexdigest()
    assert "got ***" in step["output"]
    place = f"/api/executions/{execution}"
    for path in (
        place,
        f"{place}/events?events=all",
        f"{place}/steps",
        f"{place}/steps/1/output?stream=stderr",
    ):
        assert secret not in shared.get(path).text, path
    assert secret not in shared.said()


def test_a_long_command_runs(shared: Server) -> None:
    one_step(shared.project, f": {'x' * 300_000}; echo through")
    assert ended(shared, "completed")["output"] == "through\n"


def test_transitions_and_loops_back_are_taken_in_order(shared: Server) -> None:
    shared.project.workflow(
        "again",
        """
name: again
version: "1.0.0"
states:
  initial: try
  try:
    type: step
    command: 'echo x >>tries; wc -l <tries'
    transitions:
      - {when: 'states.try.Output == "3"', goto: enough}
      - {when: 'states.try.ExitCode == 0', goto: try}
  enough: {type: step, command: 'exit 4', on_success: good, on_failure: {message: 'no after {{states.try.Output}}', status: 9}}
  good: {type: terminal}
""",
    )
    execution = shared.run("again")
    shown = shared.wait(execution, "failed")
    assert [step["name"] for step in shown["steps"]] == ["try", "try", "try", "enough"]
    assert shown["exit_code"] == 9
    assert shown["error"].startswith("no after 3")
    assert outline(shared.events(execution))[-1] == "workflow.failed"


def test_a_circle_without_end_is_stopped(project: Project) -> None:
    project.workflow(
        "circle",
        "name: circle\nstates:\n  initial: a\n  a: {type: step, command: 'true', on_success: a, on_failure: end}\n"
        "  end: {type: terminal}\n",
    )
    server = project.serve(env={"AWF_MAX_TRANSITIONS": "25"})
    execution = server.run("circle")
    assert "25 transitions" in server.wait(execution, "failed")["error"]
    names = [event.name for event in server.events(execution)]
    assert names.count("step.completed") == 25 + 1


def test_more_than_a_page_of_steps_is_all_there(shared: Server) -> None:
    shared.project.steps("many", *(f"echo {number}" for number in range(1, 151)))
    execution = shared.run("many")
    shown = shared.wait(execution)
    assert [step["number"] for step in shown["steps"]] == list(range(51, 151))
    first = shared.get(f"/api/executions/{execution}/steps")
    second = shared.get(first.links["next"]["url"])
    steps = first.json()["body"]["steps"] + second.json()["body"]["steps"]
    assert [step["output"] for step in steps] == [f"{number}\n" for number in range(1, 151)]
    assert "next" not in second.links


def test_a_step_that_still_runs_is_shown_with_what_it_has_written(shared: Server) -> None:
    gate = Gate(shared.project.root / "gate")
    one_step(shared.project, f"echo so far; {gate.wait}")
    execution = shared.run("one")
    shared.wait_event(execution, "output")
    shown = shared.execution(execution)
    assert (shown["status"], shown["current_step"]) == ("running", "s1")
    (step,) = shown["steps"]
    assert (step["status"], step["output"]) == ("running", "so far\n")
    assert "completed_at" not in step
    gate.open()
    shared.wait(execution)


def test_the_engine_leaves_no_process_behind(project: Project) -> None:
    project.steps("short", "true")
    server = project.serve()
    for _ in range(5):
        server.wait(server.run("short"))
    assert until(lambda: project.step_processes() == [], "nothing but server and engine lives")


def test_what_people_should_know_of_a_run_is_in_its_steps_and_in_the_stream(shared: Server) -> None:
    states = {
        "initial": "each",
        "each": {
            "type": "for_each",
            "items": "a,b,c",
            "max_iterations": 1,
            "body": ["say"],
            "on_complete": "done",
        },
        "say": {"type": "step", "command": "echo {{inputs.word}}"},
        "done": {"type": "terminal"},
    }
    shared.project.workflow(
        "told", json.dumps({"name": "told", "inputs": [{"name": "word"}], "states": states})
    )
    execution = shared.run("told", word="'quoted'", more="x")
    ended = shared.wait(execution, "completed")
    loop, step = ended["steps"]
    assert loop["note"] == "2 items beyond max_iterations were left out"
    (warning,) = step["warnings"]
    assert "quote characters" in warning
    assert ended["warnings"] == ["input 'more' is not declared by the workflow"]
    started = [frame.data for frame in shared.events(execution) if frame.name == "step.started"]
    assert [data.get("warnings") for data in started] == [None, [warning]]
