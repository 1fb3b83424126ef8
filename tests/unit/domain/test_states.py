from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow
from awf.domain.workflow import StepState, TerminalState

TAIL = "  done: {type: terminal}\n"


def load(states: str, initial: str = "a") -> Loaded:
    return load_workflow(f"name: w\nstates:\n  initial: {initial}\n{states}{TAIL}", "w.yaml", "w")


def step(keys: str) -> Loaded:
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return load(f"  a:\n    type: step\n    on_success: done\n{lines}")


def errors(result: Loaded) -> list[str]:
    return [str(problem) for problem in result.errors]


def only_step(result: Loaded) -> StepState:
    assert errors(result) == []
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, StepState)
    return state


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5),
        ("1m30s", 90),
        ("30", 30),
        ("'30'", 30),
        ("1.5", 1.5),
        ("0", None),
        ("0s", None),
        ("", None),
    ],
)
def test_timeouts(written: str, seconds: float | None) -> None:
    assert only_step(step(f"command: x\ntimeout: {written}")).timeout == seconds


@pytest.mark.parametrize("written", ["-5s", "[1]", "abc", "1e400", "true"])
def test_timeouts_that_are_none(written: str) -> None:
    (error,) = errors(step(f"command: x\ntimeout: {written}"))
    assert error.startswith("state 'a': 'timeout'")
    assert error.endswith("(w.yaml:8:14)")


@pytest.mark.parametrize(
    ("written", "value"), [("true", True), ("yes", True), ("off", False), ("'no'", False)]
)
def test_booleans_of_older_files(written: str, value: bool) -> None:
    state = only_step(step(f"command: x\ncontinue_on_error: {written}"))
    assert state.routing.continue_on_error is value


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("dir: x", "state 'a': either command or script_file is required (w.yaml:4:3)"),
        ("command: ''", "state 'a': either command or script_file is required (w.yaml:4:3)"),
        ("command: [x]", "state 'a': 'command' must be a string, not a list (w.yaml:7:14)"),
        ('command: "a\\0b"', "state 'a': 'command' holds a NUL character (w.yaml:7:14)"),
        (
            "command: x\nenv: [A]",
            "state 'a': 'env' must be a map of names to values, not a list (w.yaml:8:10)",
        ),
        ("command: x\nenv: {A-B: 1}", "'A-B' is not a name for an environment variable (w.yaml:8:11)"),
        ("command: x\nenv: {A: [1]}", "state 'a': 'env.A' must be a string, not a list (w.yaml:8:14)"),
        (
            "command: x\non_failure: [b]",
            "'on_failure' must be the name of a state, or a map of message and status",
        ),
        (
            "command: x\non_failure: {status: 2}",
            "state 'a': on_failure: required key 'message' is missing (w.yaml:8:17)",
        ),
        (
            "command: x\non_failure: {message: ''}",
            "state 'a': on_failure: 'message' must not be empty (w.yaml:8:18)",
        ),
        (
            "command: x\non_failure: {message: m, status: 256}",
            "on_failure: 'status' must be from 0 to 255, not 256",
        ),
        (
            "command: x\non_failure: {message: m, status: two}",
            "'status' must be a whole number, not a string",
        ),
        (
            "command: x\ntransitions: {goto: done}",
            "'transitions' must be a list of maps with when and goto, not a map",
        ),
        ("command: x\ntransitions: [done]", "transition 1 must be a map with when and goto, not a string"),
        (
            "command: x\ntransitions: [{when: 'true'}]",
            "state 'a': transition 1: goto is required (w.yaml:8:19)",
        ),
        ("command: x\ntransitions: [{goto: ''}]", "state 'a': transition 1: goto is required (w.yaml:8:19)"),
        (
            "command: x\ntransitions: [{goto: [done]}]",
            "transition 1: 'goto' must be the name of a state, not a list",
        ),
        ("command: x\ntransitions: [{when: 'a ==', goto: done}]", "state 'a': transition 1: expression: "),
        ("command: x\ncontinue_on_error: 1", "'continue_on_error' must be true or false, not a number"),
        ("command: 'echo {{inputs.x'", "state 'a': "),
        (
            "command: x\nscript_file: y",
            "state 'a': command and script_file are mutually exclusive (w.yaml:8:5)",
        ),
        ("command: x\nescaping: maybe", "state 'a': 'escaping' must be true or false, not a string"),
        ("command: x\ncapture: [stdout]", "state 'a': 'capture' must be a map with max_size, not a list"),
        (
            "command: x\ncapture: {max_size: lots}",
            "state 'a': capture: 'max_size': invalid size: lots (write 1048576, 512KB or 10MB) (w.yaml:8:25)",
        ),
    ],
)
def test_what_a_step_cannot_have(keys: str, message: str) -> None:
    found = errors(step(keys))
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("written", "size"),
    [("1024", 1024), ("512KB", 524288), ("10MB", 10485760), ("1.5 MiB", 1572864), ("0", None)],
)
def test_how_much_output_is_kept(written: str, size: int | None) -> None:
    assert only_step(step(f"command: x\ncapture: {{max_size: {written}}}")).max_output == size


def test_what_capture_never_did() -> None:
    result = step("command: x\ncapture: {stdout: text, encoding: utf-8, sterr: y}")
    assert [str(problem) for problem in result.problems] == [
        "state 'a': capture: key 'stdout' has no effect here: the text is states.NAME.Output (w.yaml:8:15)",
        "state 'a': capture: key 'encoding' has no effect here: text is UTF-8 (w.yaml:8:29)",
        "state 'a': capture: unknown key 'sterr' (did you mean 'stderr'?) (w.yaml:8:46)",
    ]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("  a: {command: x}", "state 'a': required key 'type' is missing (w.yaml:4:3)"),
        ("  a: {type: stpe}", "state 'a': unknown type 'stpe' (did you mean 'step'?) (w.yaml:4:13)"),
        ("  a: {type: [step]}", "state 'a': 'type' must be a string, not a list (w.yaml:4:13)"),
        ("  a:", "state 'a': must be a map, not nothing (w.yaml:4:3)"),
        ("  a: [1]", "state 'a': must be a map, not a list (w.yaml:4:3)"),
        (
            "  a: {type: step, command: x}",
            "state 'a': a step must have on_success, on_failure or transitions (w.yaml:4:3)",
        ),
        (
            "  a: {type: terminal, exit_code: -1}",
            "state 'a': 'exit_code' must be from 0 to 255, not -1 (w.yaml:4:34)",
        ),
        (
            "  a: {type: terminal, status: [x]}",
            "state 'a': 'status' must be a string, not a list (w.yaml:4:31)",
        ),
    ],
)
def test_states_that_cannot_be_read(state: str, message: str) -> None:
    assert errors(load(state + "\n")) == [message]


def test_an_empty_name_is_refused() -> None:
    assert errors(load("  a: {type: terminal}\n  '': {type: terminal}\n")) == [
        "the name of a state must be printable and not empty (w.yaml:5:3)"
    ]


def test_keys_of_other_types_and_unknown_ones_are_warned_of() -> None:
    result = load(
        "  a: {type: step, command: x, prompt: y, next: done, on_sucess: z, depends_on: [], on_success: done}\n"
    )
    assert errors(result) == []
    assert [problem.message for problem in result.warnings] == [
        "state 'a': key 'prompt' has no effect here",
        "state 'a': unknown key 'next'",
        "state 'a': unknown key 'on_sucess' (did you mean 'on_success'?)",
        "state 'a': key 'depends_on' has no effect here",
    ]


@pytest.mark.parametrize("name", ["error", "build_failed", "Failure", "deploy-fail"])
def test_a_terminal_named_like_a_failure_should_say_so(name: str) -> None:
    result = load(f"  {name}: {{type: terminal}}\n", initial=name)
    assert f"state '{name}': ends the execution as a success" in result.warnings[0].message
    assert result.warnings[0].code == "WORKFLOW.VALIDATION.TERMINAL_STATUS"
    for status in ("success", "failure"):
        said = load(f"  {name}: {{type: terminal, status: {status}}}\n", initial=name)
        assert "as a success" not in "".join(problem.message for problem in said.warnings)


def test_the_older_spelling_of_the_exit_code() -> None:
    result = load("  a: {type: terminal, exitcode: 4}\n")
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, TerminalState)
    assert state.exit_code == 4


def test_names_of_states_are_text_whatever_they_look_like() -> None:
    result = load("  1: {type: step, command: x, on_success: true}\n  true: {type: terminal}\n", initial="1")
    assert errors(result) == []
    assert result.workflow is not None
    assert list(result.workflow.states) == ["1", "true", "done"]


@pytest.mark.parametrize(
    ("written", "choice"),
    [("ask", "ask"), ("Fail", "fail"), ("skip", "skip"), ("''", "rerun"), ("", "rerun")],
)
def test_on_crash(written: str, choice: str) -> None:
    assert only_step(step(f"command: x\non_crash: {written}")).on_crash == choice
    assert only_step(step("command: x")).on_crash == "rerun"


def test_an_unknown_on_crash_is_an_error_with_its_place() -> None:
    (error,) = errors(step("command: x\non_crash: sikp"))
    assert error == (
        "state 'a': invalid on_crash 'sikp': must be 'rerun', 'fail', 'skip' or 'ask' (did you mean 'skip'?) "
        "(w.yaml:8:15)"
    )


def test_blocks_have_no_on_crash_but_agents_and_operations_do() -> None:
    block = load(
        "  a: {type: parallel, parallel: [b], on_success: done, on_crash: ask}\n  b: {type: step, command: x}\n"
    )
    assert [str(problem) for problem in block.warnings if "on_crash" in problem.message]
    for keys in ("type: agent, provider: claude, prompt: x", "type: operation, operation: http.request"):
        workflow = load(f"  a: {{{keys}, on_success: done, on_crash: fail}}\n").workflow
        assert workflow is not None
        assert workflow.states["a"].on_crash == "fail"  # type: ignore[union-attr]
