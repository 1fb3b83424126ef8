"""Long executions cost per decision what short ones do, in counted operations and in what is kept."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import asdict

from awf.engine.state import ExecutionState
from awf.engine.stimuli import World
from property.checks import check_at_rest
from property.driver import WORLD, Drive
from property.generator import CHILDREN, MAIN, load
from property.world import Script

ITERATIONS = 10_000
ITEMS = ",".join("x" * ITERATIONS)

CHILD = """
name: one
states:
  initial: work
  work: {type: step, command: "true", on_success: done}
  done: {type: terminal}
"""
LONG_LOOP = f"""
name: main
states:
  initial: loop
  loop: {{type: for_each, items: "{ITEMS}", body: [work, call, both, test], on_complete: done}}
  work: {{type: step, command: "echo {{{{loop.Index}}}}"}}
  call: {{type: call_workflow, workflow: one}}
  both: {{type: parallel, parallel: [a], strategy: all_succeed}}
  a: {{type: step, command: "true", continue_on_error: true}}
  test: {{type: for_each, items: [], body: [never], break_when: "states.work.ExitCode == 0"}}
  never: {{type: step, command: "true"}}
  done: {{type: terminal}}
"""


@contextmanager
def counted(calls: Counter[str], name: str) -> Iterator[None]:
    """Count calls of Python functions, under a name."""

    def count(frame: Any, happened: str, argument: Any) -> None:
        calls[name] += happened == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def sizes(state: ExecutionState) -> dict[str, int]:
    """How much each collection of a state holds, those of its activities and graphs included."""
    found = {}
    for name, value in asdict(state).items():
        if isinstance(value, (dict, set, list)):
            found[name] = len(value)
    found["results"] = sum(len(sequence.results) for sequence in state.sequences.values())
    found["written"] = sum(
        len(texts) for activity in state.activities.values() for texts in activity.written.values()
    )
    return found


EARLY, LATE = range(1_000, 1_020), range(9_000, 9_020)


def test_the_last_iterations_of_a_long_loop_cost_what_early_ones_do() -> None:
    drive = Drive(load({MAIN: LONG_LOOP, "one": CHILD}), Script(0, failing=0), world=WORLD).begin()
    calls: dict[int, Counter[str]] = {}
    kept: dict[int, dict[str, int]] = {}
    while not drive.state.finished:
        (path,) = drive.running()
        index = drive.state.activities["loop"].index
        if index in EARLY or index in LATE:
            with counted(calls.setdefault(index, Counter()), path.rsplit("]", 1)[1]):
                drive.finish(path)
            kept[index] = sizes(drive.state)
        else:
            drive.finish(path)
        del drive.journal[1:-1]
    assert drive.state.status == "completed"
    check_at_rest(drive.state)
    early, late = most(calls, EARLY), most(calls, LATE)
    assert early.keys() == late.keys()
    # Within two in a hundred: caches of the interpreter fill at moments of their own.
    assert all(abs(late[step] - count) <= count * 0.02 for step, count in early.items()), (early, late)
    assert [kept[index] for index in EARLY] == [kept[index] for index in LATE]


def most(calls: Mapping[int, Counter[str]], iterations: range) -> Counter[str]:
    """The most that any of these iterations took, by step: what a step printed makes a difference."""
    found: Counter[str] = Counter()
    for index in iterations:
        found |= calls[index]
    return found


EMPTY = "type: for_each, items: [], body: [never]"


def test_blocks_with_nothing_to_do_go_round_up_to_the_limit() -> None:
    text = f"""
name: main
states:
  initial: a
  a: {{{EMPTY}, on_success: b}}
  b: {{{EMPTY}, on_success: a}}
  never: {{type: step, command: "true"}}
  done: {{type: terminal}}
"""
    world = World(now=1_000_000, engine="engine-1", max_transitions=ITERATIONS)
    drive = Drive(load({MAIN: text}), Script(0), world=world).run()
    assert "stopped after 10000 transitions" in str(drive.end()[1])


def test_a_long_loop_over_nothing_is_decided_at_once() -> None:
    text = f"""
name: main
states:
  initial: loop
  loop: {{type: for_each, items: "{ITEMS}", body: [inner], on_complete: done}}
  inner: {{{EMPTY}}}
  never: {{type: step, command: "true"}}
  done: {{type: terminal}}
"""
    drive = Drive(load({MAIN: text}), Script(0)).run()
    assert drive.state.status == "completed"
    assert sum(drive.results().values()) == ITERATIONS + 1


@pytest.mark.parametrize("failing", [0, 100])
def test_blocks_may_be_nested_deeper_than_calls_of_functions(failing: int) -> None:
    names, depth = (MAIN, *CHILDREN), 99
    texts = {}
    for name, called in zip(names, (*names[1:], None), strict=True):
        inner = f"type: call_workflow, workflow: {called}" if called else 'type: step, command: "true"'
        loops = [
            f"  s{level}: {{type: for_each, items: [x], body: [s{level + 1}], on_success: done}}"
            for level in range(depth)
        ]
        head = [f"name: {name}", "states:", "  initial: s0"]
        texts[name] = "\n".join([*head, *loops, f"  s{depth}: {{{inner}}}", "  done: {type: terminal}"])
    drive = Drive(load(texts), Script(0, failing)).run()
    assert sum(drive.results().values()) == len(names) * (depth + 1)
    assert drive.state.status == ("failed" if failing else "completed")
