from __future__ import annotations

from awf.domain.graph import Graph
from awf.domain.load import load_workflow


def graph(**edges: str) -> Graph:
    """``a="b c"``: a goes on to b when it succeeds and to c when it fails."""
    states = ""
    for name, targets in edges.items():
        success, _, failure = targets.partition(" ")
        states += f"  {name}: {{type: step, command: x, on_success: {success}, on_failure: {failure}}}\n"
    text = f"name: w\nstates:\n  initial: a\n{states}  end: {{type: terminal}}\n"
    workflow = load_workflow(text, "w.yaml", "w").workflow
    assert workflow is not None
    return Graph(workflow)


def test_what_can_be_reached() -> None:
    assert graph(a="b end", b="c", c="b", d="a").reached == {"a", "b", "c", "end"}


def test_what_can_have_run_before_the_first_entry() -> None:
    found = graph(a="b c", b="d", c="d", d="b end", e="d")
    assert found.can_precede("a", "d")
    assert found.can_precede("b", "d")
    assert found.can_precede("c", "b")
    assert not found.can_precede("d", "d")
    assert not found.can_precede("end", "d")
    assert not found.can_precede("e", "d")
    assert not found.can_precede("d", "a")


def test_what_can_come_again() -> None:
    found = graph(a="b", b="a end", c="end")
    assert found.can_follow("a", "a")
    assert found.can_follow("b", "a")
    assert not found.can_follow("c", "a")
    assert not found.can_follow("end", "end")
