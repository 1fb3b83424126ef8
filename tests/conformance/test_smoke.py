from conformance.harness import run


def test_for_each_over_json_items():
    result = run("""
        name: main
        states:
          initial: each
          each:
            type: for_each
            items: '["a","b","c"]'
            body: [say]
            on_complete: done
          say: {type: step, command: "echo {{loop.Index}} {{.loop.Item}} {{loop.last}}"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert [result.outputs[f"each[{i}]/say"] for i in range(3)] == [
        "0 a false\n",
        "1 b false\n",
        "2 c true\n",
    ]
    assert result.outputs["each"] == "completed 3 iterations"


def test_while_until_ready():
    result = run("""
        name: main
        states:
          initial: loop
          loop:
            type: while
            while: "states.check.Output != 'ready'"
            body: [check]
            on_complete: done
          check: {type: step, command: "if [ {{loop.Index}} -ge 2 ]; then echo ready; else echo no; fi"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert len([p for p in result.order if p.endswith("check")]) == 3


def test_parallel_all_succeed_and_outputs():
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], strategy: all_succeed, on_success: show, on_failure: bad}
          x: {type: step, command: "echo 1"}
          y: {type: step, command: "echo 2"}
          show: {type: step, command: "printf '%s %s' '{{states.par.Output}}' {{states.x.Output}}", on_success: done}
          done: {type: terminal}
          bad: {type: terminal, status: failure}
        """)
    assert result.status == "completed", result.error
    assert result.outputs["show"].startswith('{"x":"1\\n","y":"2\\n"} 1')


def test_parallel_failure_ends_the_others():
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], on_success: done, on_failure: bad}
          x: {type: step, command: "sleep 600"}
          y: {type: step, command: "exit 3"}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: "{{states.par.ExitCode}}"}
        """)
    assert result.status == "failed"
    assert result.error == "3"
    assert result.steps["par/x"].error == "cancelled"


def test_call_with_outputs():
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, inputs: {n: "{{inputs.n}}"}, outputs: {sum: total}, on_success: show}
          show: {type: step, command: "echo {{states.call.Response.total}} {{states.call.Output}}", on_success: done}
          done: {type: terminal}
        """,
        {"n": 5},
        files={
            "child": """
            name: child
            inputs: [{name: n, type: integer}]
            outputs: [{name: sum, from: states.add.Output}]
            states:
              initial: add
              add: {type: step, command: "echo $(( {{inputs.n}} + 1 ))", on_success: ok}
              ok: {type: terminal}
            """
        },
    )
    assert result.status == "completed", result.error
    assert result.outputs["show"] == "6 6\n"
    assert result.order == ["call", "call/add", "show"]


def test_retry_then_success():
    result = run("""
        name: main
        states:
          initial: a
          a:
            type: step
            command: "test -e flag || { touch flag; exit 7; }"
            retry: {max_attempts: 3, initial_delay: 10ms, backoff: linear}
            on_success: done
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert result.steps["a"].attempt == 2
    assert result.of("step.retrying")[0].delay == 0.01


def test_hooks_around_everything():
    result = run("""
        name: main
        hooks:
          workflow_start: [{command: "echo start >> log"}, {log: "begin {{workflow.Name}}"}]
          workflow_error: [{command: "echo error {{error.State}} {{error.ExitCode}} >> log; cat log"}]
        states:
          initial: a
          a:
            type: step
            command: "echo run >> log; exit 4"
            on_success: done
            hooks: {pre: [{command: "echo pre >> log"}], post: [{command: "echo post {{states.a.ExitCode}} >> log"}]}
          done: {type: terminal}
        """)
    assert result.status == "failed"
    assert result.of("hook.finished")[-1].message == "start\npre\nrun\npost 4\nerror a 4\n"


def test_nested_loops_in_parallel_with_block_timeout():
    result = run("""
        name: main
        states:
          initial: par
          par: {type: parallel, parallel: [l1, l2], strategy: best_effort, on_success: done, timeout: 400ms, on_failure: late}
          l1: {type: for_each, items: "a,b", body: [inner]}
          inner: {type: for_each, items: "1,2", body: [say]}
          say: {type: step, command: "echo {{loop.Parent.Item}}{{loop.Item}}"}
          l2: {type: for_each, items: "c", body: [slow]}
          slow: {type: step, command: "sleep 600"}
          done: {type: terminal}
          late: {type: terminal, status: failure, message: "{{states.par.ExitCode}} {{states.par.Status}}"}
        """)
    assert result.status == "failed"
    assert result.error == "124 failed"
    assert result.outputs["par/l1[1]/inner[0]/say"] == "b1\n"
    assert result.steps["par/l2[0]/slow"].error == "cancelled"


def test_body_jump_and_leave():
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "1,2,3", body: [a, b, c], on_complete: done}
          a: {type: step, command: "true", transitions: [{when: "loop.Item == '2'", goto: out}, {goto: c}]}
          b: {type: step, command: "true"}
          c: {type: step, command: "true"}
          out: {type: step, command: "echo left", on_success: done}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert result.order == ["each", "each[0]/a", "each[0]/c", "each[1]/a", "out"]


def test_cancel_in_nested():
    result = run(
        """
        name: main
        hooks: {workflow_cancel: [{command: "echo bye"}]}
        states:
          initial: par
          par: {type: parallel, parallel: [x, y], on_success: done}
          x: {type: step, command: "sleep 600"}
          y: {type: for_each, items: "1", body: [z]}
          z: {type: step, command: "sleep 600"}
          done: {type: terminal}
        """,
        cancel_when=lambda facts: (
            sum(
                1
                for f in facts
                if getattr(f.fact, "kind", "") == "step" and type(f.fact).__name__ == "StepStarted"
            )
            == 2
        ),
    )
    assert result.status == "cancelled"
    assert result.of("hook.finished")[-1].message == "bye\n"
