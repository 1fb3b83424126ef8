from __future__ import annotations

import pytest

from awf.domain.load import Loaded, load_workflow


def load(command: str) -> Loaded:
    lines = "".join(f"      {line}\n" for line in command.split("\n"))
    return load_workflow(
        'name: w\ninputs: [{name: quoted, default: "it\'s"}, {name: y}]\nstates:\n  initial: a\n  a:\n    type: step\n'
        f"    command: |\n{lines}    on_success: end\n  end: {{type: terminal}}\n",
        "w.yaml",
        "w",
    )


def texts(command: str) -> list[str]:
    return [f"{problem.severity}: {problem}" for problem in load(command).problems]


@pytest.mark.parametrize(
    "command",
    [
        "echo {{.inputs.y}} \"{{inputs.y}}\" '{{.inputs.y}}'",
        "cat <<'EOF'\n{{.inputs.y}}\nEOF",
        "echo {{escape .inputs.y}} $(( {{.inputs.y}} + 1 ))",
        "{{if .inputs.y}}echo {{.inputs.y}}{{else}}true{{end}}",
        'echo "{{.inputs.quoted}}"',
    ],
)
def test_places_that_are_safe_are_not_spoken_of(command: str) -> None:
    assert texts(command) == []


def test_places_without_a_safe_form_are_errors_at_the_value() -> None:
    assert texts("echo a\necho \\{{.inputs.y}} ${A:-{{.inputs.y}}}") == [
        "error: state 'a': command: a value directly after a backslash has no safe form (w.yaml:9:13)",
        "error: state 'a': command: a value inside ${…} has no safe form (w.yaml:9:32)",
    ]


@pytest.mark.parametrize(
    ("command", "message", "column"),
    [
        ("{{.inputs.y}}", "the whole command is one value: it is code", 7),
        ("echo {{raw .inputs.y}}", "the value is pasted as code", 12),
        ("echo {{.inputs.y | raw}}", "the value is pasted as code", 12),
        ("{{.inputs.y}} && ls", "a value stands where the command is named", 7),
        ("eval {{.inputs.y}}", "a value stands inside eval", 12),
        (
            "echo {{.inputs.quoted}}",
            "the quote characters of a value outside quotes are plain characters",
            12,
        ),
    ],
)
def test_places_that_may_surprise_are_warned_of(command: str, message: str, column: int) -> None:
    result = load(command)
    assert result.workflow is not None
    (warning,) = result.warnings
    assert message in warning.message
    assert (warning.position.line, warning.position.column) == (8, column)
    assert warning.code == "WORKFLOW.VALIDATION.SHELL_PLACE"


@pytest.mark.parametrize(
    "command",
    [
        "{{if .inputs.y}}echo \\{{.inputs.y}}{{else}}true{{end}}",
        "{{if .inputs.y}}true{{else}}echo \\{{.inputs.y}}{{end}}",
        "{{if .inputs.y}}a{{else if .inputs.quoted}}echo \\{{.inputs.y}}{{end}}",
        '{{range split .inputs.y ","}}echo \\{{.}};{{end}}',
        '{{define "part"}}echo \\{{.}}{{end}}{{template "part" .inputs.y}}',
    ],
)
def test_every_branch_is_looked_at(command: str) -> None:
    (error,) = load(command).errors
    assert "directly after a backslash" in error.message


def test_what_goes_wrong_on_some_ways_only_is_a_warning() -> None:
    found = texts("echo {{if .inputs.y}}\\{{end}}{{.inputs.y}}")
    assert len(found) == 1
    assert found[0].startswith("warning: state 'a': command: a value directly after a backslash")


def test_templates_that_include_each_other_end() -> None:
    command = '{{define "a"}}x {{.}} {{template "b" .}}{{template "b" .}}{{end}}{{define "b"}}{{template "a" .}}{{end}}'
    assert texts(command + 'echo {{template "a" .inputs.y}}') == []
