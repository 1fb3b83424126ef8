"""Where an execution can be resumed, and what is taken over: the pure part."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest
from msgspec.structs import replace

from awf.domain.outcomes import Failed, Succeeded
from awf.domain.workflow import Workflow
from awf.engine.past import Past
from awf.engine.resume import resume_point, resumed_reentry
from awf.engine.stimuli import Continue
from awf.errors import ResumePointInvalid
from awf.journal.events import BlockKept, Entry, StepStarted
from property.driver import Drive
from property.generator import load
from property.world import Script

LOOP = """
    name: main
    states:
      initial: loop
      loop: {type: for_each, items: [x, y], body: [a, b], on_success: done}
      a: {type: step, command: "true"}
      b: {type: step, command: "true"}
      done: {type: terminal}
    """

NARROW = """
    name: main
    states:
      initial: both
      both:
        {type: parallel, parallel: [left, right], strategy: all_succeed, max_concurrent: 1, on_success: done}
      left: {type: for_each, items: [x, y], body: [a, b], continue_on_error: true}
      right: {type: for_each, items: [x, y], body: [a, b]}
      a: {type: step, command: "true"}
      b: {type: step, command: "true"}
      done: {type: terminal}
    """


def started(text: str) -> Drive:
    return Drive(load({"main": dedent(text)}), Script(0, 0)).begin()


def fails(drive: Drive, *steps: str) -> list[Past]:
    """Let everything succeed but these steps; what there is to resume."""
    while not drive.is_over():
        (path,) = drive.running()
        drive.finish(path, Failed("", 1) if path in steps else Succeeded())
    return [Past("exec", drive.journal, len(drive.journal))]


def resumed(lineage: list[Past], workflows: Mapping[str, Workflow], from_step: str | None = None) -> Drive:
    """The resumed execution, begun."""
    point = resume_point(lineage, workflows, from_step).resumed("exec")
    past = Past("exec", lineage[0].entries, point.upto)
    facts = resumed_reentry(past, point, workflows, "main").facts
    accepted = replace(past.accepted, initial=point.from_path, resumed=point)
    drive = Drive(workflows, Script(0, 0), [Entry(1, 500, accepted)])
    drive.decide(Continue(facts))
    return drive


def ran(drive: Drive) -> list[str]:
    return [
        entry.fact.path
        for entry in drive.journal
        if isinstance(entry.fact, StepStarted) and entry.fact.kind == "step"
    ]


def test_a_step_whose_engines_died_is_where_it_goes_on() -> None:
    drive = started(LOOP)
    drive.finish("loop[0]/a", Succeeded())
    for _ in range(3):
        drive = Drive(drive.workflows, drive.script, drive.journal).begin()
    assert drive.state.status == "failed"
    again = resumed([Past("exec", drive.journal, len(drive.journal))], drive.workflows)
    again.go_on()
    assert ran(again) == ["loop[0]/b", "loop[1]/a", "loop[1]/b"]


def test_branches_that_go_on_keep_to_the_limit_of_the_block() -> None:
    drive = started(NARROW)
    lineage = fails(drive, "both/left[1]/a", "both/right[1]/b")
    again = resumed(lineage, drive.workflows)
    while not again.is_over():
        (path,) = again.running()
        again.finish(path)
    assert again.state.status == "completed"
    assert sorted(ran(again)) == ["both/left[1]/a", "both/left[1]/b", "both/right[1]/b"]


def test_what_only_an_execution_before_reached_needs_its_record() -> None:
    drive = started(LOOP)
    lineage = fails(drive, "loop[1]/b")
    again = resumed(lineage, drive.workflows)
    newer = fails(again, "loop[1]/b")
    older = replace_upto(lineage[0], again)
    assert resume_point([*newer, older], drive.workflows, "loop[0]/b").path == "loop[0]/b"
    with pytest.raises(ResumePointInvalid, match=r"'loop\[0\]/b' is nothing that execution exec reached"):
        resume_point(newer, drive.workflows, "loop[0]/b")


def replace_upto(past: Past, newer: Drive) -> Past:
    source = newer.state.accepted.resumed
    assert source is not None
    return Past("before", past.entries, source.upto)


def test_a_block_that_was_being_entered_again_is_entered_as_before() -> None:
    drive = started(LOOP.replace("items: [x, y], body", "hooks: {pre: [{command: x}]}, items: [x, y], body"))
    lineage = fails(drive, "loop[1]/b")
    again = resumed(lineage, drive.workflows)
    assert "loop" in again.state.hooks
    again.cancel()
    newer = fails(again)
    assert again.state.status == "cancelled"
    source = replace_upto(lineage[0], again)
    chain = [
        Past("newer", newer[0].entries, len(newer[0].entries)),
        Past("exec", source.entries, source.upto),
    ]
    point = resume_point(chain, drive.workflows, None)
    assert (point.execution, point.path) == ("exec", "loop[1]/b")
    assert any(isinstance(entry.fact, BlockKept) for entry in again.journal)
