"""What a person sees and types, in a real pseudo-terminal, wide and narrow."""

from __future__ import annotations

import json
import re

import pytest

from acceptance.facts import until
from acceptance.server import Project
from acceptance.terminal import Terminal

WIDTHS = pytest.mark.parametrize("columns", [80, 40])

NESTED = """
name: nested
states:
  initial: build
  build: {type: step, command: 'echo building; echo "a line that is longer than a narrow terminal has columns"', on_success: each}
  each: {type: for_each, items: "a,b", body: [one], on_complete: both}
  one: {type: step, command: 'echo item {{loop.Item}}'}
  both: {type: parallel, parallel: [left, right], on_success: flaky}
  left: {type: step, command: 'true'}
  right: {type: step, command: 'true'}
  flaky:
    type: step
    command: 'test -e again || { touch again; echo not yet >&2; exit 1; }'
    retry: {max_attempts: 2, initial_delay: 10ms}
    on_success: done
  done: {type: terminal, message: all is well}
"""

ASKS = """
name: asks
inputs:
  - {name: env, required: true, description: Where to, validation: {enum: [dev, staging, prod]}}
  - {name: count, type: integer, required: true, validation: {min: 1, max: 9}}
  - {name: api_token, required: true}
  - {name: optional}
states:
  initial: show
  show: {type: step, command: 'echo {{inputs.env}} {{inputs.count}}; test {{inputs.api_token}} = letmein99', on_success: done}
  done: {type: terminal}
"""


@WIDTHS
def test_the_live_view(project: Project, columns: int) -> None:
    project.workflow("nested", NESTED)
    terminal = Terminal(project, "run", "nested", columns=columns)
    assert terminal.ended() == 0
    lines = terminal.lines
    shown = [re.sub(r" [0-9.]+m?s.*", "", line) for line in lines]
    for line in (
        "✓ build",
        "▸ each",
        "  ✓ [0] one",
        "  ✓ [1] one",
        "✓ each",
        "▸ both",
        "  ✓ left",
        "✓ flaky",
    ):
        assert line in shown, lines
    assert shown.index("▸ each") < shown.index("  ✓ [0] one") < shown.index("✓ each")
    assert any(line.startswith("↻ flaky  not yet; again in 10ms") for line in lines)
    assert "✓ completed: all is well" in lines
    assert any("1 retried" in line for line in lines)
    assert max(map(len, lines)) <= columns
    execution = project.awf("-q", "status").stdout.strip()
    assert execution in terminal.shown.replace("\r\n", "")
    assert "\x1b[32m" in terminal.raw


def test_what_steps_say_does_not_drive_the_terminal(project: Project) -> None:
    title = r"\033]0;mine\007"
    project.workflow(
        "rude",
        json.dumps(
            {
                "name": "rude",
                "description": "one \x1b[2J\x1b]0;mine\x07\ntwo",
                "states": {
                    "initial": "a",
                    "a": {
                        "type": "step",
                        "command": f"printf 'said {title}\\n' >&2; exit 1",
                        "on_success": "b",
                    },
                    "b": {"type": "terminal"},
                },
            }
        ),
    )
    ran = Terminal(project, "run", "rude")
    assert ran.ended() == 3
    for terminal in (
        Terminal(project, "list"),
        Terminal(project, "history"),
        Terminal(project, "status"),
        Terminal(project, "status", "-v", project.awf("-q", "status").stdout.strip()),
        Terminal(project, "run", "rude", "-o", "silent"),
    ):
        terminal.ended()
        assert "\x1b]" not in terminal.raw
        assert "\x1b[2J" not in terminal.raw
    assert "\x1b]" not in ran.raw
    assert project.awf("list").stdout.splitlines()[1].endswith("  one")
    assert len(project.awf("list").stdout.splitlines()) == 2


def test_no_color_is_no_colour(project: Project) -> None:
    project.steps("hello", "echo hi")
    for terminal in (
        Terminal(project, "run", "hello", env={"NO_COLOR": "1"}),
        Terminal(project, "run", "hello", "--no-color"),
    ):
        assert terminal.ended() == 0
        assert "✓ s1" in terminal.shown
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.raw)


def test_where_no_cursor_can_be_moved_there_are_plain_lines(project: Project) -> None:
    project.steps("hello", "echo hi")
    for name in ("", "dumb"):
        terminal = Terminal(project, "run", "hello", env={"TERM": name})
        assert terminal.ended() == 0
        assert terminal.lines[:2] == ["awf: s1 started", "hi"]
        assert "\x1b" not in terminal.raw


def test_streams_that_are_closed_are_no_trouble(project: Project) -> None:
    project.steps("hello", "echo hi >said")
    done = project.awf("run", "hello", prefix=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (project.root / "said").read_text() == "hi\n"
    assert project.awf("db", "check").returncode == 0


def test_what_a_step_writes_cannot_steer_the_terminal(project: Project) -> None:
    project.steps("rude", r"printf '\033]0;title\007\033[2J\033[31mred\rover\n'; exit 3")
    terminal = Terminal(project, "run", "rude")
    assert terminal.ended() == 3
    assert "\x1b]0;" not in terminal.raw
    assert "\x1b[2J" not in terminal.raw
    assert any("│ over" in line for line in terminal.lines)


@WIDTHS
def test_missing_inputs_are_asked_for_until_they_are_right(project: Project, columns: int) -> None:
    project.workflow("asks", ASKS)
    terminal = Terminal(project, "run", "asks", "-o", "streaming", columns=columns)
    terminal.expect("env (string): Where to")
    terminal.expect("3) prod")
    terminal.answer("5")
    terminal.expect("not in allowed values")
    terminal.answer("2")
    terminal.expect("count (integer)")
    terminal.answer("many")
    terminal.expect("cannot convert")
    terminal.answer("12")
    terminal.expect("exceeds maximum 9")
    terminal.answer("3")
    terminal.answer("")
    terminal.expect("required but empty")
    terminal.answer("letmein99")
    terminal.expect("staging 3")
    assert terminal.ended() == 0
    assert "letmein99" not in terminal.raw
    assert "optional" not in terminal.shown


def test_ctrl_c_at_a_prompt_starts_nothing(project: Project) -> None:
    project.workflow("asks", ASKS)
    terminal = Terminal(project, "run", "asks")
    terminal.expect("> ")
    terminal.interrupt()
    assert terminal.ended() == 130
    assert "Traceback" not in terminal.shown
    assert project.awf("-q", "status").stdout == ""


@WIDTHS
def test_breakpoints(project: Project, columns: int) -> None:
    project.workflow(
        "deploy",
        "name: deploy\ninputs: [{name: where, default: here}, {name: api_token, default: hushhush1}]\n"
        "states:\n  initial: build\n"
        "  build: {type: step, command: 'echo built', on_success: check}\n"
        "  check: {type: step, command: 'echo never; exit 1', on_success: ship}\n"
        "  ship: {type: step, command: 'echo shipped {{inputs.where}}; test {{inputs.where}} = there', on_success: done}\n"
        "  done: {type: terminal}\n",
    )
    terminal = Terminal(project, "run", "deploy", "--interactive", columns=columns)
    terminal.expect("build is about to start: echo built")
    terminal.answer("inspect")
    terminal.expect("inputs.where = here")
    terminal.answer("continue")
    terminal.expect("check is about to start")
    terminal.answer("inspect")
    terminal.expect("states.build.Output = built")
    terminal.answer("2")
    terminal.expect("ship is about to start: echo shipped here")
    terminal.answer("continue")
    terminal.expect("ship failed with exit code 1")
    terminal.answer("edit")
    terminal.expect("Which input?")
    terminal.answer("where")
    terminal.expect("inputs.where:")
    terminal.answer("there")
    terminal.expect("ship is about to start")
    terminal.answer("c")
    assert terminal.ended() == 0
    assert "hushhush1" not in terminal.raw
    assert "never\r\n" not in terminal.shown
    server = project.serve()
    second, first = server.history()
    assert (first["status"], second["status"]) == ("cancelled", "success")
    assert server.execution(second["id"])["resumed_from"] == first["id"]
    assert server.execution(second["id"])["inputs"]["where"] == "there"
    check = server.execution(first["id"])["steps"][1]
    assert (check["name"], check["status"], check["output"]) == ("check", "completed", "")


def test_a_breakpoint_at_one_step_in_a_loop_and_an_end(project: Project) -> None:
    project.workflow("nested", NESTED)
    terminal = Terminal(project, "run", "nested", "--interactive", "-b", "each[1]/one")
    terminal.expect("each[1]/one is about to start: echo item b")
    terminal.answer("nonsense")
    terminal.expect("choose one of continue, skip")
    terminal.answer("abort")
    assert terminal.ended() == 130
    (found,) = project.awf("-q", "history", "-s", "cancelled").stdout.split()
    assert "each[1]/one" in project.awf("status", found).stdout


def test_a_step_is_run_again_at_a_breakpoint(project: Project) -> None:
    project.steps("twice", "echo x >>effects", "true")
    terminal = Terminal(project, "run", "twice", "--interactive", "-b", "s2")
    terminal.expect("s2 is about to start")
    terminal.answer("retry")
    terminal.expect("s2 is about to start")
    terminal.answer("continue")
    assert terminal.ended() == 0
    assert (project.root / "effects").read_text() == "x\nx\n"


def test_a_wrong_value_at_a_breakpoint_is_told_and_asked_again(project: Project) -> None:
    project.workflow(
        "count",
        "name: count\ninputs: [{name: n, type: integer, default: 1}]\nstates:\n  initial: a\n"
        "  a: {type: step, command: 'echo {{inputs.n}}', on_success: z}\n  z: {type: terminal}\n",
    )
    terminal = Terminal(project, "run", "count", "--interactive")
    terminal.answer("edit")
    terminal.answer("n")
    terminal.answer("many")
    terminal.expect("cannot convert")
    terminal.expect("a is about to start: echo 1")
    terminal.answer("edit")
    terminal.answer("n")
    terminal.answer("5")
    terminal.expect("a is about to start: echo 5")
    terminal.answer("continue")
    assert terminal.ended() == 0


def test_interactive_without_a_terminal_is_refused(project: Project) -> None:
    project.steps("hello", "true")
    ran = project.awf("run", "hello", "--interactive")
    assert ran.returncode == 1
    assert ran.stderr.startswith("awf: --interactive needs a terminal to ask at; try ")


@WIDTHS
def test_ctrl_c_says_what_it_does_and_a_second_one_does_not_wait(project: Project, columns: int) -> None:
    project.steps("stubborn", "trap '' TERM; echo begun; while :; do sleep 600; done")
    terminal = Terminal(project, "run", "stubborn", columns=columns)
    terminal.expect("begun")
    terminal.interrupt()
    terminal.expect("cancelling; a second Ctrl-C")
    until(lambda: project.sleepers() == [] or None, "the first sleep has been ended")
    terminal.interrupt()
    assert terminal.ended() == 130
    assert "✗ cancelled" in terminal.lines


def test_watching_what_a_server_runs_and_leaving_it_alone(project: Project) -> None:
    project.steps("long", "echo begun; sleep 600")
    server = project.serve()
    execution = server.run("long")
    terminal = Terminal(project, "events", "-f", execution)
    terminal.expect("begun")
    terminal.interrupt()
    assert terminal.ended() == 130
    assert server.execution(execution)["status"] == "running"
    again = Terminal(project, "events", "-f", execution)
    again.expect("begun")
    assert project.awf("cancel", execution).returncode == 0
    assert again.ended() == 0
    assert "✗ cancelled" in again.lines


def test_a_run_in_a_terminal_is_everybodys(project: Project) -> None:
    project.steps("deploy-app", "echo begun; sleep 600")
    server = project.serve()
    terminal = Terminal(project, "run", "deploy-app")
    terminal.expect("begun")
    (shown,) = server.body("/api/executions")["executions"]
    assert (shown["workflow_name"], shown["status"]) == ("deploy-app", "running")
    server.cancel(shown["execution_id"])
    assert terminal.ended() == 130
    (entry,) = server.history()
    assert (entry["id"], entry["status"]) == (shown["execution_id"], "cancelled")
    assert project.awf("-q", "history").stdout.split() == [entry["id"]]


APPROVAL = """
name: approve
states:
  initial: build
  build: {type: step, command: 'echo built', on_success: sure}
  sure: {type: approval, message: 'Publish {{states.build.Output}}?', on_approve: ship, on_reject: {message: not wanted, status: 5}}
  ship: {type: step, command: 'echo shipped', on_success: done}
  done: {type: terminal}
"""


@WIDTHS
def test_what_a_step_waits_for_is_asked_here(project: Project, columns: int) -> None:
    project.workflow("approve", APPROVAL)
    terminal = Terminal(project, "run", "approve", columns=columns)
    terminal.expect("Publish built")
    terminal.answer("maybe")
    terminal.expect("choose one of approve, reject")
    terminal.answer("approve")
    assert terminal.ended() == 0
    assert any(line.startswith("✓ ship") for line in terminal.lines)
    rejected = Terminal(project, "run", "approve", "-o", "streaming", columns=columns)
    rejected.answer("2")
    assert rejected.ended() == 5


def test_who_answers_elsewhere_first_is_heard(project: Project) -> None:
    project.workflow("approve", APPROVAL)
    server = project.serve()
    terminal = Terminal(project, "run", "approve")
    terminal.expect("> ")
    (execution,) = project.awf("-q", "status").stdout.split()
    assert "sure waits for an answer: Publish built" in project.awf("status", execution).stdout
    assert server.post(f"/api/executions/{execution}/respond", {"response": "approve"}).status_code == 204
    assert terminal.ended() == 0
    assert "✓ ship" in terminal.shown


def test_without_an_answer_it_goes_on_waiting_until_one_comes(project: Project) -> None:
    project.workflow("approve", APPROVAL)
    terminal = Terminal(project, "run", "approve")
    terminal.end_of_input()
    terminal.expect("goes on waiting")
    (execution,) = project.awf("-q", "status").stdout.split()
    answer = Terminal(project, "respond", execution)
    answer.expect("Publish built")
    answer.answer("1")
    assert answer.ended() == 0
    assert terminal.ended() == 0


def test_a_run_into_a_pipe_says_how_to_answer(project: Project) -> None:
    project.workflow("approve", APPROVAL)
    process = project.start("run", "approve")

    def accepted() -> str:
        return project.awf("-q", "status").stdout.strip()

    execution = until(accepted, "it is accepted")
    until(lambda: "waits for a person" in project.awf("status", execution).stdout, "it waits")
    refused = project.awf("respond", execution, "perhaps")
    assert (refused.returncode, "must be one of approve, reject" in refused.stderr) == (1, True)
    assert project.awf("respond", execution).returncode == 1
    assert project.awf("respond", execution, "reject", "--comment", "not today").returncode == 0
    _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    assert f"answer with `awf respond {execution} approve`" in err
    assert project.awf("respond", execution, "approve").returncode == 1
