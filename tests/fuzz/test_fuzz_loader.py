"""Whatever text a workflow file has, loading it gives a workflow or says what is wrong, in a bounded time."""

from __future__ import annotations

import time
import tracemalloc
from random import Random

import pytest
import yaml
from hypothesis import strategies as st

from awf.domain import language
from awf.domain.keys import Keys
from awf.domain.load import Loaded, load_workflow
from fuzz.fuzzing import fuzz
from property.generator import workflow_texts

KEYS = sorted({key for table in vars(language).values() if isinstance(table, Keys) for key in table.read})
WORDS = [
    *KEYS, "step", "for_each", "while", "parallel", "call_workflow", "terminal", "agent", "operation", "approval", "a", "b", "main",
    "{{inputs.x}}", "{{.states.a.Output}}", "{{raw .inputs.x}}", "states.a.ExitCode == 1", "loop.Index < 3", "all_succeed",
    "10s", "-1", "0", "1e400", "99999999999999999999", "", "null", "~", "true", "off", "!!binary", "!x", "\ud800",
]  # fmt: skip
MARKS = [
    "\n",
    "\n  ",
    "\n    ",
    ": ",
    "- ",
    ", ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "|\n",
    ">\n",
    "&x ",
    "*x",
    "? ",
    "#",
    "\t",
    "<<",
]
SCALARS = (
    st.sampled_from(WORDS) | st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=8)
)


def load(source: str | bytes) -> Loaded:
    loaded = load_workflow(source, "main.yaml", "main")
    assert (loaded.workflow is None) == bool(loaded.errors)
    text = source if isinstance(source, str) else source.decode(errors="replace")
    lines = len(text.splitlines()) + 1
    for problem in loaded.problems:
        assert 1 <= problem.position.line <= lines, str(problem)
        assert problem.position.column >= 1, str(problem)
    return loaded


def test_pieces_of_workflow_files() -> None:
    pieces = st.lists(st.sampled_from(WORDS + MARKS) | st.text(max_size=4), max_size=60)
    fuzz(pieces.map("".join), load)


def test_bytes() -> None:
    fuzz(st.binary(max_size=200), load)


def test_documents_of_any_shape() -> None:
    values = st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
        ),
        max_leaves=30,
    )
    states = st.dictionaries(st.sampled_from(["a", "b", "initial"]), values, max_size=3)
    documents = st.fixed_dictionaries(
        {"name": st.just("main"), "states": states | values}, optional={"hooks": values}
    )
    fuzz(documents, lambda document: load(yaml.dump(document, allow_unicode=True)))


def test_valid_files_with_a_piece_changed() -> None:
    def changed(choices: tuple[int, float, int, str]) -> str:
        seed, place, length, piece = choices
        text = workflow_texts(Random(seed))["main"]
        start = int(place * len(text))
        return text[:start] + piece + text[start + length :]

    places = st.floats(0, 1)
    pieces = st.sampled_from(WORDS + MARKS) | st.text(max_size=6)
    fuzz(st.tuples(st.integers(0, 10_000), places, st.integers(0, 30), pieces).map(changed), load)


def bomb(levels: int, width: int) -> str:
    lines = ["x0: &x0 [a, a]"] + [
        f"x{level}: &x{level} [{', '.join([f'*x{level - 1}'] * width)}]" for level in range(1, levels)
    ]
    return "\n".join(["name: main", *lines, f"states: *x{levels - 1}"])


def misspelt(count: int) -> str:
    """Every name of a state and of an input is wrong, and is like many others."""
    inputs = ", ".join(f"{{name: value{number}}}" for number in range(500))
    states = (
        f"  state{number}: {{type: step, command: 'echo {{{{inputs.valeu{number}}}}} {{{{states.stat{number}x.Output}}}}', "
        f"on_success: stat{number}e}}"
        for number in range(count)
    )
    return "\n".join([f"name: main\ninputs: [{inputs}]\nstates:\n  initial: state", *states])


def nested(kind: str, key: str, count: int) -> str:
    """Blocks in blocks, the innermost of which goes on to a state outside of all."""
    states = [
        f"  b{number}: {{type: {kind}, {key}: [b{number + 1}], on_success: done}}" for number in range(count)
    ]
    last = f"  b{count}: {{type: step, command: x, on_success: done}}\n  done: {{type: terminal}}"
    return "\n".join(["name: main\nstates:\n  initial: b0", *states, last])


HOSTILE = {
    "loops in loops": nested("while", "while: 'true', body", 1_500),
    "parallel states in parallel states": nested("parallel", "parallel", 1_500),
    "many misspelt names": misspelt(1_000),
    "alias bomb": bomb(30, 10),
    "merge bomb": "name: main\nx0: &x0 {a: 1}\n"
    + "\n".join(f"x{n}: &x{n} {{<<: [*x{n - 1}, *x{n - 1}], k{n}: *x{n - 1}}}" for n in range(1, 200))
    + "\nstates: *x199",
    "alias of itself": "name: main\nstates: &x {a: *x}",
    "deep lists": "name: main\nstates: " + "[" * 10_000,
    "deep closed lists": "name: main\nstates: " + "[" * 10_000 + "]" * 10_000,
    "deep maps": "name: main\nstates: " + "{a: " * 10_000,
    "deep blocks": "name: main\nstates: " + "- " * 10_000,
    "deep JSON items": "name: main\nstates:\n  a: {type: for_each, items: '" + "[" * 10_000 + "', body: [a]}",
    "deep template": "name: main\nstates:\n  a: {command: '{{" + "(" * 10_000 + "'}",
    "nested ifs": "name: main\nstates:\n  a: {command: '" + "{{if 1}}" * 10_000 + "'}",
    "deep expression": "name: main\nstates:\n  a: {type: while, body: [b], while: '" + "(" * 10_000 + "'}",
    "chained not": "name: main\nstates:\n  a: {type: while, body: [b], while: '" + "not " * 10_000 + "true'}",
    "deep shell": "name: main\nstates:\n  a: {command: '" + "$(" * 10_000 + "{{inputs.x}}'}",
    "deep quotes": "name: main\nstates:\n  a: {command: '" + '"$(' * 10_000 + "{{inputs.x}}'}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_milliseconds(name: str) -> None:
    load(HOSTILE[name])
    before = time.thread_time()
    loaded = load(HOSTILE[name])
    took = time.thread_time() - before
    assert loaded.errors
    assert took < 2
    tracemalloc.start()
    try:
        load(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()
