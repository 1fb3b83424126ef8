"""Sub-workflows: inputs, outputs, failures, depth, circles (3.7, 10.6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.harness import Result, refused, run

CHILD = """
    name: child
    inputs:
      - {name: n, type: integer, default: 1}
      - {name: flag, type: boolean, default: false}
      - {name: text, default: none}
      - {name: list, type: array, default: []}
      - {name: map, type: object, default: {}}
    outputs: OUTPUTS
    states:
      initial: c
      c: {type: step, command: "COMMAND", on_success: end}
      end: {type: terminal}
"""


def call(
    keys: str = "", command: str = "true", outputs: str = "[]", inputs: dict[str, Any] | None = None
) -> Result:
    child = CHILD.replace("COMMAND", command).replace("OUTPUTS", outputs)
    return run(
        f"""
        name: main
        states:
          initial: call
          call: {{type: call_workflow, workflow: child, on_success: show, {keys}}}
          show: {{type: step, command: "printf '%s' {{{{escape .states.call.Output}}}}", on_success: done}}
          done: {{type: terminal}}
        """,
        inputs,
        files={"child": child},
    )


# Inputs


@pytest.mark.parametrize(
    ("given", "inputs", "command", "expected"),
    [
        ("{n: '{{inputs.n}}'}", {"n": 5}, "printf %s $(( {{inputs.n}} + 1 ))", "6"),
        ("{n: '{{inputs.n}}'}", {"n": "5"}, "printf %s $(( {{inputs.n}} + 1 ))", "6"),
        ("{n: 7}", {}, "printf %s {{inputs.n}}", "7"),
        ("{flag: true}", {}, "printf %s {{inputs.flag}}", "true"),
        ("{flag: '{{inputs.f}}'}", {"f": "yes"}, "printf %s {{inputs.flag}}", "true"),
        ("{text: 'a {{inputs.n}} b'}", {"n": 5}, "printf %s '{{inputs.text}}'", "a 5 b"),
        (
            "{list: '{{inputs.l}}'}",
            {"l": [1, "x"]},
            "printf %s {{len .inputs.list}}{{index .inputs.list 1}}",
            "2x",
        ),
        ("{list: ['{{inputs.n}}', 2]}", {"n": 5}, "printf %s '{{inputs.list}}'", "[5,2]"),
        ("{map: {k: '{{inputs.n}}'}}", {"n": 5}, "printf %s '{{inputs.map.k}}'", "5"),
        ("{map: '{{inputs.m}}'}", {"m": {"k": [1]}}, "printf %s '{{json .inputs.map}}'", '{"k":[1]}'),
        ("{}", {"n": 9}, "printf %s {{inputs.n}}{{inputs.text}}", "1none"),
    ],
)
def test_10_6_typed_inputs_stay_typed(
    given: str, inputs: dict[str, Any], command: str, expected: str
) -> None:
    result = call(f"inputs: {given}", command=command.replace('"', '\\"'), inputs=inputs)
    assert result.status == "completed", result.error
    assert result.outputs["call/c"] == expected


def test_10_6_a_child_does_not_see_the_inputs_and_states_of_its_parent() -> None:
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: step, command: "printf parent", on_success: call}
          call: {type: call_workflow, workflow: child, on_success: show}
          show: {type: step, command: "printf {{states.a.Output}}", on_success: done}
          done: {type: terminal}
        """,
        {"mine": "x"},
        files={
            "child": """
            name: child
            states:
              initial: a
              a: {type: step, command: "true", transitions: [{when: "inputs.mine == nil", goto: b}], on_success: bad}
              b: {type: step, command: "printf '%s' '{{workflow.Name}}{{states.a.Output}}'", on_success: end}
              end: {type: terminal}
              bad: {type: terminal, status: failure}
            """
        },
    )
    assert result.status == "completed", result.error
    assert result.outputs["call/b"] == "child"
    assert result.outputs["show"] == "parent"


def test_10_6_a_child_does_not_see_the_loop_of_its_parent() -> None:
    child = """
        name: child
        states:
          initial: each
          each: {type: for_each, items: "x", body: [say], on_complete: end}
          say: {type: step, command: "printf '%s' '{{loop.Item}}'",
                transitions: [{when: "loop.Parent == nil", goto: each}, {goto: end2}]}
          end: {type: terminal}
          end2: {type: terminal, status: failure, message: parent seen}
        """
    result = run(
        """
        name: main
        states:
          initial: each
          each: {type: for_each, items: "a,b", body: [call], on_complete: done}
          call: {type: call_workflow, workflow: child}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert result.status == "completed", result.error
    assert "each[1]/call/each[0]/say" in result.order


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("inputs: {n: word}", 'inputs.n: cannot convert "word" to integer'),
        ("inputs: {n: '{{inputs.gone}}'}", "inputs.gone"),
        ("inputs: {flag: maybe}", "inputs.flag: cannot convert"),
    ],
)
def test_10_6_inputs_that_do_not_fit_are_a_failure_of_the_call(keys: str, error: str) -> None:
    result = call(f"{keys}, on_failure: show")
    assert result.status == "completed", result.error
    assert error in (result.steps["call"].error or "")
    assert result.steps["call"].status == "failed"


def test_10_6_undeclared_inputs_of_a_call_are_usable_and_warned_of_in_the_record() -> None:
    result = call("inputs: {extra: 1, text: x}", command="printf '%s' {{inputs.text}}")
    (warning,) = result.steps["call"].warnings
    assert "extra" in warning
    assert "text" not in warning


def test_10_6_a_required_input_of_the_child_that_is_missing_is_a_failure_of_the_call() -> None:
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done}
          done: {type: terminal}
        """,
        files={
            "child": """
            name: child
            inputs: [{name: must, required: true}]
            states:
              initial: end
              end: {type: terminal}
            """
        },
    )
    assert result.status == "failed"
    assert "inputs.must: required but not provided" in result.error
    assert result.error.startswith("step 'call' failed: ")


# Outputs


@pytest.mark.parametrize(
    ("outputs", "keys", "command", "output", "response"),
    [
        ("[{name: o, from: states.c.Output}]", "", "echo hi", "hi", {"o": "hi"}),
        ("[{name: o, from: states.c.Output}]", "outputs: {o: mine}", "printf hi", "hi", {"mine": "hi"}),
        ("[{name: o, from: states.c.ExitCode}]", "", "true", "0", {"o": 0}),
        (
            "[{name: o, from: states.c.Output}, {name: e, from: states.c.ExitCode}]",
            "outputs: {e: code}",
            "printf hi",
            '{"o":"hi","code":0}',
            {"o": "hi", "code": 0},
        ),
        ("{o: states.c.Output}", "", "printf hi", "hi", {"o": "hi"}),
        ("[{name: o, from: inputs.n}]", "inputs: {n: 4}", "true", "4", {"o": 4}),
        ("[]", "", "echo last", "last\n", None),
    ],
)
def test_10_6_outputs(outputs: str, keys: str, command: str, output: str, response: Any) -> None:
    result = call(keys, command=command, outputs=outputs)
    assert result.status == "completed", result.error
    (fact,) = [fact for fact in result.of("step.completed") if fact.state == "call"]
    assert (fact.output, fact.response) == (output, response)


def test_10_6_the_response_is_reachable_in_templates_and_expressions() -> None:
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, outputs: {sum: total}, on_success: bad,
                 transitions: [{when: "int(states.call.Response.total) == 3", goto: show}]}
          show: {type: step, command: "printf '%s %s' {{.states.call.Response.total}} {{states.call.Response.word}}", on_success: done}
          done: {type: terminal}
          bad: {type: terminal, status: failure}
        """,
        files={
            "child": """
            name: child
            outputs: [{name: sum, from: states.c.Output}, {name: word, from: states.d.Output}]
            states:
              initial: c
              c: {type: step, command: "echo 3", on_success: d}
              d: {type: step, command: "printf w", on_success: end}
              end: {type: terminal}
            """
        },
    )
    assert result.status == "completed", result.error
    assert result.outputs["show"] == "3 w"


def test_10_6_without_outputs_the_childs_last_output_is_the_output() -> None:
    child = """
        name: child
        states:
          initial: c
          c: {type: step, command: "printf first", on_success: par}
          par: {type: parallel, parallel: [x], on_success: d}
          x: {type: step, command: "printf branch"}
          d: {type: step, command: "printf last", on_success: end}
          end: {type: terminal}
        """
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: show}
          show: {type: step, command: "printf {{states.call.Output}}", on_success: done}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert result.outputs["show"] == "last"


def test_10_6_outputs_of_a_step_that_did_not_run_are_nil() -> None:
    child = """
        name: child
        outputs: [{name: a, from: states.c.Output}, {name: b, from: states.d.Output}]
        states:
          initial: c
          c: {type: step, command: "printf x", on_success: end, on_failure: d}
          d: {type: step, command: "printf y", on_success: end}
          end: {type: terminal}
        """
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert result.status == "completed", result.error
    (fact,) = [fact for fact in result.of("step.completed") if fact.state == "call"]
    assert fact.response == {"a": "x", "b": None}


def test_10_6_the_documented_block_form() -> None:
    result = run(
        """
        name: main
        states:
          initial: call
          call:
            type: call_workflow
            call_workflow: {workflow: child, inputs: {n: 4}, outputs: {o: mine}, timeout: 30s}
            on_success: show
          show: {type: step, command: "printf '%s' {{states.call.Response.mine}}", on_success: done}
          done: {type: terminal}
        """,
        files={
            "child": CHILD.replace("COMMAND", "printf '%s' {{inputs.n}}").replace(
                "OUTPUTS", "[{name: o, from: states.c.Output}]"
            )
        },
    )
    assert result.status == "completed", result.error
    assert result.outputs["show"] == "4"
    assert result.of("step.started")[0].timeout == 30


def test_timeout_of_a_call_is_none_by_default() -> None:
    assert call().of("step.started")[0].timeout is None


# Failures


@pytest.mark.parametrize(
    ("ending", "error", "code"),
    [
        ("c: {type: step, command: 'exit 6', on_success: end}", "step 'c' failed: exit code 6", 6),
        ("c: {type: step, command: 'true', on_success: stop}", "no: 0", 9),
        (
            "c: {type: step, command: 'false', on_success: end, on_failure: {message: inline, status: 8}}",
            "inline",
            8,
        ),
        (
            "c: {type: step, command: 'true', on_failure: end}",
            "state 'c' succeeded but names no next state",
            1,
        ),
    ],
)
def test_10_6_a_childs_failure_is_routed(ending: str, error: str, code: int) -> None:
    child = f"""
        name: child
        states:
          initial: c
          {ending}
          stop: {{type: terminal, status: failure, message: "no: {{{{states.c.ExitCode}}}}", exit_code: 9}}
          end: {{type: terminal}}
        """
    text = """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done ROUTE}
          caught: {type: terminal, status: failure, message: "caught {{states.call.ExitCode}}"}
          done: {type: terminal}
        """
    result = run(text.replace("ROUTE", ", on_failure: caught"), files={"child": child})
    assert result.error == f"caught {code}"
    assert result.steps["call"].error == error
    result = run(text.replace("ROUTE", ""), files={"child": child})
    assert (result.status, result.error, result.exit_code) == ("failed", f"step 'call' failed: {error}", code)


def test_10_6_a_sub_workflow_that_is_not_found_is_routed() -> None:
    text = """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: nowhere, on_success: done ROUTE}
          caught: {type: terminal, status: failure, message: caught}
          done: {type: terminal}
        """
    assert run(text.replace("ROUTE", ", on_failure: caught")).error == "caught"
    result = run(text.replace("ROUTE", ""))
    assert result.error == "step 'call' failed: sub-workflow not found: nowhere"


def test_10_6_a_child_that_is_broken_is_refused_before_anything_runs() -> None:
    message = refused(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done}
          done: {type: terminal}
        """,
        files={"child": "name: child\nstates: {initial: gone, end: {type: terminal}}\n"},
    )
    assert "child" in message
    assert "initial state 'gone' is not defined" in message


def test_10_6_the_exit_code_of_a_child_that_succeeds_is_not_a_failure() -> None:
    child = """
        name: child
        states:
          initial: end
          end: {type: terminal, exit_code: 4}
        """
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert (result.status, result.exit_code) == ("completed", 0)


# Frames


def test_10_6_steps_of_a_child_are_in_the_parents_record() -> None:
    result = call(command="echo hi")
    assert result.order == ["call", "call/c", "show"]
    assert len(result.of("execution.accepted")) == 1


def test_10_6_a_second_call_begins_with_nothing_of_the_first() -> None:
    child = """
        name: child
        inputs: [{name: n, type: integer}]
        outputs: [{name: second, from: states.b.Output}]
        states:
          initial: a
          a: {type: step, command: "true", transitions: [{when: "states.b.Output != nil", goto: stale}, {when: "inputs.n == 1", goto: b}, {goto: end}]}
          b: {type: step, command: "printf ran", on_success: end}
          stale: {type: terminal, status: failure, message: stale}
          end: {type: terminal}
        """
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, inputs: {n: 1}, on_success: count, timeout: 30s}
          count: {type: step, command: "echo x >> k; wc -l < k",
                  transitions: [{when: "int(states.count.Output) < 2", goto: call}, {goto: done}]}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert (result.status, result.error) == ("completed", "")


def test_10_6_a_retried_call_begins_with_nothing_of_the_attempt_before() -> None:
    child = """
        name: child
        states:
          initial: a
          a: {type: step, command: "true", transitions: [{when: "states.b.Status != nil", goto: stale}, {goto: b}]}
          b: {type: step, command: "test -e flag || { touch flag; exit 3; }", on_success: end}
          stale: {type: terminal, status: failure, message: stale}
          end: {type: terminal}
        """
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done, retry: {max_attempts: 2}}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert (result.status, result.error) == ("completed", "")
    assert result.steps["call"].attempt == 2


def test_10_6_two_calls_of_one_child_at_once_never_mix() -> None:
    child = """
        name: child
        inputs: [{name: x}]
        outputs: [{name: o, from: states.b.Output}]
        states:
          initial: a
          a: {type: step, command: "sleep 0.02; printf '%s' {{inputs.x}}", on_success: b}
          b: {type: step, command: "printf '%s' '{{states.a.Output}}{{inputs.x}}'", on_success: end}
          end: {type: terminal}
        """
    result = run(
        """
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [one, two], on_success: show}
          one: {type: call_workflow, workflow: child, inputs: {x: p}}
          two: {type: call_workflow, workflow: child, inputs: {x: q}}
          show: {type: step, command: "printf '%s' '{{states.par.Output}}'", on_success: done}
          done: {type: terminal}
        """,
        files={"child": child},
    )
    assert result.status == "completed", result.error
    assert json.loads(result.outputs["show"]) == {"one": "pp", "two": "qq"}


def test_10_6_a_child_has_its_own_identity_in_templates() -> None:
    result = call(command="printf '%s %s' {{workflow.Name}} {{workflow.CurrentState}}")
    assert result.outputs["call/c"] == "child c"


# Depth and circles


def nested(depth: int) -> dict[str, str]:
    files = {
        f"w{level}": f"""
            name: w{level}
            states:
              initial: c
              c: {{type: call_workflow, workflow: w{level + 1}, on_success: end}}
              end: {{type: terminal}}
            """
        for level in range(1, depth)
    }
    files[f"w{depth}"] = """
            name: last
            states:
              initial: c
              c: {type: step, command: "printf deep", on_success: end}
              end: {type: terminal}
            """
    return files


MAIN = """
        name: main
        states:
          initial: c
          c: {type: call_workflow, workflow: w1, on_success: done}
          done: {type: terminal}
        """


def test_10_6_ten_levels_are_fine() -> None:
    result = run(MAIN, files=nested(10))
    assert result.status == "completed", result.error
    assert result.outputs["c/" + "/".join("c" * 10)] == "deep"


def test_10_6_more_than_ten_levels_are_refused() -> None:
    message = refused(MAIN, files=nested(11))
    assert "maximum sub-workflow nesting depth exceeded (max: 10): main -> w1 -> w2" in message
    assert ".awf/workflows/w10.yaml:5:38" in message


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"w1": MAIN.replace("w1", "main").replace("name: main", "name: w1")}, "main -> w1 -> main"),
        ({"w1": MAIN.replace("name: main", "name: other")}, "main -> w1 -> w1"),
        (
            {"w1": MAIN.replace("w1", "w2"), "w2": MAIN.replace("workflow: w1", "workflow: w1")},
            "main -> w1 -> w2 -> w1",
        ),
    ],
)
def test_10_6_circular_calls_are_found_by_identity(files: dict[str, str], path: str) -> None:
    assert f"circular workflow call detected: {path}" in refused(MAIN, files=files)


def test_10_6_the_same_child_twice_is_no_circle() -> None:
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: call_workflow, workflow: mid, on_success: b}
          b: {type: call_workflow, workflow: leaf, on_success: done}
          done: {type: terminal}
        """,
        files={
            "mid": """
            name: mid
            states:
              initial: c
              c: {type: call_workflow, workflow: leaf, on_success: end}
              end: {type: terminal}
            """,
            "leaf": """
            name: leaf
            states:
              initial: c
              c: {type: step, command: "true", on_success: end}
              end: {type: terminal}
            """,
        },
    )
    assert (result.status, result.order) == ("completed", ["a", "a/c", "a/c/c", "b", "b/c"])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            "{type: call_workflow, on_success: end}",
            "call_workflow config is required for call_workflow steps",
        ),
        ("{type: call_workflow, workflow: '', on_success: end}", "call_workflow config is required"),
        ("{type: call_workflow, workflow: x, inputs: [1], on_success: end}", "inputs"),
        ("{type: call_workflow, workflow: x, timeout: -3, on_success: end}", "timeout"),
    ],
)
def test_3_7_what_is_refused_at_load(state: str, message: str) -> None:
    assert message in refused(f"""
        name: main
        states:
          initial: a
          a: {state}
          end: {{type: terminal}}
        """)
