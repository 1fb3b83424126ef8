"""Parallel blocks: strategies, what a branch is, what is kept (3.5, 4.9)."""

from __future__ import annotations

import json

import pytest

from conformance.harness import Result, refused, run

COMMANDS = {
    "ok": "echo ok",
    "bad": "echo bad; exit 3",
    "slow": "sleep 600",
    "bad2": "exit 4",
    "ok2": "echo ok2",
}


def block(branches: str, keys: str = "", **extra: str) -> Result:
    states = "\n".join(
        f"          {name}: {{type: step, command: '{command}'{extra.get(name, '')}}}"
        for name, command in COMMANDS.items()
        if name in branches.split(", ")
    )
    return run(f"""
        name: main
        states:
          initial: par
          par: {{type: parallel, parallel: [{branches}], on_success: good, on_failure: caught{keys}}}
{states}
          good: {{type: terminal, message: "{{{{states.par.Output}}}}"}}
          caught: {{type: terminal, status: failure, message: "caught {{{{states.par.ExitCode}}}}"}}
        """)


@pytest.mark.parametrize(
    ("branches", "keys", "status"),
    [
        ("ok, ok2", "", "completed"),
        ("ok, bad", "", "failed"),
        ("ok, ok2", ", strategy: all_succeed", "completed"),
        ("bad, slow", ", strategy: all_succeed", "failed"),
        ("bad, ok", ", strategy: any_succeed", "completed"),
        ("bad, ok, slow", ", strategy: any_succeed", "completed"),
        ("bad, bad2", ", strategy: any_succeed", "failed"),
        ("bad, bad2", ", strategy: best_effort", "completed"),
        ("bad, ok", ", strategy: best_effort", "completed"),
        ("ok", ", strategy: best_effort", "completed"),
    ],
)
def test_4_9_strategies(branches: str, keys: str, status: str) -> None:
    result = block(branches, keys)
    assert result.status == status, result.error


def test_4_9_the_first_failure_ends_the_others() -> None:
    result = block("slow, bad")
    assert result.error == "caught 3"
    assert result.steps["par"].error == "branch 'bad' failed: exit code 3"
    assert (result.steps["par/slow"].error, result.steps["par/slow"].exit_code) == ("cancelled", 143)
    assert result.steps["par/bad"].error == "exit code 3"


def test_4_9_the_first_success_ends_the_others() -> None:
    result = block("slow, ok", ", strategy: any_succeed")
    assert result.status == "completed"
    assert result.steps["par"].status == "completed"
    assert result.steps["par/slow"].error == "cancelled"


def test_4_9_any_succeed_fails_with_a_branchs_error_when_all_fail() -> None:
    result = block("bad, bad2", ", strategy: any_succeed")
    assert result.error == "caught 4"
    assert result.steps["par"].error == "branch 'bad2' failed: exit code 4"


def test_4_9_an_unrouted_failure_names_the_block_and_the_branch() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], on_success: done}
          x: {type: step, command: "echo why >&2; exit 5"}
          y: {type: step, command: "sleep 600"}
          done: {type: terminal}
        """)
    assert (result.status, result.exit_code) == ("failed", 5)
    assert result.error == "step 'par' failed: branch 'x' failed: why"


def test_4_9_cancelled_siblings_end_by_sigterm_first() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], on_success: done, on_failure: show}
          x: {type: step, command: "trap 'echo told; exit 0' TERM; touch ready; while :; do sleep 0.02; done"}
          y: {type: step, command: "while ! test -e ready; do sleep 0.01; done; exit 1"}
          show: {type: step, command: "printf '%s' '{{states.x.Output}}'", on_success: done}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert result.outputs["show"] == "told\n"
    assert (result.steps["par/x"].status, result.steps["par/x"].error) == ("failed", "cancelled")


def test_4_9_a_sibling_that_ignores_sigterm_is_killed_after_the_grace() -> None:
    result = run(
        """
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], on_success: done, on_failure: done}
          x: {type: step, command: "trap '' TERM; touch ready; while :; do sleep 0.02; done"}
          y: {type: step, command: "while ! test -e ready; do sleep 0.01; done; exit 1"}
          done: {type: terminal}
        """,
        grace=0.1,
    )
    assert result.status == "completed", result.error
    assert result.steps["par/x"].error == "cancelled"


def test_4_9_the_output_is_a_json_object_of_the_branches_outputs() -> None:
    result = block("ok, bad, ok2", ", strategy: best_effort")
    (done,) = result.of("execution.completed")
    assert json.loads(done.message) == {"ok": "ok\n", "bad": "bad\n", "ok2": "ok2\n"}
    assert list(json.loads(done.message)) == ["ok", "bad", "ok2"]
    (fact,) = [fact for fact in result.of("step.completed") if fact.state == "par"]
    assert fact.response == {"ok": "ok\n", "bad": "bad\n", "ok2": "ok2\n"}


def test_4_9_results_of_branches_keep_everything() -> None:
    result = run(
        """
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, call], strategy: best_effort, on_success: show}
          x: {type: step, command: "echo out; echo err >&2; exit 5", retry: {max_attempts: 2}}
          call: {type: call_workflow, workflow: child}
          show:
            type: step
            command: >
              printf '%s|' {{states.x.Output}} {{states.x.Stderr}} {{states.x.ExitCode}} {{states.x.Status}}
              {{states.call.Response.n}} {{states.par.Response.x}}
            on_success: done
          done: {type: terminal}
        """,
        files={
            "child": """
            name: child
            outputs: [{name: n, from: states.c.Output}]
            states:
              initial: c
              c: {type: step, command: "printf 7", on_success: end}
              end: {type: terminal}
            """
        },
    )
    assert result.status == "completed", result.error
    assert result.outputs["show"] == "out|err|5|failed|7|out|"
    assert result.steps["par/x"].attempt == 2


@pytest.mark.parametrize("strategy", ["all_succeed", "any_succeed"])
def test_a_branch_succeeds_as_its_state_would_with_continue_on_error(strategy: str) -> None:
    result = block("bad", f", strategy: {strategy}", bad=", continue_on_error: true")
    assert result.status == "completed", result.error
    assert result.steps["par/bad"].status == "failed"


def test_continue_on_error_of_one_branch_lets_the_others_end() -> None:
    result = block("bad, ok", "", bad=", continue_on_error: true")
    assert result.status == "completed", result.error
    assert result.outputs["par/ok"] == "ok\n"


def test_a_branch_that_succeeds_after_retries_succeeds() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], on_success: done}
          x: {type: step, command: "test -e flag || { touch flag; exit 1; }", retry: {max_attempts: 3, initial_delay: 5ms}}
          y: {type: step, command: "true"}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert result.steps["par/x"].attempt == 2


def test_where_a_branch_would_go_does_not_matter() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y, z], strategy: best_effort, on_success: done}
          x: {type: step, command: "true", on_success: elsewhere}
          y: {type: step, command: "false", on_failure: elsewhere}
          z: {type: step, command: "true", transitions: [{goto: elsewhere}]}
          elsewhere: {type: step, command: "touch wrong", on_success: done}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert result.order == ["par", "par/x", "par/y", "par/z"]


def test_a_branch_that_fails_is_a_failure_whatever_its_on_failure_says() -> None:
    result = block("bad", "", bad=", on_failure: good")
    assert result.error == "caught 3"


def test_an_inline_failure_of_a_branch_is_its_failure() -> None:
    result = block("bad, ok", ", strategy: any_succeed", bad=", on_failure: {message: no, status: 9}")
    assert result.status == "completed", result.error


def test_4_9_a_branch_that_cannot_start_is_a_failed_branch() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], strategy: any_succeed, on_success: done}
          x: {type: step, command: "echo {{inputs.nothing}}"}
          y: {type: step, command: "true"}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert "inputs.nothing" in (result.steps["par/x"].error or "")


def test_a_terminal_as_a_branch_succeeds_or_fails() -> None:
    text = """
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, end], on_success: good, on_failure: caught}
          x: {type: step, command: "true"}
          end: {type: terminal, status: STATUS}
          good: {type: terminal}
          caught: {type: terminal, status: failure, message: caught}
        """
    assert run(text.replace("STATUS", "success")).status == "completed"
    assert run(text.replace("STATUS", "failure")).error == "caught"


@pytest.mark.parametrize(("most", "expected"), [(1, 1), (2, 2), (0, 4)])
def test_4_9_max_concurrent(most: int, expected: int) -> None:
    result = run(f"""
        name: main
        states:
          initial: par
          par: {{type: parallel, parallel: [a, b, c, d], max_concurrent: {most}, on_success: done}}
          a: {{type: step, command: "sleep 0.02"}}
          b: {{type: step, command: "sleep 0.02"}}
          c: {{type: step, command: "sleep 0.02"}}
          d: {{type: step, command: "sleep 0.02"}}
          done: {{type: terminal}}
        """)
    assert result.status == "completed", result.error
    running = peak = 0
    for kind, fact in zip(result.types(), (entry.fact for entry in result.facts), strict=True):
        if kind == "step.started" and fact.state != "par":  # type: ignore[union-attr]
            running += 1
            peak = max(peak, running)
        elif kind == "step.completed":
            running -= 1
    assert peak == expected


def test_4_9_branches_that_have_not_begun_never_begin_once_it_is_decided() -> None:
    result = block("bad, ok, ok2", ", max_concurrent: 1")
    assert result.order == ["par", "par/bad"]
    result = block("ok, bad, ok2", ", max_concurrent: 1, strategy: any_succeed")
    assert result.order == ["par", "par/ok"]


def test_4_9_more_branches_than_slots() -> None:
    names = [f"b{index}" for index in range(8)]
    states = "\n".join(f"          {name}: {{type: step, command: 'printf {name}'}}" for name in names)
    result = run(
        f"""
        name: main
        states:
          initial: par
          par: {{type: parallel, parallel: [{", ".join(names)}], on_success: done}}
{states}
          done: {{type: terminal}}
        """,
        slots=2,
    )
    assert result.status == "completed", result.error
    assert [result.outputs[f"par/{name}"] for name in names] == names


def test_4_9_nested_blocks() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: parallel, parallel: [one, two], on_success: show}
          one: {type: parallel, parallel: [a, b]}
          two: {type: parallel, parallel: [c, d], strategy: any_succeed}
          a: {type: step, command: "printf 1"}
          b: {type: step, command: "printf 2"}
          c: {type: step, command: "exit 1"}
          d: {type: step, command: "printf 4"}
          show: {type: step, command: "printf '%s' '{{states.outer.Output}}'", on_success: done}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    found = json.loads(result.outputs["show"])
    assert json.loads(found["one"]) == {"a": "1", "b": "2"}
    assert json.loads(found["two"])["d"] == "4"
    assert "outer/one/a" in result.steps


def test_4_9_a_failure_in_one_nested_block_ends_the_other() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: parallel, parallel: [one, two], on_success: done}
          one: {type: parallel, parallel: [a, b]}
          two: {type: parallel, parallel: [c, each]}
          a: {type: step, command: "sleep 600"}
          b: {type: step, command: "sleep 600"}
          c: {type: step, command: "exit 7"}
          each: {type: for_each, items: "1", body: [d]}
          d: {type: step, command: "sleep 600"}
          done: {type: terminal}
        """)
    assert (result.status, result.exit_code) == ("failed", 7)
    assert result.error == "step 'outer' failed: branch 'two' failed: branch 'c' failed: exit code 7"
    for path in ("outer/one", "outer/one/a", "outer/one/b", "outer/two/each", "outer/two/each[0]/d"):
        assert result.steps[path].error == "cancelled", path


def test_loops_in_parallel_never_mix() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [l1, l2, l3], on_success: done}
          l1: {type: for_each, items: "a,b,c", body: [s1]}
          l2: {type: for_each, items: "x,y,z", body: [s2]}
          l3: {type: while, while: "loop.Index < 3", body: [s3]}
          s1: {type: step, command: "sleep 0.0{{loop.Index}}; echo {{loop.Item}}{{loop.Index}}"}
          s2: {type: step, command: "sleep 0.0{{loop.Index1}}; echo {{loop.Item}}{{loop.Index}}"}
          s3: {type: step, command: "echo {{loop.Index}} {{loop.Length}}"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert [result.outputs[f"par/l1[{index}]/s1"] for index in range(3)] == ["a0\n", "b1\n", "c2\n"]
    assert [result.outputs[f"par/l2[{index}]/s2"] for index in range(3)] == ["x0\n", "y1\n", "z2\n"]
    assert [result.outputs[f"par/l3[{index}]/s3"] for index in range(3)] == ["0 -1\n", "1 -1\n", "2 -1\n"]


def test_branches_in_a_loop_see_its_item() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "a,b", body: [par], on_complete: done}
          par: {type: parallel, parallel: [x, inner]}
          x: {type: step, command: "printf {{loop.Item}}"}
          inner: {type: for_each, items: "1", body: [y]}
          y: {type: step, command: "printf {{loop.Item}}{{loop.Parent.Item}}"}
          done: {type: terminal}
        """)
    assert result.outputs["each[0]/par/x"] == "a"
    assert result.outputs["each[1]/par/inner[0]/y"] == "1b"


def test_a_loop_in_a_branch_that_is_left_is_a_branch_that_succeeded() -> None:
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [each, x], on_success: done}
          each: {type: for_each, items: "1,2", body: [y]}
          y: {type: step, command: "true", on_success: other}
          x: {type: step, command: "true"}
          other: {type: step, command: "true", on_success: done}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert sorted(result.order) == ["par", "par/each", "par/each[0]/y", "par/x"]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("{type: parallel, on_success: end}", "branches are required for parallel-type steps"),
        ("{type: parallel, parallel: [], on_success: end}", "branches are required for parallel-type steps"),
        (
            "{type: parallel, parallel: [b], strategy: some, on_success: end}",
            "invalid parallel strategy 'some': must be one of all_succeed, any_succeed, best_effort",
        ),
        (
            "{type: parallel, parallel: [b, nope], on_success: end}",
            "state 'a' references undefined state 'nope'",
        ),
        ("{type: parallel, parallel: [b, a], on_success: end}", "state 'a' contains itself"),
        ("{type: parallel, parallel: [b, b], on_success: end}", "duplicate branch 'b'"),
        ("{type: parallel, parallel: [b], max_concurrent: -1, on_success: end}", "max_concurrent"),
        ("{type: parallel, parallel: [b], max_concurrent: two, on_success: end}", "max_concurrent"),
    ],
)
def test_3_5_what_is_refused_at_load(state: str, message: str) -> None:
    assert message in refused(f"""
        name: main
        states:
          initial: a
          a: {state}
          b: {{type: step, command: "true", on_failure: end}}
          end: {{type: terminal}}
        """)
