"""Where control goes after a state: "Control flow" of the workflow language (3.4, 4.1 to 4.4)."""

from __future__ import annotations

import pytest

from conformance.harness import refused, run

ENDS = """
          good: {type: terminal}
          bad: {type: terminal, status: failure, message: bad}
          other: {type: terminal, status: failure, message: other}
"""


@pytest.mark.parametrize(
    ("command", "keys", "expected"),
    [
        ("true", "on_success: good", "good"),
        ("true", "{on_success: other, on_failure: bad}", "other"),
        ("exit 3", "{on_success: good, on_failure: bad}", "bad"),
        ("exit 3", "{on_success: good, on_failure: bad, continue_on_error: true}", "good"),
        ("exit 3", "{on_success: good, continue_on_error: true}", "good"),
        ("true", "{on_success: bad, transitions: [{goto: good}]}", "good"),
        ("exit 3", "{on_failure: bad, transitions: [{goto: good}]}", "good"),
        ("exit 3", "{on_success: good, continue_on_error: true, transitions: [{goto: other}]}", "other"),
        ("true", "{on_success: good, transitions: [{when: 'states.a.ExitCode == 3', goto: bad}]}", "good"),
        (
            "exit 3",
            "{on_failure: bad, transitions: [{when: 'states.a.ExitCode == 3', goto: other}]}",
            "other",
        ),
        ("exit 4", "{on_failure: bad, transitions: [{when: 'states.a.ExitCode == 3', goto: other}]}", "bad"),
        (
            "echo x",
            "{transitions: [{when: 'states.a.Output == \"x\"', goto: other}, {when: 'true', goto: bad}]}",
            "other",
        ),
        ("true", "{transitions: [{when: '', goto: other}, {goto: bad}]}", "other"),
        (
            "exit 1",
            "{on_success: good, transitions: [{when: \"states.a.Status == 'completed'\", goto: good}]}",
            "step 'a' failed: exit code 1",
        ),
    ],
)
def test_4_2_transitions_then_continue_on_error_then_the_targets(
    command: str, keys: str, expected: str
) -> None:
    keys = keys[1:-1] if keys.startswith("{") else keys
    text = f"{{type: step, command: '{command}', {keys}}}"
    result = run(f"""
        name: main
        states:
          initial: a
          a: {text}
          {ENDS}
        """)
    assert (result.error or "good") == expected


def test_4_4_an_unrouted_failure_fails_the_execution_naming_the_state() -> None:
    result = run("""
        name: main
        states:
          initial: build
          build: {type: step, command: "echo out; echo broken >&2; exit 9", on_success: done}
          done: {type: terminal}
        """)
    assert (result.status, result.error, result.exit_code) == ("failed", "step 'build' failed: broken", 9)
    assert result.steps["build"].error == "broken"


def test_4_4_without_stderr_the_exit_code_is_the_error() -> None:
    result = run("""
        name: main
        states:
          initial: build
          build: {type: step, command: "exit 9", on_success: done}
          done: {type: terminal}
        """)
    assert (result.error, result.steps["build"].error) == ("step 'build' failed: exit code 9", "exit code 9")


def test_success_with_no_way_on_fails_the_execution() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "true", on_failure: done}
          done: {type: terminal}
        """)
    assert result.status == "failed"
    assert result.error == "state 'a' succeeded but names no next state"
    assert result.steps["a"].status == "completed"


def test_continue_on_error_with_no_way_on_fails_the_execution() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "exit 2", on_failure: done, continue_on_error: true}
          done: {type: terminal}
        """)
    assert result.status == "failed"
    assert result.error == "state 'a' failed and continues on error but names no next state"


def test_transitions_with_no_match_and_no_on_success_fail_the_execution() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "true", transitions: [{when: "states.a.ExitCode == 1", goto: done}]}
          done: {type: terminal}
        """)
    assert result.error == "state 'a' succeeded but names no next state"


def test_4_3_a_transition_that_cannot_be_evaluated_is_routed_to_on_failure() -> None:
    result = run("""
        name: main
        inputs: [{name: n, default: x}]
        states:
          initial: a
          a: {type: step, command: "true", on_success: done, on_failure: bad,
              transitions: [{when: "int(inputs.n) > 3", goto: done}]}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: routed}
        """)
    assert result.error == "routed"


def test_4_3_a_transition_that_cannot_be_evaluated_and_is_not_routed_names_state_and_number() -> None:
    result = run("""
        name: main
        inputs: [{name: n, default: x}]
        states:
          initial: a
          a: {type: step, command: "true", on_success: done,
              transitions: [{when: "states.a.ExitCode == 5", goto: done}, {when: "int(inputs.n) > 3", goto: done}]}
          done: {type: terminal}
        """)
    assert result.status == "failed"
    assert result.error.startswith("step 'a': transition 2: ")


@pytest.mark.parametrize(
    "state",
    [
        "{type: step, command: 'echo {{inputs.nmae}}', %s}",
        "{type: step, command: 'true', dir: /nowhere/at/all, %s}",
        "{type: step, command: no-such-program-here, %s}",
        "{type: step, command: '  {{inputs.empty}}', %s}",
        "{type: step, command: 'true', timeout: '{{inputs.word}}', %s}",
        "{type: step, command: 'true', env: {A: '{{inputs.nmae}}'}, %s}",
        "{type: call_workflow, workflow: nowhere, %s}",
        "{type: call_workflow, workflow: child, inputs: {n: word}, %s}",
        "{type: for_each, items: '{{inputs.broken}}', body: [b], %s}",
        "{type: for_each, items: 'a', body: [b], max_iterations: '{{inputs.word}}', %s}",
        "{type: while, while: 'int(inputs.word) > 0', body: [b], %s}",
        "{type: parallel, parallel: [b, c], %s}",
    ],
)
def test_every_failure_of_a_state_is_routable(state: str) -> None:
    text = """
        name: main
        states:
          initial: a
          a: STATE
          b: {type: step, command: "true", on_failure: done}
          c: {type: step, command: "false", on_success: done}
          routed: {type: step, command: "echo {{states.a.Status}}", on_success: done}
          done: {type: terminal}
        """.replace("STATE", state % "on_success: done, on_failure: routed")
    child = """
        name: child
        inputs: [{name: n, type: integer}]
        states:
          initial: end
          end: {type: terminal}
        """
    inputs = {"word": "word", "broken": "[1,", "empty": ""}
    result = run(text, inputs, files={"child": child})
    assert (result.status, result.error) == ("completed", "")
    assert result.outputs["routed"] == "failed\n"
    assert result.steps["a"].status == "failed"
    assert result.steps["a"].error


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("{type: for_each, items: 'x', body: [b], %s}", "loop"),
        ("{type: while, while: 'loop.Index < 1', body: [b], %s}", "loop"),
        ("{type: parallel, parallel: [b], %s}", "parallel"),
        ("{type: call_workflow, workflow: child, %s}", "call"),
    ],
)
@pytest.mark.parametrize(
    ("command", "keys", "expected"),
    [
        ("true", "on_success: good, on_failure: bad", "good"),
        ("exit 3", "on_success: good, on_failure: bad", "bad"),
        ("exit 3", "on_success: good, on_failure: bad, continue_on_error: true", "good"),
        ("true", "on_success: bad, transitions: [{when: 'states.a.ExitCode == 0', goto: good}]", "good"),
        ("exit 3", "on_failure: bad, transitions: [{when: 'states.a.ExitCode == 3', goto: other}]", "other"),
        (
            "exit 3",
            "on_failure: bad, transitions: [{when: \"states.a.Status == 'failed'\", goto: other}]",
            "other",
        ),
    ],
)
def test_routing_works_alike_on_every_type(
    state: str, what: str, command: str, keys: str, expected: str
) -> None:
    text = """
        name: main
        states:
          initial: a
          a: STATE
          c: {type: parallel, parallel: [b], on_success: good}
          b: {type: step, command: "COMMAND"}
    """.replace("STATE", state % keys).replace("COMMAND", command)
    child = """
        name: child
        states:
          initial: b
          b: {type: step, command: "COMMAND", on_success: end}
          end: {type: terminal}
        """.replace("COMMAND", command)
    result = run(text.rstrip() + ENDS, files={"child": child})
    assert (result.error or "good") == expected, what


def test_inline_on_failure_ends_the_execution_with_message_and_status() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "exit 5", on_success: done,
              on_failure: {message: "a gave {{states.a.ExitCode}}", status: 42}}
          done: {type: terminal}
        """)
    assert (result.status, result.error, result.exit_code) == ("failed", "a gave 5", 42)


def test_inline_on_failure_has_status_1_by_default() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "exit 5", on_success: done, on_failure: {message: sorry}}
          done: {type: terminal}
        """)
    assert (result.status, result.error, result.exit_code) == ("failed", "sorry", 1)


def test_continue_on_error_comes_before_an_inline_failure() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "exit 5", on_success: done, continue_on_error: true, on_failure: {message: sorry}}
          done: {type: terminal}
        """)
    assert result.status == "completed"


def test_an_inline_failure_may_be_the_only_end() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "exit 5", on_success: a, on_failure: {message: enough, status: 7}}
        """)
    assert (result.status, result.error, result.exit_code) == ("failed", "enough", 7)


@pytest.mark.parametrize("block", ["for_each", "while", "nested"])
def test_an_inline_failure_in_a_loop_ends_the_execution(block: str) -> None:
    loop = {
        "for_each": "{type: for_each, items: '1,2', body: [a], on_complete: done, on_failure: done}",
        "while": "{type: while, while: 'true', body: [a], on_complete: done, on_failure: done}",
        "nested": "{type: for_each, items: '1,2', body: [inner], on_complete: done, on_failure: done}",
    }[block]
    result = run(f"""
        name: main
        states:
          initial: loop
          loop: {loop}
          inner: {{type: for_each, items: '1,2', body: [a], on_failure: done}}
          a: {{type: step, command: "exit 5", on_failure: {{message: enough, status: 7}}}}
          done: {{type: terminal}}
        """)
    assert (result.status, result.error, result.exit_code) == ("failed", "enough", 7)
    assert len([path for path in result.order if path.endswith("/a")]) == 1


@pytest.mark.parametrize(
    ("terminal", "status", "error", "code"),
    [
        ("{type: terminal}", "completed", "", 0),
        ("{type: terminal, status: success}", "completed", "", 0),
        ("{type: TERMINAL, status: success, message: 'all {{states.a.Output}}'}", "completed", "", 0),
        ("{type: terminal, exit_code: 3}", "completed", "", 3),
        ("{type: terminal, status: failure}", "failed", "workflow reached terminal failure state: end", 1),
        ("{type: terminal, status: failure, message: 'got {{states.a.ExitCode}}'}", "failed", "got 0", 1),
        ("{type: terminal, status: failure, message: no, exit_code: 9}", "failed", "no", 9),
        ("{type: terminal, status: failure, message: no, exitcode: 9}", "failed", "no", 9),
        (
            "{type: terminal, status: failure, message: 'no {{inputs.nothing}}'}",
            "failed",
            "no {{inputs.nothing}}",
            1,
        ),
    ],
)
def test_3_4_terminals(terminal: str, status: str, error: str, code: int) -> None:
    result = run(f"""
        name: main
        states:
          initial: a
          a: {{type: step, command: "true", on_success: end}}
          end: {terminal}
        """)
    assert (result.status, result.error, result.exit_code) == (status, error, code)
    assert result.order == ["a"]


def test_3_4_the_message_of_a_success_is_in_the_record() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "printf 7", on_success: end}
          end: {type: terminal, message: "found {{states.a.Output}}"}
        """)
    (fact,) = result.of("execution.completed")
    assert (fact.state, fact.message) == ("end", "found 7")


def test_3_4_the_initial_state_may_be_a_terminal() -> None:
    result = run("""
        name: main
        states:
          initial: end
          end: {type: terminal, status: failure, message: at once}
        """)
    assert (result.status, result.error, result.order) == ("failed", "at once", [])


def test_cycles_in_the_main_graph_are_legal() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "echo x >> n; wc -l < n", on_success: b}
          b: {type: step, command: "true", transitions: [{when: "int(states.a.Output) >= 3", goto: done}, {goto: a}]}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert len(result.of("step.completed")) == 6
    assert result.outputs["a"].strip() == "3"


def test_a_circle_is_stopped_with_a_clear_error_after_max_transitions() -> None:
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: step, command: "true", on_success: a, on_failure: done}
          done: {type: terminal}
        """,
        max_transitions=5,
    )
    assert result.status == "failed"
    assert result.error.startswith("stopped after 5 transitions, about to enter 'a'")
    assert "max_transitions" in result.error
    assert len(result.of("step.completed")) == 6


def test_backward_jumps_count_as_transitions() -> None:
    result = run(
        """
        name: main
        states:
          initial: each
          each: {type: for_each, items: "1", body: [a, b], on_complete: done}
          a: {type: step, command: "true"}
          b: {type: step, command: "true", on_success: a}
          done: {type: terminal}
        """,
        max_transitions=4,
    )
    assert result.status == "failed"
    assert result.error.startswith("stopped after 4 transitions, about to enter 'a'")


def test_iterations_and_forward_jumps_do_not_count_as_transitions() -> None:
    result = run(
        """
        name: main
        states:
          initial: each
          each: {type: for_each, items: "1,2,3,4,5", body: [a, b, c], on_complete: done}
          a: {type: step, command: "true", on_success: c}
          b: {type: step, command: "true"}
          c: {type: step, command: "true"}
          done: {type: terminal}
        """,
        max_transitions=1,
    )
    assert (result.status, result.error) == ("completed", "")


def test_circles_inside_a_sub_workflow_count_too() -> None:
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done, on_failure: done}
          done: {type: terminal}
        """,
        files={
            "child": """
            name: child
            states:
              initial: a
              a: {type: step, command: "true", on_success: a, on_failure: end}
              end: {type: terminal}
            """
        },
        max_transitions=4,
    )
    assert result.status == "failed"
    assert result.error.startswith("stopped after 4 transitions")


def test_states_are_entered_by_the_rule_that_the_journal_names() -> None:
    result = run("""
        name: main
        states:
          initial: a
          a: {type: step, command: "true", on_success: b}
          b: {type: step, command: "false", on_failure: c}
          c: {type: step, command: "true", transitions: [{when: "false", goto: done}, {goto: par}]}
          par: {type: parallel, parallel: [x], on_success: each}
          x: {type: step, command: "true"}
          each: {type: for_each, items: "1", body: [y, z], on_complete: done}
          y: {type: step, command: "true", on_success: z}
          z: {type: step, command: "true"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert [(fact.state, fact.via) for fact in result.of("state.entered")] == [
        ("a", "initial"),
        ("b", "on_success"),
        ("c", "on_failure"),
        ("par", "transition[1]"),
        ("x", "branch"),
        ("each", "on_success"),
        ("y", "body"),
        ("z", "jump"),
        ("done", "on_success"),
    ]


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (
            "{initial: a, a: {type: step, command: 'true', on_success: nope}, end: {type: terminal}}",
            "state 'a' references undefined state 'nope'",
        ),
        (
            "{initial: a, a: {type: step, command: 'true', on_success: end, on_failure: nope}, end: {type: terminal}}",
            "state 'a' references undefined state 'nope'",
        ),
        (
            "{initial: a, a: {type: step, command: 'true', transitions: [{goto: nope}]}, end: {type: terminal}}",
            "state 'a' references undefined state 'nope'",
        ),
        (
            "{initial: a, a: {type: parallel, parallel: [nope], on_success: end}, end: {type: terminal}}",
            "state 'a' references undefined state 'nope'",
        ),
        (
            "{initial: a, a: {type: for_each, items: x, body: [nope], on_complete: end}, end: {type: terminal}}",
            "state 'a' references undefined state 'nope'",
        ),
        (
            (
                "{initial: a, a: {type: for_each, items: x, body: [b], on_complete: nope}, b: {type: step, command: x}, "
                "end: {type: terminal}}"
            ),
            "state 'a' references undefined state 'nope'",
        ),
        ("{initial: nope, end: {type: terminal}}", "initial state 'nope' is not defined"),
        (
            "{initial: a, a: {type: step, command: 'true', on_success: a}}",
            "at least one terminal state is required",
        ),
        (
            (
                "{initial: a, a: {type: step, command: 'true', on_success: end, transitions: [{when: 'true'}]}, "
                "end: {type: terminal}}"
            ),
            "transition 1: goto is required",
        ),
        (
            (
                "{initial: a, a: {type: step, command: 'true', on_success: end, transitions: [{when: '1 +', goto: end}]}, "
                "end: {type: terminal}}"
            ),
            "transition 1",
        ),
        (
            (
                "{initial: a, a: {type: step, command: 'true', on_failure: {status: 3}, on_success: end}, "
                "end: {type: terminal}}"
            ),
            "message",
        ),
        (
            (
                "{initial: a, a: {type: step, command: 'true', on_failure: {message: ''}, on_success: end}, "
                "end: {type: terminal}}"
            ),
            "'message' must not be empty",
        ),
        (
            (
                "{initial: a, a: {type: step, command: 'true', on_failure: [end], on_success: end}, "
                "end: {type: terminal}}"
            ),
            "map of message and status",
        ),
        (
            "{initial: end, end: {type: terminal, status: fine}}",
            "invalid terminal status 'fine': must be 'success' or 'failure'",
        ),
        (
            "{initial: a, a: {type: steps, command: 'true', on_success: end}, end: {type: terminal}}",
            "unknown type 'steps'",
        ),
        (
            "{initial: a, a: {type: step, command: 'true'}, end: {type: terminal}}",
            "must have on_success, on_failure or transitions",
        ),
    ],
)
def test_3_10_what_is_refused_at_load(states: str, message: str) -> None:
    assert message in refused(f"name: main\nstates: {states}\n")


def test_3_10_all_that_is_wrong_is_told_at_once() -> None:
    message = refused("""
        name: main
        states:
          initial: a
          a: {type: step, command: "true", on_success: x}
          b: {type: parallel, parallel: [y], on_success: z}
          end: {type: terminal, status: maybe}
        """)
    for name in ("'x'", "'y'", "'z'", "'maybe'"):
        assert name in message
