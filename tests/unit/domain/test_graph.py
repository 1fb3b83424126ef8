from __future__ import annotations

from awf.domain.graph import MAIN, Graph
from awf.domain.load import load_workflow


def of(states: str) -> Graph:
    workflow = load_workflow(
        f"name: w\nstates:\n  initial: a\n{states}  end: {{type: terminal}}\n", "w.yaml", "w"
    ).workflow
    assert workflow is not None
    return Graph(workflow)


def line(**edges: str) -> Graph:
    """``a="b c"``: a goes on to b when it succeeds and to c when it fails."""
    states = ""
    for name, targets in edges.items():
        success, _, failure = targets.partition(" ")
        states += f"  {name}: {{type: step, command: x, on_success: {success}, on_failure: {failure}}}\n"
    return of(states)


NESTED = of(
    "  a: {type: step, command: x, on_success: loop}\n"
    "  loop: {type: for_each, items: x, body: [b, c, both], on_complete: z, on_failure: end}\n"
    "  b: {type: step, command: x, on_failure: c}\n"
    "  c: {type: step, command: x, transitions: [{when: 'true', goto: out}, {when: 'true', goto: b}, {goto: loop}]}\n"
    "  both: {type: parallel, parallel: [l, r]}\n"
    "  l: {type: while, while: 'true', body: [m], on_success: nowhere}\n"
    "  r: {type: step, command: x, on_success: nowhere}\n"
    "  m: {type: step, command: x, on_failure: away}\n"
    "  out: {type: step, command: x, on_success: end}\n"
    "  away: {type: step, command: x, on_success: end}\n"
    "  nowhere: {type: step, command: x, on_success: end}\n"
    "  z: {type: step, command: x, on_success: end}\n"
)


def test_what_can_be_reached_in_a_line() -> None:
    assert line(a="b end", b="c", c="b", d="a").reached == {"a", "b", "c", "end"}


def test_what_can_have_run_before_the_first_entry() -> None:
    found = line(a="b c", b="d", c="d", d="b end", e="d")
    assert found.can_precede("a", "d")
    assert found.can_precede("b", "d")
    assert found.can_precede("c", "b")
    assert not found.can_precede("d", "d")
    assert not found.can_precede("end", "d")
    assert not found.can_precede("e", "d")
    assert not found.can_precede("d", "a")


def test_what_can_come_again() -> None:
    found = line(a="b", b="a end", c="end")
    assert found.can_follow("a", "a")
    assert found.can_follow("b", "a")
    assert not found.can_follow("c", "a")
    assert not found.can_follow("end", "end")


def test_in_what_states_are_entered() -> None:
    assert {name: holders for name, holders in NESTED.entered.items() if holders} == {
        "a": {MAIN},
        "loop": {MAIN},
        "b": {"loop"},
        "c": {"loop"},
        "both": {"loop"},
        "l": {"both"},
        "r": {"both"},
        "m": {"l"},
        "out": {MAIN},
        "z": {MAIN},
        "end": {MAIN},
    }


def test_what_branches_name_as_next_is_never_entered() -> None:
    assert "nowhere" not in NESTED.reached
    assert "away" not in NESTED.reached


def test_what_holds_what() -> None:
    assert NESTED.inside("loop") == {"b", "c", "both", "l", "r", "m"}
    assert NESTED.around("m") == {"l", "both", "loop"}
    assert [NESTED.loops(name) for name in ("a", "loop", "b", "l", "m")] == [
        (0, 0),
        (0, 0),
        (1, 1),
        (1, 1),
        (2, 2),
    ]


def test_states_inside_and_outside_of_loops() -> None:
    found = of(
        "  a: {type: for_each, items: x, body: [b], on_complete: b}\n  b: {type: step, command: x, on_success: end}\n"
    )
    assert found.loops("b") == (0, 1)
    assert found.entered["b"] == {"a", MAIN}


def test_the_order_inside_a_loop() -> None:
    assert NESTED.can_precede("b", "c")
    assert not NESTED.can_precede("c", "b")
    assert NESTED.can_follow("c", "b")
    assert NESTED.can_precede("a", "b")
    assert NESTED.can_precede("a", "m")
    assert not NESTED.can_precede("loop", "b")
    assert not NESTED.can_precede("z", "b")
    assert NESTED.can_precede("b", "z")
    assert NESTED.can_precede("m", "z")
    assert NESTED.can_precede("c", "out")
    assert NESTED.can_precede("loop", "z")


def test_a_loop_decides_between_its_iterations() -> None:
    test = NESTED.test("loop")
    assert NESTED.can_follow("both", test)
    assert not NESTED.can_precede("both", "loop")
    assert not NESTED.can_follow("loop", test)
    assert NESTED.test("a") == NESTED.end("a") == "a"


def test_branches_run_side_by_side() -> None:
    assert NESTED.side_by_side("l", "r")
    assert NESTED.side_by_side("m", "r")
    assert not NESTED.side_by_side("m", "l")
    assert not NESTED.side_by_side("b", "c")
    assert not NESTED.can_follow("nowhere", "m")
    assert not of(
        "  a: {type: parallel, parallel: [l, r], on_success: end}\n"
        "  l: {type: step, command: x}\n  r: {type: step, command: x}\n"
    ).can_precede("l", "r")
    assert NESTED.can_precede("l", "z")


def test_a_body_step_leaves_every_loop_around_it_that_does_not_hold_its_target() -> None:
    found = of(
        "  a: {type: for_each, items: x, body: [inner, late]}\n"
        "  inner: {type: while, while: 'true', body: [b]}\n"
        "  b: {type: step, command: x, transitions: [{when: 'true', goto: far}, {when: 'true', goto: late}]}\n"
        "  late: {type: step, command: x}\n"
        "  far: {type: step, command: x, on_success: end}\n"
    )
    assert found.entered["far"] == {MAIN}
    assert found.entered["late"] == {"a"}
    assert found.can_precede("b", "far")


def test_nothing_holds_itself() -> None:
    assert NESTED.circle == ()


def test_deep_nesting_is_measured() -> None:
    depth = 99
    states = "".join(f"  s{n}: {{type: parallel, parallel: [s{n + 1}]}}\n" for n in range(depth))
    found = of(
        f"  a: {{type: for_each, items: x, body: [s0], on_complete: end}}\n{states}  s{depth}: {{type: step, command: x}}\n"
    )
    assert found.loops(f"s{depth}") == (1, 1)
    assert found.nesting(f"s{depth}") == depth + 1
    assert len(found.reached) == depth + 3
