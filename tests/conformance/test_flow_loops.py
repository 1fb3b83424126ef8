"""Loops: for_each, while, their limits, and where body steps lead (3.6, 4.5 to 4.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.harness import Result, refused, run


def each(items: str, keys: str = "", inputs: dict[str, Any] | None = None, command: str = "") -> Result:
    """One ``for_each`` that prints its items."""
    command = command or "printf '%s' {{escape .loop.Item}}"
    return run(
        f"""
        name: main
        states:
          initial: each
          each:
            type: for_each
            items: {items}
            body: [say]
            on_complete: done
            {keys}
          say: {{type: step, command: "{command}"}}
          done: {{type: terminal}}
        """,
        inputs,
    )


def said(result: Result) -> list[str]:
    """What the iterations printed."""
    return [text for path, text in result.outputs.items() if path.endswith("/say")]


# Items (4.6)


@pytest.mark.parametrize(
    ("items", "inputs", "expected"),
    [
        ("""'["a", "b c", ""]'""", {}, ["a", "b c", ""]),
        ("""'[1, 2.5, true, "x"]'""", {}, ["1", "2.5", "true", "x"]),
        ("""'[{"b": 1, "a": [1, 2]}, [3, "z"]]'""", {}, ['{"a":[1,2],"b":1}', '[3,"z"]']),
        ("'[]'", {}, []),
        ("[a, 'b c', 3, true]", {}, ["a", "b c", "3", "true"]),
        ("['{{inputs.x}}-1', '{{inputs.x}}-2']", {"x": "v"}, ["v-1", "v-2"]),
        ("[{k: '{{inputs.x}}'}]", {"x": "v"}, ['{"k":"v"}']),
        ("[]", {}, []),
        ("'{{inputs.list}}'", {"list": ["p", 2, {"q": 1}]}, ["p", "2", '{"q":1}']),
        ("'{{.inputs.list}}'", {"list": []}, []),
        ("'{{.inputs.list}}'", {"list": None}, []),
        ("'{{inputs.text}}'", {"text": '["p","q"]'}, ["p", "q"]),
        ("'{{inputs.text}}'", {"text": " a , b,c "}, ["a", "b", "c"]),
        ("'{{inputs.text}}'", {"text": ""}, []),
        ("'{{inputs.text}}'", {"text": "  \n"}, []),
        ("'{{inputs.text}}'", {"text": "one"}, ["one"]),
        ("a,b, c", {}, ["a", "b", "c"]),
        ("'{{inputs.n}}'", {"n": 5000000}, ["5000000"]),
        ("'{{inputs.a}},{{inputs.a}}'", {"a": "x"}, ["x", "x"]),
        ("'{{json .inputs.list}}'", {"list": ["p", "q,r"]}, ["p", "q,r"]),
        ("'{{split .inputs.text \";\"}}'", {"text": "p; q"}, ["p", "q"]),
    ],
)
def test_4_6_items(items: str, inputs: dict[str, Any], expected: list[str]) -> None:
    result = each(items, inputs=inputs)
    assert result.status == "completed", result.error
    assert said(result) == expected
    assert result.outputs["each"] == f"completed {len(expected)} iterations"


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2", "{not json}", '["a",]', "[a, b]", '{"a": 1', "[NaN]", "[1e999]", '["\\ud800"]',
        pytest.param("[" * 100_000, id="deep"), pytest.param("[" * 101 + "]" * 101, id="one level too deep"),
    ],
)  # fmt: skip
def test_4_6_text_that_looks_like_json_and_does_not_parse_is_an_error(text: str) -> None:
    result = each("'{{inputs.text}}'", inputs={"text": text})
    assert result.status == "failed"
    assert result.error.startswith("step 'each' failed: items: looks like JSON and is not")
    assert said(result) == []


def test_4_6_a_json_object_is_not_a_list() -> None:
    result = each("'{{inputs.text}}'", inputs={"text": '{"a": 1}'})
    assert result.error == "step 'each' failed: items: a JSON object is not a list; give an array"


def test_4_6_malformed_json_without_templates_is_refused_at_load() -> None:
    text = """
        name: main
        states:
          initial: each
          each: {type: for_each, items: '[1, 2', body: [say], on_complete: done}
          say: {type: step, command: "true"}
          done: {type: terminal}
        """
    assert "items: looks like JSON and is not" in refused(text)


def test_4_6_items_from_the_output_of_a_step() -> None:
    result = run("""
        name: main
        states:
          initial: list
          list: {type: step, command: "printf '[1,2]'", on_success: each}
          each: {type: for_each, items: "{{states.list.Output}}", body: [say], on_complete: done}
          say: {type: step, command: "printf '%s' {{loop.Item}}"}
          done: {type: terminal}
        """)
    assert said(result) == ["1", "2"]


def test_4_6_items_are_ordinary_values() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: '[{"name": "x", "tags": ["p", "q"]}]', body: [say], on_complete: done}
          say: {type: step, command: 'printf "%s" "{{.loop.Item.name}} {{index .loop.Item.tags 1}} {{len .loop.Item.tags}}"',
                transitions: [{when: 'loop.Item.name == "x" and loop.Item.tags[0] == "p"', goto: other}]}
          other: {type: step, command: "true", on_success: done}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert said(result) == ["x q 2"]
    assert result.order[-1] == "other"


def test_4_6_items_are_fixed_when_the_loop_starts() -> None:
    result = run("""
        name: main
        states:
          initial: list
          list: {type: step, command: "printf a,b", on_success: each}
          each: {type: for_each, items: "{{states.list.Output}}", body: [list2], on_complete: done}
          list2: {type: step, command: "printf c"}
          done: {type: terminal}
        """)
    (fact,) = [fact for fact in result.of("step.started") if fact.state == "each"]
    assert fact.items == ["a", "b"]


def test_4_5_the_loop_context_in_every_spelling() -> None:
    fields = ("Item", "Index", "Index1", "First", "Last", "Length")
    dotted = " ".join(f"{{{{.loop.{name}}}}}" for name in fields)
    dotless = " ".join(f"{{{{loop.{name}}}}}" for name in fields)
    snake = " ".join(f"{{{{loop.{name.lower()}}}}}" for name in fields)
    result = each("a,b", command=f"echo {dotted} - {dotless} - {snake}")
    assert said(result) == [
        "a 0 1 true false 2 - a 0 1 true false 2 - a 0 1 true false 2\n",
        "b 1 2 false true 2 - b 1 2 false true 2 - b 1 2 false true 2\n",
    ]


def test_4_5_results_of_each_iteration_stay_and_states_has_the_latest() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "a,b,c", body: [say], on_complete: show}
          say: {type: step, command: "printf {{loop.Item}}"}
          show: {type: step, command: "printf '%s %s' {{states.say.Output}} '{{states.each.Output}}'", on_success: done}
          done: {type: terminal}
        """)
    assert [result.outputs[f"each[{index}]/say"] for index in range(3)] == ["a", "b", "c"]
    assert result.outputs["show"] == "c completed 3 iterations"
    assert [fact.index for fact in result.of("loop.iterated")] == [0, 1, 2]


def test_4_5_the_loop_context_ends_with_the_loop() -> None:
    assert "outside of a loop" in refused("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "a", body: [say], on_complete: show}
          say: {type: step, command: "true"}
          show: {type: step, command: "echo {{loop.Item}}", on_success: done}
          done: {type: terminal}
        """)


# Limits


def test_for_each_runs_the_first_items_and_says_how_many_were_left() -> None:
    result = each("a,b,c,d,e", "max_iterations: 2")
    assert said(result) == ["a", "b"]
    (started,) = [fact for fact in result.of("step.started") if fact.state == "each"]
    (ended,) = [fact for fact in result.of("step.completed") if fact.state == "each"]
    assert (started.limit, started.left_out, len(started.items)) == (2, 3, 2)
    assert ended.note == result.steps["each"].note == "3 items beyond max_iterations were left out"
    assert ended.output == "completed 2 iterations"


def test_for_each_says_how_many_were_left_also_when_it_is_left_early() -> None:
    result = each("a,b,c", "max_iterations: 2\n            break_when: loop.First")
    assert said(result) == ["a"]
    assert result.steps["each"].note == "1 item beyond max_iterations was left out"


def test_for_each_at_its_limit_leaves_nothing_out() -> None:
    result = each("a,b", "max_iterations: 2", command="echo {{loop.Last}} {{loop.Length}}")
    assert said(result) == ["false 2\n", "true 2\n"]
    assert [fact.note for fact in result.of("step.completed") if fact.state == "each"] == [""]


@pytest.mark.parametrize("limit", ["", "max_iterations: 0"])
def test_for_each_has_a_limit_of_10000_where_none_is_given(limit: str) -> None:
    items = json.dumps(list(range(10_003)))
    result = run(
        f"""
        name: main
        states:
          initial: each
          each:
            type: for_each
            items: "{{{{inputs.list}}}}"
            body: [say]
            break_when: "loop.Index == 1"
            on_complete: done
            {limit}
          say: {{type: step, command: "true"}}
          done: {{type: terminal}}
        """,
        {"list": items},
    )
    (started,) = [fact for fact in result.of("step.started") if fact.state == "each"]
    assert (started.limit, started.left_out) == (10_000, 3)


@pytest.mark.parametrize(
    ("limit", "inputs", "expected"),
    [
        ("'{{inputs.n}}'", {"n": 2}, 2),
        ("'{{inputs.n}}'", {"n": " 3 "}, 3),
        ("'{{inputs.n}} + 1'", {"n": 1}, 2),
        ("'({{inputs.n}} + 1) * 2 - 1'", {"n": 1}, 3),
        ("'{{inputs.n}} / 2'", {"n": 5}, 2),
        ("'{{inputs.n}} % 4'", {"n": 7}, 3),
        ("'2'", {}, 2),
        ("'1 + 1'", {}, 2),
    ],
)
@pytest.mark.parametrize("kind", ["for_each", "while"])
def test_4_8_dynamic_max_iterations(kind: str, limit: str, inputs: dict[str, Any], expected: int) -> None:
    what = "items: 'a,b,c,d,e,f'" if kind == "for_each" else "while: 'true'"
    result = run(
        f"""
        name: main
        states:
          initial: loop
          loop: {{type: {kind}, {what}, max_iterations: {limit}, body: [say], on_complete: done}}
          say: {{type: step, command: "true"}}
          done: {{type: terminal}}
        """,
        inputs,
    )
    assert result.status == "completed", result.error
    assert len(said(result)) == expected


@pytest.mark.parametrize(
    ("n", "message"),
    [
        ("0", "value 0 must be at least 1"),
        ("-4", "value -4 must be at least 1"),
        ("10001", "value 10001 exceeds maximum allowed limit of 10000"),
        ("many", 'value "many" is invalid: must be an integer'),
        ("2 ** 3", 'value "2 ** 3" is invalid: must be an integer'),
        ("2++3", 'value "2++3" is invalid: must be an integer'),
        ("9" * 400, f'value "{"9" * 40}…" is invalid: the result is too large'),
    ],
    ids=lambda value: value[:12],
)
@pytest.mark.parametrize("kind", ["for_each", "while"])
def test_4_8_a_limit_that_cannot_be_used_fails_the_loop(kind: str, n: str, message: str) -> None:
    what = "items: 'a,b'" if kind == "for_each" else "while: 'true'"
    result = run(
        f"""
        name: main
        states:
          initial: loop
          loop: {{type: {kind}, {what}, max_iterations: "{{{{inputs.n}}}}", body: [say], on_complete: done}}
          say: {{type: step, command: "true"}}
          done: {{type: terminal}}
        """,
        {"n": n},
    )
    assert result.status == "failed"
    assert result.error.startswith("step 'loop' failed: max_iterations: ")
    assert message in result.error
    assert said(result) == []


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("{type: for_each, body: [b], on_complete: end}", "items is required for for_each steps"),
        ("{type: while, body: [b], on_complete: end}", "condition is required for while steps"),
        ("{type: for_each, items: x, on_complete: end}", "body is required for loop steps"),
        ("{type: for_each, items: x, body: [], on_complete: end}", "body is required for loop steps"),
        ("{type: while, while: 'true', on_complete: end}", "body is required for loop steps"),
        ("{type: while, while: '1 +', body: [b], on_complete: end}", "unexpected end"),
        ("{type: while, while: 'true', break_when: '(', body: [b], on_complete: end}", "unexpected end"),
        (
            "{type: for_each, items: x, body: [b, b], on_complete: end}",
            "invalid loop body: duplicate step 'b' in body at indices 0 and 1",
        ),
        (
            "{type: for_each, items: x, body: [b], max_iterations: -1, on_complete: end}",
            "max_iterations must be non-negative",
        ),
        (
            "{type: while, while: 'true', body: [b], max_iterations: 10001, on_complete: end}",
            "max_iterations exceeds maximum allowed limit (10000)",
        ),
        ("{type: for_each, items: x, body: [b], max_iterations: 2.5, on_complete: end}", "max_iterations"),
        (
            "{type: for_each, items: x, body: [b], max_iterations: 'many', on_complete: end}",
            'value "many" is invalid: must be an integer',
        ),
        ("{type: for_each, items: x, body: [a], on_complete: end}", "state 'a' contains itself"),
        ("{type: while, while: 'states.nope.ExitCode == 0', body: [b], on_complete: end}", "nope"),
    ],
)
def test_3_6_what_is_refused_at_load(state: str, message: str) -> None:
    assert message in refused(f"""
        name: main
        states:
          initial: a
          a: {state}
          b: {{type: step, command: "true", on_failure: end}}
          end: {{type: terminal}}
        """)


# while (4.7)


def while_(condition: str, keys: str = "", command: str = "echo {{loop.Index}}") -> Result:
    return run(f"""
        name: main
        states:
          initial: loop
          loop:
            type: while
            while: {json.dumps(condition)}
            body: [say]
            on_complete: done
            {keys}
          say: {{type: step, command: {json.dumps(command)}}}
          done: {{type: terminal}}
        """)


def note_of(result: Result, name: str = "loop") -> str:
    return str(next(fact.note for fact in result.of("step.completed") if fact.state == name))


@pytest.mark.parametrize(
    ("condition", "times"),
    [
        ("loop.Index < 3", 3),
        ("loop.Index1 <= 2", 2),
        ("loop.First", 1),
        ("false", 0),
        ("loop.Length == -1 and loop.Index == 0", 1),
        ("loop.Item == nil and loop.Index < 2", 2),
        ("not loop.Last and loop.Index < 2", 2),
        ("states.say.Output != '2'", 3),
        ("states.say.ExitCode != 0", 1),
        ("not (states.say.Output == '1')", 2),
        ("states.say.Output == '0'", 0),
        ("states.say.ExitCode < 1", 0),
        ("states.say.Output contains '0'", 0),
        ("not (states.say.Output contains '1')", 2),
    ],
)
def test_4_7_the_condition_before_each_iteration(condition: str, times: int) -> None:
    result = while_(condition)
    assert result.status == "completed", result.error
    assert said(result) == [f"{index}\n" for index in range(times)]
    assert result.outputs["loop"] == f"completed {times} iterations"
    assert note_of(result) == ""


@pytest.mark.parametrize("keys", ["", "max_iterations: 0"])
def test_4_7_without_max_iterations_the_limit_is_100(keys: str) -> None:
    result = while_("true", keys, command="true")
    assert result.status == "completed"
    assert len(said(result)) == 100
    assert note_of(result) == "reached its limit of 100 iterations"


def test_4_7_at_the_limit_the_loop_completes_and_its_record_says_so() -> None:
    result = while_("true", "max_iterations: 2")
    assert (result.status, result.error) == ("completed", "")
    assert result.outputs["loop"] == "completed 2 iterations"
    assert note_of(result) == result.steps["loop"].note == "reached its limit of 2 iterations"


def test_4_7_at_the_limit_with_blocks_inside_it_completes_as_well() -> None:
    result = run("""
        name: main
        states:
          initial: loop
          loop: {type: while, while: "true", max_iterations: 2, body: [par, inner], on_success: done}
          par: {type: parallel, parallel: [bad], strategy: best_effort}
          bad: {type: step, command: "exit 1"}
          inner: {type: for_each, items: "a", body: [say]}
          say: {type: step, command: "exit 1", continue_on_error: true}
          done: {type: terminal}
        """)
    assert (result.status, result.error) == ("completed", "")
    assert note_of(result) == "reached its limit of 2 iterations"


def test_4_7_a_condition_that_fails_fails_the_loop() -> None:
    result = run(
        """
        name: main
        states:
          initial: loop
          loop: {type: while, while: "int(inputs.x) > 0", body: [say], on_complete: done}
          say: {type: step, command: "true"}
          done: {type: terminal}
        """,
        {"x": "word"},
    )
    assert result.status == "failed"
    assert result.error.startswith("step 'loop' failed: while: ")


def test_4_7_a_condition_that_is_no_truth_value_fails_the_loop() -> None:
    result = while_("loop.Index + 1")
    assert result.status == "failed"
    assert result.error.startswith("step 'loop' failed: while: ")


def test_4_7_a_body_failure_is_a_failure() -> None:
    result = while_("loop.Index < 5", command="exit 4")
    assert (result.status, result.exit_code) == ("failed", 4)
    assert result.error == "step 'loop' failed: step 'say' failed: exit code 4"
    assert len(said(result)) == 1


# break_when


@pytest.mark.parametrize(
    ("condition", "times"),
    [
        ("loop.Index == 1", 2),
        ("loop.Item == 'b'", 2),
        ("states.say.Output == 'c'", 3),
        ("states.say.ExitCode == 0", 1),
        ("loop.Last", 4),
        ("false", 4),
    ],
)
def test_break_when_is_evaluated_after_each_iteration(condition: str, times: int) -> None:
    result = each("a,b,c,d", f"break_when: {json.dumps(condition)}")
    assert result.status == "completed", result.error
    assert said(result) == list("abcd")[:times]
    assert result.outputs["each"] == f"completed {times} iterations"


def test_break_when_works_in_while() -> None:
    result = while_("true", "break_when: \"states.say.Output == '2'\"")
    assert len(said(result)) == 3
    assert note_of(result) == ""


def test_break_when_never_hides_a_failure() -> None:
    result = each("a,b", 'break_when: "true"', command="exit 3")
    assert (result.status, result.error) == ("failed", "step 'each' failed: step 'say' failed: exit code 3")


def test_break_when_sees_a_failure_that_is_continued() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "a,b,c", body: [say], break_when: "states.say.ExitCode != 0", on_complete: done}
          say: {type: step, command: "test {{loop.Item}} != b", continue_on_error: true}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert len(said(result)) == 2


def test_break_when_that_fails_fails_the_loop() -> None:
    result = each("a,b", 'break_when: "int(loop.Item) > 0"')
    assert result.status == "failed"
    assert result.error.startswith("step 'each' failed: break_when: ")


# Where body steps lead (4.5)


def body(
    steps: str, names: str, items: str = "1,2", loop_keys: str = "on_complete: done, on_failure: caught"
) -> Result:
    return run(f"""
        name: main
        states:
          initial: each
          each: {{type: for_each, items: "{items}", body: [{names}], {loop_keys}}}
          {steps}
          out: {{type: step, command: "true", on_success: done}}
          caught: {{type: step, command: "true", on_success: failed}}
          done: {{type: terminal}}
          failed: {{type: terminal, status: failure, message: "{{{{states.each.ExitCode}}}}"}}
        """)


def trail(result: Result) -> list[str]:
    return [path.removeprefix("each") for path in result.order[1:]]


def test_4_5_body_steps_run_in_order() -> None:
    steps = """a: {type: step, command: "true"}
          b: {type: step, command: "true"}"""
    result = body(steps, "a, b")
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "[0]/b", "[1]/a", "[1]/b"]


@pytest.mark.parametrize(
    "keys", ["on_success: c", "transitions: [{goto: c}]", "transitions: [{when: 'loop.Index >= 0', goto: c}]"]
)
def test_4_5_a_body_step_jumps_forwards(keys: str) -> None:
    steps = f"""a: {{type: step, command: "true", {keys}}}
          b: {{type: step, command: "true"}}
          c: {{type: step, command: "true"}}"""
    assert trail(body(steps, "a, b, c")) == ["[0]/a", "[0]/c", "[1]/a", "[1]/c"]


def test_4_5_a_backward_jump_repeats_within_the_iteration() -> None:
    steps = """a: {type: step, command: "echo x >> n{{loop.Index}}; wc -l < n{{loop.Index}}"}
          b: {type: step, command: "true", transitions: [{when: "int(states.a.Output) < 2", goto: a}]}"""
    result = body(steps, "a, b")
    assert result.status == "completed", result.error
    entered = [fact.path for fact in result.of("state.entered") if fact.via in {"body", "jump"}]
    one = ["each[0]/a", "each[0]/b"] * 2
    assert entered == one + [path.replace("[0]", "[1]") for path in one]
    assert result.outputs["each[0]/a"].strip() == "2"


def test_4_5_a_step_may_jump_to_itself() -> None:
    steps = """a: {type: step, command: "echo x >> n; wc -l < n", transitions: [{when: "int(states.a.Output) < 3", goto: a}]}"""
    result = body(steps, "a", items="1")
    assert result.status == "completed", result.error
    assert result.outputs["each[0]/a"].strip() == "3"


@pytest.mark.parametrize("keys", ["on_success: out", "transitions: [{goto: out}]"])
def test_4_5_a_state_outside_leaves_the_loop(keys: str) -> None:
    steps = f"""a: {{type: step, command: "true", {keys}}}
          b: {{type: step, command: "true"}}"""
    result = body(steps, "a, b")
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "out"]
    assert result.steps["each"].status == "completed"
    assert result.outputs["each"] == "completed 1 iterations"


def test_4_5_leaving_comes_before_break_when_and_the_loops_own_routing() -> None:
    steps = """a: {type: step, command: "true", on_success: out}"""
    result = body(
        steps, "a", loop_keys="break_when: 'true', transitions: [{goto: failed}], on_complete: failed"
    )
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "out"]


def test_4_5_a_terminal_outside_leaves_the_loop_and_ends() -> None:
    result = body("""a: {type: step, command: "true", on_success: failed}""", "a")
    assert (result.status, result.error) == ("failed", "0")


def test_4_5_a_terminal_as_a_body_state_ends_the_execution() -> None:
    steps = """a: {type: step, command: "true"}
          stop: {type: terminal, status: failure, message: "at {{loop.Item}}"}"""
    result = body(steps, "a, stop")
    assert (result.status, result.error) == ("failed", "at 1")
    assert trail(result) == ["[0]/a"]


@pytest.mark.parametrize("keys", ["on_success: each", "on_failure: out", "transitions: [{goto: each}]"])
def test_4_5_the_loops_own_name_goes_on_with_the_next_body_step(keys: str) -> None:
    steps = f"""a: {{type: step, command: "true", {keys}}}
          b: {{type: step, command: "true"}}"""
    assert trail(body(steps, "a, b")) == ["[0]/a", "[0]/b", "[1]/a", "[1]/b"]


def test_4_5_a_failure_routed_to_the_loops_own_name_goes_on() -> None:
    steps = """a: {type: step, command: "exit 1", on_failure: each}
          b: {type: step, command: "true"}"""
    result = body(steps, "a, b")
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "[0]/b", "[1]/a", "[1]/b"]


def test_4_5_a_failure_routed_to_a_body_step_recovers() -> None:
    steps = """a: {type: step, command: "exit 1", on_failure: c}
          b: {type: step, command: "true"}
          c: {type: step, command: "true"}"""
    result = body(steps, "a, b, c")
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "[0]/c", "[1]/a", "[1]/c"]


def test_4_5_a_failure_routed_outside_leaves_the_loop() -> None:
    result = body("""a: {type: step, command: "exit 1", on_failure: out}""", "a")
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "out"]
    assert result.steps["each"].status == "completed"


def test_4_5_continue_on_error_goes_on_with_the_next_body_step() -> None:
    steps = """a: {type: step, command: "exit 1", continue_on_error: true}
          b: {type: step, command: "true"}"""
    assert trail(body(steps, "a, b", items="1")) == ["[0]/a", "[0]/b"]


def test_4_5_continue_on_error_follows_on_success() -> None:
    steps = """a: {type: step, command: "exit 1", continue_on_error: true, on_success: c}
          b: {type: step, command: "true"}
          c: {type: step, command: "true"}"""
    assert trail(body(steps, "a, b, c", items="1")) == ["[0]/a", "[0]/c"]


def test_4_5_an_unrouted_failure_fails_the_loop_which_is_routed() -> None:
    steps = """a: {type: step, command: "true"}
          b: {type: step, command: "exit 6"}"""
    result = body(steps, "a, b")
    assert (result.status, result.error) == ("failed", "6")
    assert trail(result) == ["[0]/a", "[0]/b", "caught"]
    assert result.steps["each"].status == "failed"
    assert result.steps["each"].error == "step 'b' failed: exit code 6"


def test_4_5_a_loop_may_continue_on_error() -> None:
    result = body(
        """a: {type: step, command: "exit 6"}""", "a", loop_keys="continue_on_error: true, on_success: out"
    )
    assert result.status == "completed", result.error
    assert trail(result) == ["[0]/a", "out"]


def test_4_5_on_complete_comes_before_on_success() -> None:
    result = body(
        """a: {type: step, command: "true"}""", "a", loop_keys="on_success: failed, on_complete: out"
    )
    assert trail(result)[-1] == "out"


def test_4_5_a_loop_that_succeeds_with_no_way_on_fails_the_execution() -> None:
    result = body("""a: {type: step, command: "true"}""", "a", loop_keys="on_failure: caught")
    assert result.error == "state 'each' succeeded but names no next state"


# Nested loops


def test_4_5_parent_is_a_full_loop_context() -> None:
    command = (
        "echo {{loop.Item}} {{loop.Parent.Item}} {{.loop.Parent.Index}} {{loop.parent.index1}} {{loop.Parent.First}} "
        "{{.loop.Parent.Last}} {{loop.Parent.Length}} {{loop.Parent.Parent.Item}}"
    )
    result = run(f"""
        name: main
        states:
          initial: l1
          l1: {{type: for_each, items: "x", body: [l2], on_complete: done}}
          l2: {{type: for_each, items: '[{{"k": 1}}, 2]', body: [l3]}}
          l3: {{type: for_each, items: "a,b", body: [say]}}
          say: {{type: step, command: "{command}"}}
          done: {{type: terminal}}
        """)
    assert result.status == "completed", result.error
    assert said(result) == [
        'a {"k":1} 0 1 true false 2 x\n',
        'b {"k":1} 0 1 true false 2 x\n',
        "a 2 1 2 false true 2 x\n",
        "b 2 1 2 false true 2 x\n",
    ]
    assert "l1[0]/l2[1]/l3[0]/say" in result.order


def test_4_5_the_items_of_an_inner_loop_see_the_outer_one() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: for_each, items: '[["a", "b"], ["c"]]', body: [inner], on_complete: done}
          inner: {type: for_each, items: "{{.loop.Item}}", body: [say]}
          say: {type: step, command: "printf {{loop.Item}}"}
          done: {type: terminal}
        """)
    assert said(result) == ["a", "b", "c"]


def test_4_5_an_inner_condition_sees_the_outer_loop_as_parent() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: for_each, items: "1,2", body: [inner], on_complete: done}
          inner: {type: while, while: "loop.Index < int(loop.Parent.Item)", body: [say]}
          say: {type: step, command: "printf '%s' {{loop.Parent.Item}}{{loop.Index}}"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert said(result) == ["10", "20", "21"]


def test_4_5_a_step_of_an_inner_loop_may_jump_in_the_outer_one() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: for_each, items: "1,2", body: [inner, skipped, last], on_complete: done}
          inner: {type: for_each, items: "a,b", body: [say]}
          say: {type: step, command: "true", on_success: last}
          skipped: {type: step, command: "true"}
          last: {type: step, command: "true"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert result.order == [
        "outer",
        "outer[0]/inner",
        "outer[0]/inner[0]/say",
        "outer[0]/last",
        "outer[1]/inner",
        "outer[1]/inner[0]/say",
        "outer[1]/last",
    ]


def test_4_5_a_step_of_an_inner_loop_may_leave_both() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: for_each, items: "1,2", body: [inner, after], on_complete: bad}
          inner: {type: for_each, items: "a,b", body: [say]}
          say: {type: step, command: "true", transitions: [{when: "loop.Item == 'b'", goto: out}]}
          after: {type: step, command: "true"}
          out: {type: step, command: "true", on_success: done}
          done: {type: terminal}
          bad: {type: terminal, status: failure}
        """)
    assert result.status == "completed", result.error
    assert result.order[-2:] == ["outer[0]/inner[1]/say", "out"]


def test_4_5_the_outer_loops_name_continues_it() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: for_each, items: "1,2", body: [inner, after], on_complete: done}
          inner: {type: for_each, items: "a,b", body: [say]}
          say: {type: step, command: "true", on_success: outer}
          after: {type: step, command: "true"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert result.order == [
        "outer",
        "outer[0]/inner",
        "outer[0]/inner[0]/say",
        "outer[0]/after",
        "outer[1]/inner",
        "outer[1]/inner[0]/say",
        "outer[1]/after",
    ]


def test_4_5_an_inner_failure_fails_outwards_until_it_is_routed() -> None:
    result = run("""
        name: main
        states:
          initial: outer
          outer: {type: for_each, items: "1,2", body: [inner, mended], on_complete: done}
          inner: {type: for_each, items: "a,b", body: [say], on_failure: mended}
          say: {type: step, command: "exit 8"}
          mended: {type: step, command: "echo {{states.inner.ExitCode}}"}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert result.outputs["outer[1]/mended"] == "8\n"


def test_body_states_of_every_type() -> None:
    result = run(
        """
        name: main
        states:
          initial: each
          each: {type: for_each, items: "1,2", body: [step, par, call, inner, cond], on_complete: done}
          step: {type: command, command: "true"}
          par: {type: parallel, parallel: [p, q]}
          p: {type: step, command: "printf {{loop.Item}}"}
          q: {type: step, command: "printf {{loop.Index}}"}
          call: {type: call_workflow, workflow: child, inputs: {x: "{{loop.Item}}"}}
          inner: {type: for_each, items: "a", body: [say]}
          say: {type: step, command: "printf '%s' '{{states.par.Output}}{{states.call.Output}}'"}
          cond: {type: while, while: "loop.Index < 1", body: [w]}
          w: {type: step, command: "true"}
          done: {type: terminal}
        """,
        files={
            "child": """
            name: child
            states:
              initial: c
              c: {type: step, command: "printf c{{inputs.x}}", on_success: end}
              end: {type: terminal}
            """
        },
    )
    assert result.status == "completed", result.error
    assert said(result) == ['{"p":"1","q":"0"}c1', '{"p":"2","q":"1"}c2']


def test_a_loop_entered_again_begins_anew() -> None:
    result = run("""
        name: main
        states:
          initial: each
          each: {type: for_each, items: "a,b", body: [say], on_complete: count}
          say: {type: step, command: "printf {{loop.Index}}; echo x >> n"}
          count: {type: step, command: "wc -l < n", transitions: [{when: "int(states.count.Output) < 4", goto: each}, {goto: done}]}
          done: {type: terminal}
        """)
    assert result.status == "completed", result.error
    assert [fact.index for fact in result.of("loop.iterated")] == [0, 1, 0, 1]
