"""A workflow drawn as a graph, in Graphviz's DOT and in Mermaid. Pure text.

A loop, or a parallel block, is a node in a frame that holds what it holds; what is held twice is drawn where it is held
first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal, TypeAlias

from awf.domain.graph import inline_failures, members, ways
from awf.domain.workflow import State, TerminalState, Workflow

Direction: TypeAlias = Literal["TB", "LR", "BT", "RL"]

_SHAPES = {
    "parallel": "parallelogram",
    "for_each": "hexagon",
    "while": "hexagon",
    "call_workflow": "component",
}
_MERMAID = {
    "parallel": ("[/", "/]"),
    "for_each": ("{{", "}}"),
    "while": ("{{", "}}"),
    "call_workflow": ("[[", "]]"),
    "terminal": ("([", "])"),
}
_START, _FAILED = "\0start", "\0failed"


def dot(workflow: Workflow, direction: Direction = "TB", highlight: Collection[str] = ()) -> str:
    """The graph for Graphviz."""
    lines = [f"digraph {_quoted(workflow.identifier)} {{", f"  rankdir={direction};", "  compound=true;"]
    lines += ['  node [shape=box, style=rounded, fontname="sans-serif"];', '  edge [fontname="sans-serif"];']
    lines.append(f"  {_quoted(_START)} [shape=point, label={_quoted('')}];")

    def node(state: State, indent: str) -> Iterator[str]:
        attributes = {"label": _label(state)}
        if isinstance(state, TerminalState):
            attributes["shape"] = "doubleoctagon" if state.status == "failure" else "doublecircle"
        elif state.kind in _SHAPES:
            attributes["shape"] = _SHAPES[state.kind]
        if state.name in highlight:
            attributes |= {"style": "rounded,filled", "fillcolor": "gold", "penwidth": "2"}
        shown = ", ".join(f"{key}={_quoted(value)}" for key, value in attributes.items())
        yield f"{indent}{_quoted(state.name)} [{shown}];"

    def frame(state: State, number: int, inner: list[str], indent: str) -> Iterator[str]:
        yield f"{indent}subgraph cluster_{number} {{"
        yield f"{indent}  label={_quoted(state.name)}; style=dashed;"
        yield from inner
        yield f"{indent}}}"

    lines += _nodes(workflow, node, frame)
    if any(True for state in workflow.states.values() for _ in inline_failures(state)):
        lines.append(f"  {_quoted(_FAILED)} [shape=doubleoctagon, label={_quoted('failed')}];")
    for start, end, label in _edges(workflow):
        shown = f" [label={_quoted(label)}]" if label else ""
        lines.append(f"  {_quoted(start)} -> {_quoted(end)}{shown};")
    return "\n".join([*lines, "}", ""])


def mermaid(workflow: Workflow, direction: Direction = "TB", highlight: Collection[str] = ()) -> str:
    """The graph for Mermaid (a ``flowchart``)."""
    ids = {name: f"s{number}" for number, name in enumerate(workflow.states)} | {
        _START: "start",
        _FAILED: "failed",
    }
    lines = [f"flowchart {direction}", "  start(( ))"]

    def node(state: State, indent: str) -> Iterator[str]:
        before, after = _MERMAID.get(state.kind, ("[", "]"))
        yield f'{indent}{ids[state.name]}{before}"{_escaped(_label(state))}"{after}'

    def frame(state: State, number: int, inner: list[str], indent: str) -> Iterator[str]:
        yield f'{indent}subgraph block{number}["{_escaped(state.name)}"]'
        yield from inner
        yield f"{indent}end"

    lines += _nodes(workflow, node, frame)
    if any(True for state in workflow.states.values() for _ in inline_failures(state)):
        lines.append('  failed(["failed"])')
    for start, end, label in _edges(workflow):
        shown = f'|"{_escaped(label)}"|' if label else ""
        lines.append(f"  {ids[start]} -->{shown} {ids[end]}")
    lines += [
        f"  style {ids[name]} fill:gold,stroke-width:3px" for name in workflow.states if name in highlight
    ]
    return "\n".join([*lines, ""])


def _nodes(
    workflow: Workflow,
    node: Callable[[State, str], Iterator[str]],
    frame: Callable[[State, int, list[str], str], Iterator[str]],
) -> list[str]:
    """Every state, those that hold others in frames."""
    drawn: set[str] = set()
    frames = 0

    def draw(state: State, indent: str) -> list[str]:
        nonlocal frames
        drawn.add(state.name)
        held = [
            name for name in dict.fromkeys(members(state)) if name in workflow.states and name not in drawn
        ]
        if not held:
            return list(node(state, indent))
        frames += 1
        number, inner = frames, list(node(state, indent + "  "))
        for name in held:
            if name not in drawn:
                inner += draw(workflow.states[name], indent + "  ")
        return list(frame(state, number, inner, indent))

    held = {name for state in workflow.states.values() for name in members(state)}
    lines: list[str] = []
    for name, state in workflow.states.items():
        if name not in held and name not in drawn:
            lines += draw(state, "  ")
    for name, state in workflow.states.items():
        if name not in drawn:
            lines += draw(state, "  ")
    return lines


def _edges(workflow: Workflow) -> Iterator[tuple[str, str, str]]:
    """Every way from a state to another: from, to, and why; those of failures and conditions say so."""
    yield _START, workflow.initial, ""
    for name, state in workflow.states.items():
        held = members(state)
        for number, member in enumerate(held):
            previous = name if number == 0 or state.kind == "parallel" else held[number - 1]
            yield previous, member, ""
        if held and state.kind != "parallel":
            yield held[-1], name, "next"
        for why, target in ways(state):
            yield name, target, "" if why == "success" else why
        for why, _ in inline_failures(state):
            yield name, _FAILED, why


def _label(state: State) -> str:
    return state.name if state.kind in {"step", "terminal"} else f"{state.name}\n({state.kind})"


def _quoted(text: str) -> str:
    shown = text.replace("\0", "__").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{shown}"'


def _escaped(text: str) -> str:
    """Text that Mermaid shows as it is."""
    shown = text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return shown.replace("\n", "<br>")
