from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow


def load(outputs: str) -> Loaded:
    return load_workflow(
        f"name: w\noutputs: {outputs}\nstates:\n  initial: a\n  a: {{type: step, command: x, on_success: b}}\n"
        "  b: {type: terminal}\n",
        "w.yaml",
        "w",
    )


@pytest.mark.parametrize(
    "written",
    [
        "[{name: log, from: states.a.Output}, {name: n, from: states.a.ExitCode}]",
        "[{name: log, value: states.a.output, description: d, type: string}, {name: n, from: '{{.states.a.ExitCode}}'}]",
        "{log: states.a.Output, n: {from: states.a.ExitCode}}",
    ],
)
def test_lists_and_maps(written: str) -> None:
    result = load(written)
    assert result.problems == ()
    assert result.workflow is not None
    assert [output.name for output in result.workflow.outputs] == ["log", "n"]
    assert [output.source.references[0].path for output in result.workflow.outputs] == [
        ("states", "a", "Output"),
        ("states", "a", "ExitCode"),
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "log",
            "'outputs' must be a list of maps with name and from, or a map of names to expressions, not a string (w.yaml:2:10)",
        ),
        ("[log]", "output 1 must be a map with name and from, not a string (w.yaml:2:11)"),
        ("[{from: states.a.Output}]", "output 1: required key 'name' is missing (w.yaml:2:11)"),
        (
            "[{name: [x], from: states.a.Output}]",
            "output 1: 'name' must be a string, not a list (w.yaml:2:18)",
        ),
        ("[{name: log}]", "output 'log': required key 'from' is missing (w.yaml:2:18)"),
        ("[{name: log, from: ''}]", "output 'log': required key 'from' is missing (w.yaml:2:18)"),
        ("[{name: '', from: 'true'}]", "the name of an output must be printable and not empty (w.yaml:2:18)"),
        ("{log: [x]}", "output 'log' must be an expression, or a map with from, not a list (w.yaml:2:16)"),
        ("{log: }", "output 'log' must be an expression, or a map with from, not nothing (w.yaml:2:16)"),
        (
            "[{name: log, from: states.a.}]",
            "output 'log': expression: unexpected end, expected a name (w.yaml:2:38)",
        ),
        (
            "{log: states.zz.Output}",
            "the workflow references undefined state 'zz' in outputs.log (w.yaml:2:16)",
        ),
        (
            "[{name: x, from: 'true'}, {name: x, from: 'false'}]",
            "output 'x' is declared twice (w.yaml:2:43)",
        ),
    ],
)
def test_what_they_cannot_be(written: str, message: str) -> None:
    assert [str(problem) for problem in load(written).errors] == [message]


def test_what_they_may_not_mean() -> None:
    assert [str(problem) for problem in load("[{name: log, form: x, from: states.a.Output}]").problems] == [
        "output 'log': unknown key 'form' (did you mean 'from'?) (w.yaml:2:23)"
    ]
