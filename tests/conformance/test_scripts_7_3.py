"""Section 7.3: script files, with and without a program named in their first line."""

from __future__ import annotations

import pytest

from conformance.harness import run
from conformance.loading import said

MAIN = """
name: main
states:
  initial: s
  s: {type: step, script_file: "%s", on_success: done}
  done: {type: terminal}
"""


def ran(script, inputs=None, path="x.sh"):
    return run(MAIN % path, inputs or {}, files={f".awf/workflows/{path}": script})


NASTY = "a  b'c\"d$HOME`id`$(id)\\n;*&|"


def test_without_a_first_line_the_shell_runs_it():
    result = ran('echo "$0"; printf %s "{{inputs.x}}"', {"x": NASTY})
    assert result.outputs["s"] == "/bin/sh\n" + NASTY


@pytest.mark.parametrize(
    "first", ["#!/bin/sh", "#!/bin/bash", "#! /bin/sh -e", "#!/usr/bin/env bash", "#!/bin/bash\r"]
)
def test_in_scripts_of_shells_values_are_data(first):
    result = ran(f"{first}\nprintf %s '{{{{inputs.x}}}}'; printf '|%s' \"{{{{inputs.x}}}}\"\n", {"x": NASTY})
    assert result.status == "completed", result.error
    assert result.outputs["s"] == f"{NASTY}|{NASTY}"


def test_the_named_shell_runs_it_with_its_argument():
    assert ran('#!/bin/bash\necho "${BASH_VERSION:+bash}"').outputs["s"] == "bash\n"
    assert ran("#!/bin/sh -e\nfalse\necho not here").status == "failed"


def test_line_numbers_stay_those_of_the_file():
    result = ran("#!/bin/bash\nx='{{inputs.x}}'\necho $LINENO", {"x": "v"})
    assert result.outputs["s"] == "3\n"


def test_other_programs_get_the_text_as_it_is():
    result = ran(
        "#!/usr/bin/env python3\nimport os\nprint('{{inputs.x}}', os.environ['AWF_INPUT_X'])\n",
        {"x": "v"},
        "x.py",
    )
    assert result.outputs["s"] == "v v\n"


def test_other_programs_are_warned_of_at_the_place_of_the_value():
    files = {".awf/workflows/x.py": "#!/usr/bin/env python3\nprint('{{inputs.x}}')\n"}
    (line,) = [line for line in said(MAIN % "x.py", files) if "AWF_INPUT_*" in line]
    assert line.startswith("warning ")
    assert ".awf/workflows/x.py:2:10 " in line


def test_a_program_that_is_not_there_fails_with_127():
    result = ran("#!/no/such/program\nx\n")
    assert result.steps["s"].exit_code == 127
    assert "cannot start /no/such/program" in result.error


def test_a_program_that_cannot_be_started_fails_with_126():
    result = ran("#!/etc\nx\n")
    assert result.steps["s"].exit_code == 126


def test_exit_codes_and_streams_are_those_of_the_script():
    result = ran("#!/bin/sh\necho out; echo err >&2; exit 9")
    assert (result.steps["s"].exit_code, result.outputs["s"]) == (9, "out\n")
    assert result.of("step.failed")[0].error == "err"


def test_paths_are_relative_to_the_workflow_and_may_leave_its_directory():
    result = run(MAIN % "../scripts/y.sh", files={".awf/scripts/y.sh": "echo y"})
    assert result.outputs["s"] == "y\n"


def test_awfs_directories_local_before_global():
    files = {".awf/scripts/z.sh": "echo local", ".config/awf/scripts/z.sh": "echo global"}
    assert run(MAIN % "{{awf.scripts_dir}}/z.sh", files=files).outputs["s"] == "local\n"
    del files[".awf/scripts/z.sh"]
    assert run(MAIN % "{{.awf.scripts_dir}}/z.sh", files=files).outputs["s"] == "global\n"


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("none.sh", None, "script_file: file not found: none.sh"),
        ("empty.sh", " \n", "script_file: the file is empty: empty.sh"),
        ("big.sh", "#" * (1024 * 1024 + 1), "script_file: the file is larger than 1 MiB: big.sh"),
        ("nul.sh", "a\0b", "script_file: the file holds a NUL character: nul.sh"),
    ],
)
def test_files_that_cannot_be_run_are_load_errors(path, content, message):
    files = {} if content is None else {f".awf/workflows/{path}": content}
    assert said(MAIN % path, files)[0] == f"error 5:32 state 's': {message}"


LATE = MAIN % "{{inputs.dir}}/{{inputs.name}}.sh"
WHERE = {"dir": "sub", "name": "x"}


def test_a_path_may_be_known_only_when_the_step_starts():
    assert not [line for line in said(LATE) if line.startswith("error")]
    files = {".awf/workflows/sub/x.sh": 'printf "%s|" "{{inputs.name}}" {{inputs.name}}'}
    result = run(LATE, WHERE, files=files)
    assert result.outputs["s"] == "x|x|"
    assert result.steps["s"].command == 'printf "%s|" "x" x'


def test_values_in_such_a_script_are_data():
    files = {".awf/workflows/sub/x.sh": 'printf %s "{{inputs.v}}"'}
    assert run(LATE, {**WHERE, "v": NASTY}, files=files).outputs["s"] == NASTY


def test_such_a_script_for_another_program_says_that_values_are_code():
    files = {".awf/workflows/sub/x.sh": "#!/usr/bin/env python3\nprint({{inputs.n}} + 1)\n"}
    result = run(LATE, {**WHERE, "n": 4}, files=files)
    assert result.outputs["s"] == "5\n"
    (warning,) = result.steps["s"].warnings
    assert warning.startswith("values are pasted into a script for 'python3' as they are, as code")


def test_such_a_path_in_awfs_directories_is_local_before_global():
    text = MAIN % "{{awf.scripts_dir}}/{{inputs.name}}.sh"
    files = {".awf/scripts/x.sh": "echo local", ".config/awf/scripts/x.sh": "echo global"}
    assert run(text, WHERE, files=files).outputs["s"] == "local\n"
    del files[".awf/scripts/x.sh"]
    assert run(text, WHERE, files=files).outputs["s"] == "global\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "script_file: file not found: sub/x.sh (.awf/workflows/main.yaml:5:33)"),
        ("#" * (1024 * 1024 + 1), "script_file: the file is larger than 1 MiB: sub/x.sh (.awf"),
        ("echo {{if}}", "sub/x.sh:1:"),
        ("echo {{inputs.nope}}", "template: inputs.nope is not defined (sub/x.sh:1:8)"),
        (" \n", "is empty after rendering"),
    ],
)
def test_what_is_wrong_with_such_a_file_is_a_failure_of_the_step_and_routable(content, message):
    files = {} if content is None else {".awf/workflows/sub/x.sh": content}
    text = LATE.replace("on_success: done", "on_success: done, on_failure: caught")
    result = run(text + "  caught: {type: terminal, message: caught}\n", WHERE, files=files)
    assert result.status == "completed"
    assert message in result.steps["s"].error


def test_a_further_attempt_runs_the_script_that_the_first_one_read():
    files = {".awf/workflows/sub/x.sh": "echo 'echo other' > .awf/workflows/sub/x.sh; echo first; exit 1"}
    text = LATE.replace("on_success: done", "on_success: done, retry: {max_attempts: 2}")
    result = run(text, WHERE, files=files)
    assert (result.steps["s"].attempt, result.outputs["s"]) == (2, "first\n")


def test_command_and_script_file_exclude_each_other():
    text = "name: main\nstates:\n  initial: s\n  s:\n    type: step\n    command: 'true'\n    script_file: x.sh\n    on_success: d\n  d: {type: terminal}\n"
    assert said(text) == ["error 7:5 state 's': command and script_file are mutually exclusive"]


def test_an_execution_runs_the_script_that_it_was_accepted_with():
    result = run(
        """
        name: main
        states:
          initial: a
          a: {type: step, command: "echo 'echo new' > .awf/workflows/x.sh", on_success: s}
          s: {type: step, script_file: x.sh, on_success: done}
          done: {type: terminal}
        """,
        files={".awf/workflows/x.sh": "echo old"},
    )
    assert result.outputs["s"] == "old\n"


def test_secrets_reach_a_script_and_stay_out_of_the_record():
    result = ran(
        "#!/bin/bash\nprintf %s '{{inputs.api_token}}' | wc -c; echo {{inputs.api_token}}",
        {"api_token": "s3cret-value-9"},
    )
    assert result.outputs["s"] == "14\n***\n"
    assert not any("s3cret-value-9" in repr(entry) for entry in result.facts)


def test_awfs_directories_in_commands_and_dirs_are_local_before_global():
    text = """
    name: main
    states:
      initial: a
      a: {type: step, command: "sh {{awf.scripts_dir}}/z.sh; cat '{{.awf.prompts_dir}}/p.md'", on_success: b}
      b: {type: step, command: "pwd; echo {{awf.config_dir}}", dir: "{{awf.scripts_dir}}/sub", on_success: done}
      done: {type: terminal}
    """
    result = run(
        text,
        files={".awf/scripts/z.sh": "echo z", ".awf/workflows/prompts/p.md": "p", ".awf/scripts/sub/x": ""},
    )
    assert result.outputs["a"] == "z\np"
    assert result.outputs["b"].splitlines()[0].endswith("/.awf/scripts/sub")
    assert result.outputs["b"].splitlines()[1].endswith("/awf")
