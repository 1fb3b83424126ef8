"""What an execution runs is what it was accepted with, with every file that belonged to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from awf.catalog import Catalog
from awf.domain.workflow import StepState, Workflow
from awf.engine import pinned
from awf.engine.linking import Linked, link
from awf.engine.pinned import Definitions, Pins, pin, pin_aside
from awf.errors import ReplayDiverged
from awf.stores.memory import MemoryStore
from awf.testing.builders import acceptance

FILES = {
    ".awf/workflows/main.yaml": (
        "name: main\nstates:\n  initial: a\n  a: {type: step, script_file: a.sh, on_success: b}\n"
        "  b: {use_template: greet, parameters: {who: you}, on_success: c}\n"
        "  c: {type: call_workflow, workflow: child, on_success: d}\n  d: {type: terminal}\n"
    ),
    ".awf/workflows/child.yaml": (
        "name: child\nstates:\n  initial: a\n  a: {type: step, script_file: sub/a.sh, on_success: b}\n"
        "  b: {type: terminal}\n"
    ),
    ".awf/workflows/a.sh": "echo parent {{workflow.Name}}\n",
    ".awf/workflows/sub/a.sh": "echo child\n",
    ".awf/templates/greet.yaml": (
        "name: greet\nparameters: [{name: who}]\nstates: {greet: {type: step, command: 'echo {{parameters.who}}'}}\n"
    ),
}


@pytest.fixture
def linked(tmp_path: Path) -> Linked:
    """The workflow ``main`` with its files, which are gone afterwards."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    catalog = Catalog(tmp_path, {"HOME": str(tmp_path)})
    found = link(catalog.find("main"), catalog)
    for name in FILES:
        (tmp_path / name).unlink()
    return found


@pytest.fixture
def pins(linked: Linked) -> Pins:
    return pin(linked)


def workflows(pins: Pins, sources: dict[str, str]) -> dict[str, Workflow]:
    async def loaded() -> dict[str, Workflow]:
        store = MemoryStore()
        wanted = acceptance(
            workflow="main",
            file=".awf/workflows/main.yaml",
            definition=pins.definition,
            files=pins.files,
            sources=sources,
        )
        await store.accept(wanted)
        definitions = Definitions(store)
        first = await definitions.workflows(wanted.fact)
        again = await definitions.workflows(wanted.fact)
        assert all(again[name] is workflow for name, workflow in first.items())
        return first

    return asyncio.run(loaded())


def test_the_files_of_every_workflow_are_pinned(pins: Pins) -> None:
    found = workflows(pins, pins.sources)
    assert set(found) == {"main", "child"}
    commands = {
        f"{workflow.identifier}.{name}": state.command.source
        for workflow in found.values()
        for name, state in workflow.states.items()
        if isinstance(state, StepState)
    }
    assert commands == {
        "main.a": "echo parent {{workflow.Name}}\n",
        "main.b": "echo you",
        "child.a": "echo child\n",
    }


def test_a_text_that_is_gone_is_said(pins: Pins) -> None:
    script = pins.definition["file:child:sub/a.sh"]
    sources = {name: text for name, text in pins.sources.items() if name != script}
    with pytest.raises(ReplayDiverged, match="the pinned text of workflow 'child' is not in the store"):
        workflows(pins, sources)


@pytest.mark.parametrize("quick", [0, pinned.QUICK])
def test_however_long_hashing_takes_the_pins_are_the_same(
    linked: Linked, monkeypatch: pytest.MonkeyPatch, quick: int
) -> None:
    monkeypatch.setattr(pinned, "QUICK", quick)
    assert asyncio.run(pin_aside(linked)) == pin(linked)
