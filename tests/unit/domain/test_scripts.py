from __future__ import annotations

import pytest

from awf.domain.files import FileRefused, fixed_path, shown_path
from awf.domain.load import Loaded, load_workflow
from awf.domain.scripts import late_script
from awf.domain.workflow import StepState


def load(script: str, path: str = "a.sh", keys: str = "") -> Loaded:
    """A step whose script is this."""

    def files(asked: str) -> str:
        if asked != "a.sh":
            raise FileRefused(f"file not found: {asked}")
        return script

    return load_workflow(
        "name: w\ninputs: [{name: x}]\nstates:\n  initial: a\n"
        f"  a: {{type: step, script_file: '{path}', on_success: b{keys}}}\n  b: {{type: terminal}}\n",
        "flows/w.yaml",
        "w",
        files,
    )


def step(script: str) -> StepState:
    result = load(script)
    assert result.errors == ()
    assert result.files == {"a.sh": script}
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, StepState)
    return state


def test_a_script_is_a_template_with_places_of_its_own() -> None:
    state = step('#!/bin/bash\nset -e\necho "{{.inputs.x}}"\n')
    assert state.script
    assert state.escaping
    assert state.command.source == '#!/bin/bash\nset -e\necho "{{.inputs.x}}"\n'
    assert [str(reference.position) for reference in state.command.references] == ["flows/a.sh:3:9"]


@pytest.mark.parametrize(
    "start",
    ["", "#!/bin/sh\n", "#! /usr/bin/env bash\n", "#!/usr/bin/env -S dash -e\n", "#!/usr/bin/zsh -e\n"],
)
def test_places_in_shell_scripts_are_judged(start: str) -> None:
    line = start.count("\n") + 1
    assert [str(problem) for problem in load(f"{start}echo \\{{{{.inputs.x}}}}\n").problems] == [
        f"state 'a': script_file: a value directly after a backslash has no safe form (flows/a.sh:{line}:7)"
    ]


@pytest.mark.parametrize(
    ("start", "name"),
    [
        ("#!/usr/bin/env python3", "python3"),
        ("#!/usr/bin/node", "node"),
        ("#!/usr/bin/env -S ruby -w", "ruby"),
    ],
)
def test_in_scripts_for_other_programs_values_are_code(start: str, name: str) -> None:
    result = load(f'{start}\nprint("{{{{.inputs.x}}}}", "{{{{.inputs.x}}}}")\n')
    assert [str(problem) for problem in result.problems] == [
        (
            f"state 'a': script_file: values are pasted into a script for '{name}' as they are, as code; "
            "inputs are safe as environment variables AWF_INPUT_* (flows/a.sh:2:10)"
        )
    ]
    assert result.problems[0].severity == "warning"
    assert not step(f"{start}\nprint('{{{{.inputs.x}}}}')\n").escaping
    assert load(f"{start}\nprint(1)\n").problems == ()


def test_escaping_that_is_off() -> None:
    result = load("echo \\{{.inputs.x}}\n", keys=", escaping: off")
    assert [problem.message for problem in result.problems] == [
        "state 'a': script_file: escaping is off: the value is code"
    ]


@pytest.mark.parametrize(
    ("path", "script", "message"),
    [
        ("b.sh", "", "state 'a': script_file: file not found: b.sh (flows/w.yaml:5:32)"),
        ("a.sh", " \n", "state 'a': script_file: the file is empty: a.sh (flows/w.yaml:5:32)"),
        ("a.sh", "a\0b", "state 'a': script_file: the file holds a NUL character: a.sh (flows/w.yaml:5:32)"),
        ("a.sh", "echo\n echo {{.inputs.", "state 'a': template: "),
        (
            "a.sh",
            "echo {{.inputs.y}}",
            "state 'a': undefined input \"y\" referenced in script_file (flows/a.sh:1:8)",
        ),
        (
            "{{.inputs.y}}.sh",
            "",
            "state 'a': undefined input \"y\" referenced in script_file (flows/w.yaml:5:35)",
        ),
        ("", "", "state 'a': either command or script_file is required (flows/w.yaml:5:3)"),
    ],
)
def test_what_cannot_be_a_script(path: str, script: str, message: str) -> None:
    (error,) = load(script, path).errors
    assert str(error).startswith(message)


def test_a_path_that_is_only_known_when_it_runs_is_kept_as_a_template() -> None:
    loaded = load("echo", "{{.inputs.x}}.sh")
    assert loaded.problems == ()
    assert loaded.workflow is not None
    state = loaded.workflow.states["a"]
    assert isinstance(state, StepState)
    assert (state.command.source, state.script, state.late) == ("{{.inputs.x}}.sh", True, True)
    assert loaded.files == {}


@pytest.mark.parametrize(
    ("text", "escaping", "warned"),
    [
        ("echo {{.inputs.x}}", True, False),
        ("#!/bin/bash\necho {{.inputs.x}}", True, False),
        ("#!/usr/bin/env python3\nprint({{.inputs.x}})", False, True),
        ("#!/usr/bin/env python3\nprint(1)", False, False),
    ],
)
def test_a_script_that_is_read_late_is_as_one_that_was_read_early(
    text: str, escaping: bool, warned: bool
) -> None:
    script = late_script(text, "x", escaping=True)
    assert (script.escaping, bool(script.warnings)) == (escaping, warned)


def test_the_files_of_a_workflow_are_bounded_together() -> None:
    states = "".join(f"  s{n}: {{type: step, script_file: f{n}, on_success: s{n + 1}}}\n" for n in range(20))
    result = load_workflow(
        f"name: w\nstates:\n  initial: s0\n{states}  s20: {{type: terminal}}\n",
        "w.yaml",
        "w",
        lambda _: "#" * 1024 * 1024,
    )
    assert [str(problem) for problem in result.problems] == [
        f"state 's{n}': script_file: the files of the workflow are larger than 16 MiB together: f{n} (w.yaml:{n + 4}:34)"
        for n in range(16, 20)
    ]


def test_paths_that_are_known() -> None:
    assert fixed_path("a/b.sh") == "a/b.sh"
    assert fixed_path("{{.awf.scripts_dir}}/b.sh") == "{{awf.scripts_dir}}/b.sh"
    assert fixed_path(" {{- awf.prompts_dir }}/p/q.md") == "{{awf.prompts_dir}}/p/q.md"
    assert fixed_path("{{.awf.scripts_dir}}/{{.inputs.x}}") is None
    assert fixed_path("{{.inputs.x}}") is None


def test_paths_as_messages_show_them() -> None:
    assert shown_path(".awf/workflows/w.yaml", "../scripts/a.sh") == ".awf/scripts/a.sh"
    assert shown_path("w.yaml", "./a.sh") == "a.sh"
    assert shown_path("x/w.yaml", "/srv/a.sh") == "/srv/a.sh"
    assert shown_path("x/w.yaml", "~/a.sh") == "~/a.sh"
    assert shown_path("x/w.yaml", ".awf/templates/t.yaml") == ".awf/templates/t.yaml"
