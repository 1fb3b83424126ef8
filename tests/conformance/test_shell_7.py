"""Section 7 and "Shell": values are data in every place, and how commands are run."""

from __future__ import annotations

import json

import pytest

from conformance.harness import run
from conformance.loading import said

NASTY = """a  b'c"d$HOME`id`$(id)\\n;*?[x]{1,2}|&<>#~!"""


def step(command, **keys):
    """A workflow of one step."""
    body = {"type": "step", "command": command, "on_success": "done", **keys}
    return f"name: main\nstates:\n  initial: s\n  s: {json.dumps(body)}\n  done: {{type: terminal}}\n"


def printed(command, inputs=None, **keys):
    result = run(step(command, **keys), inputs or {})
    assert result.status == "completed", result.error
    return result.outputs["s"]


def failed(command, inputs=None, **keys):
    result = run(step(command, **keys), inputs or {})
    assert result.status == "failed"
    return result.error, result.steps["s"].exit_code


@pytest.mark.parametrize(
    "command",
    [
        'printf %s "{{inputs.x}}"',
        "printf %s '{{inputs.x}}'",
        "printf %s '<'\"{{inputs.x}}\"'>' | sed 's/^<//; s/>$//'",
        'y={{inputs.x}}; printf %s "$y"',
        'y="$(printf %s "{{inputs.x}}")"; printf %s "$y"',
        'printf %s "`printf %s "{{inputs.x}}"`"',
        "f() { printf %s \"$1\"; }; f '{{inputs.x}}'",
        "printf %s {{escape .inputs.x}}",
        "case {{inputs.x}} in *) printf %s '{{inputs.x}}';; esac",
    ],
)
def test_7_a_value_is_data_wherever_it_stands(command):
    assert printed(command, {"x": NASTY}) == NASTY


@pytest.mark.parametrize("delimiter", ["END", "'END'", '"END"', "\\END"])
def test_7_a_value_is_data_in_here_documents(delimiter):
    assert printed(f"cat <<{delimiter}\n{{{{inputs.x}}}}\nEND\n", {"x": NASTY}) == NASTY + "\n"


def test_7_a_value_that_ends_its_quoted_here_document_fails_the_step():
    error, code = failed("cat <<'END'\n{{inputs.x}}\nEND\n", {"x": "a\nEND\ntouch pwned"})
    assert "the value contains the line 'END', which ends its here-document" in error
    assert code == 126


def test_7_unquoted_values_split_and_glob_like_variables():
    result = run(step("printf '[%s]' {{inputs.x}}"), {"x": "a  *.txt ;id"}, files={"1.txt": "", "2.txt": ""})
    assert result.outputs["s"] == "[a][1.txt][2.txt][;id]"


def test_7_an_empty_value_is_no_word_unquoted_and_one_quoted():
    assert printed("set -- {{inputs.x}} \"{{inputs.x}}\" '{{inputs.x}}'; echo $#", {"x": ""}) == "2\n"


def test_7_arithmetic_takes_numbers_only():
    assert printed("echo $(( {{inputs.x}} + 1 ))", {"x": "41"}) == "42\n"
    error, code = failed("echo $(( {{inputs.x}} + 1 ))", {"x": "a[$(id)]"})
    assert "is not a number" in error
    assert code == 126


def test_7_in_comments_the_value_is_dropped():
    assert printed("echo a # {{inputs.x}}\necho b", {"x": "x\necho pwned"}) == "a\nb\n"


@pytest.mark.parametrize(
    "command", ["echo \\{{inputs.x}}", "echo ${HOME:-{{inputs.x}}}", "echo ${y#{{inputs.x}}}"]
)
def test_7_places_without_a_safe_form_are_load_errors(command):
    lines = said("inputs: [{name: x}]\n" + step(command))
    assert any(line.startswith("error 5:") and "has no safe form" in line for line in lines), lines


def test_7_raw_pastes_code_and_says_so():
    assert printed("{{raw .inputs.x}}; echo end", {"x": "echo a; echo b"}) == "a\nb\nend\n"
    lines = said("inputs: [{name: x}]\n" + step("{{raw .inputs.x}}; echo"))
    assert any(line.startswith("warning") and "pasted as code" in line for line in lines)


@pytest.mark.parametrize("place", ["state", "workflow"])
def test_7_escaping_off_pastes_code(place):
    keys = {"escaping": False} if place == "state" else {}
    head = "escaping: off\n" if place == "workflow" else ""
    text = head + "inputs: [{name: x}]\n" + step("echo {{inputs.x}} | tr a b", **keys)
    assert run(text, {"x": "a; echo aa"}).outputs["s"] == "a\nbb\n"
    assert any("escaping is off: the value is code" in line for line in said(text))


def test_7_a_command_of_one_action_is_code_by_intent():
    assert printed(" {{inputs.x}} ", {"x": "echo a && echo b | tr b c"}) == "a\nc\n"
    assert any(
        "the whole command is one value" in line
        for line in said("inputs: [{name: x}]\n" + step("{{inputs.x}}"))
    )


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("{{inputs.x}} now", "command"),
        ("eval {{inputs.x}}", "eval"),
        ("sh -c '{{inputs.x}}'", "sh -c"),
        ('ssh host "{{inputs.x}}"', "ssh"),
    ],
)
def test_7_what_may_not_do_what_it_seems_is_warned_of(command, warning):
    lines = said("inputs: [{name: x}]\n" + step(command))
    assert any(line.startswith("warning 5:") and warning in line for line in lines), lines


def test_7_what_is_only_known_at_run_time_is_warned_of_in_the_record():
    result = run(step("printf %s {{inputs.x}}"), {"x": "'quoted'"})
    warning = "the quote characters of a value outside quotes are plain characters"
    assert result.outputs["s"] == "'quoted'"
    assert result.steps["s"].warnings == (warning,)
    (started,) = result.of("step.started")
    assert started.warnings == (warning,)
    assert run(step('printf %s "{{inputs.x}}"'), {"x": "'quoted'"}).steps["s"].warnings == ()


def test_7_warnings_stay_with_the_step_over_its_attempts():
    result = run(step("printf {{inputs.x}} && false", retry={"max_attempts": 2}), {"x": "'q'"})
    assert [bool(fact.warnings) for fact in result.of("step.started")] == [True, True]
    assert (result.steps["s"].attempt, len(result.steps["s"].warnings)) == (2, 1)


def test_7_a_value_in_command_position_runs_as_one_simple_command():
    assert printed("{{inputs.x}} end", {"x": "echo a && echo"}) == "a && echo end\n"


def test_7_escape_is_never_applied_twice():
    text = "it's a 'b'"
    assert printed("printf %s {{escape .inputs.x}}", {"x": text}) == text
    assert printed('printf %s "{{escape .inputs.x}}"', {"x": text}) == text
    assert printed("printf %s {{.inputs.x | escape}}", {"x": "#x ~root a=b"}) == "#x ~root a=b"


@pytest.mark.parametrize(
    "command",
    [
        "cat > x.sh <<'END'\nprintf %s {{escape .inputs.x}}\nEND\nsh x.sh",
        "cat > x.sh <<END\nprintf %s {{escape .inputs.x}}\nEND\nsh x.sh",
        'sh -c "printf %s {{escape .inputs.x}}"',
        "eval printf %s {{escape .inputs.x}}",
    ],
)
def test_7_what_is_escaped_stays_so_where_text_is_read_as_code_later(command):
    assert printed(command, {"x": NASTY}) == NASTY
    assert not any("scanned a second time" in line for line in said("inputs: [{name: x}]\n" + step(command)))


def test_7_the_record_shows_the_command_with_the_values_in_place():
    result = run(step("echo \"{{inputs.x}}\" '{{inputs.x}}'"), {"x": "$(id)"})
    assert result.of("step.started")[0].command.display == "echo \"$(id)\" '$(id)'"


def test_7_1_stdin_is_empty_and_the_shell_is_sh():
    assert printed("cat; echo $0") == "/bin/sh\n"


def test_7_1_a_background_child_that_keeps_the_pipe_does_not_hold_the_step():
    result = run(step("sleep 600 & echo started"))
    assert (result.status, result.outputs["s"]) == ("completed", "started\n")


def test_7_1_dir_is_a_template_relative_to_the_working_directory():
    result = run(step("cat x.txt", dir="{{inputs.d}}"), {"d": "data/in"}, files={"data/in/x.txt": "here"})
    assert result.outputs["s"] == "here"


def test_7_1_a_dir_that_does_not_exist_is_named():
    error, code = failed("true", dir="no/such")
    assert "working directory does not exist: " in error
    assert error.endswith("/no/such")
    assert code == 126


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 42", 42),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("no-such-program-here", 127),
        ("./x", 127),
        ("mkdir d; ./d", 126),
    ],
)
def test_7_5_exit_codes(command, code):
    assert failed(command)[1] == code


def test_7_5_a_timeout_is_124_with_its_text():
    error, code = failed("sleep 600", timeout="50ms")
    assert "timeout exceeded (50ms)" in error
    assert code == 124


def test_7_5_sigterm_comes_before_sigkill():
    result = run(step("trap 'echo bye; exit 3' TERM; sleep 600 & wait", timeout="300ms"))
    assert result.outputs["s"] == "bye\n"
    assert result.steps["s"].exit_code == 124


def test_7_2_environment_of_a_step():
    text = step(
        "echo $AWF_WORKFLOW $AWF_STEP ${AWF_EXECUTION_ID%%-*} $AWF_ATTEMPT_ID; echo $AWF_INPUT_MY_KEY $AWF_INPUT_N $n;"
        ' echo "$AWF_INPUT_LIST" $plain $AWF_INPUT_ON',
    )
    result = run(text, {"my-key": "v", "n": 5, "list": [1, {"a": None}], "plain": "p", "on": True})
    first, second, third = result.outputs["s"].splitlines()
    execution = result.of("step.started")[0].attempt_id.split(".")[0]
    assert first == f"main s {execution.split('-')[0]} {execution}.1.1"
    assert second == "v 5 5"
    assert third == '[1,{"a":null}] p true'


def test_7_2_inputs_never_change_how_programs_load_nor_what_is_set_already():
    inputs = {
        "PATH": "/x",
        "LD_PRELOAD": "/x",
        "IFS": "x",
        "BASH_ENV": "/x",
        "PYTHONPATH": "/x",
        "TAKEN": "new",
    }
    text = step(
        "env | grep -E '^(PATH|LD_PRELOAD|IFS|BASH_ENV|PYTHONPATH|TAKEN)=/?x?' | grep -c '=/\\?x$\\|=new'; echo $TAKEN"
    )
    result = run(text, inputs, environ={"TAKEN": "old"})
    assert result.outputs["s"] == "0\nold\n"


def test_7_2_env_of_a_state_adds_and_is_rendered():
    text = step("echo $A-$B-$TAKEN", env={"A": "{{inputs.x}}!", "B": 5, "TAKEN": "mine"})
    assert run(text, {"x": "$(id)"}, environ={"TAKEN": "old"}).outputs["s"] == "$(id)!-5-mine\n"


def test_7_2_large_inputs_are_not_exported_and_warned_of():
    result = run(
        step("echo ${#AWF_INPUT_BIG} ${#AWF_INPUT_OK}"), {"big": "x" * (64 * 1024 + 1), "ok": "x" * 64 * 1024}
    )
    assert result.outputs["s"] == "0 65536\n"
    warnings = [text for text in result.facts[0].fact.warnings if "not declared" not in text]
    assert warnings == ["input 'big' is larger than 64 KiB: steps do not get it as an environment variable"]


def test_7_2_inputs_beyond_the_total_are_not_exported_and_warned_of():
    inputs = {f"i{number}": "x" * 60 * 1024 for number in range(10)}
    result = run(step("env | grep -c ^AWF_INPUT_I"), inputs)
    assert result.outputs["s"] == "8\n"
    warnings = [text for text in result.facts[0].fact.warnings if "not declared" not in text]
    assert len(warnings) == 2
    assert "beyond 512 KiB together" in warnings[0]


def test_7_2_the_steps_of_a_sub_workflow_have_its_own_environment():
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, inputs: {n: "{{inputs.n}}0", m: 2}, on_success: done}
          done: {type: terminal}
        """,
        {"n": 1},
        files={
            "child": """
            name: child
            inputs: [{name: n, type: integer}, {name: m, type: integer}]
            hooks: {workflow_end: [{command: "echo hook $AWF_WORKFLOW $AWF_INPUT_N"}]}
            states:
              initial: s
              s: {type: step, command: "echo $AWF_WORKFLOW $AWF_STEP $AWF_INPUT_N $AWF_INPUT_M $n", on_success: ok}
              ok: {type: terminal}
            """
        },
    )
    assert result.outputs["call/s"] == "child s 10 2 10\n"
    assert result.of("hook.finished")[0].message == "hook child 10\n"


def test_7_a_command_over_100_kib_runs_from_a_file():
    assert printed("printf %s '{{inputs.x}}' | wc -c", {"x": "x" * 300_000}).strip() == "300000"


def test_7_4_output_keeps_the_first_half_a_mark_and_the_last_half():
    result = run(step("printf A; head -c 11000000 /dev/zero | tr '\\0' x; printf Z"))
    text = result.outputs["s"]
    assert text.startswith("Axx")
    assert text.endswith("xxZ")
    half = 5 * 1024 * 1024
    left_out = 11_000_002 - 2 * half
    mark = f"\n[... {left_out} bytes left out ...]\n"
    assert text.index(mark) == half
    assert len(text) == 2 * half + len(mark)


def test_7_6_capture_max_size_sets_the_limit():
    text = printed("printf 0123456789abcdefghij; printf x >&2", capture={"max_size": "10"})
    assert text == "01234\n[... 10 bytes left out ...]\nfghij"
    assert printed("printf 0123456789", capture={"max_size": 10}) == "0123456789"


def test_7_4_invalid_utf8_is_replaced():
    assert printed("printf 'a\\377b\\303'") == "a\ufffdb\ufffd"


def test_7_4_stdout_and_stderr_are_kept_apart_and_the_error_is_stderr():
    text = step("echo out; echo '  bad  ' >&2; exit 3")
    result = run(text)
    assert result.outputs["s"] == "out\n"
    assert result.of("step.failed")[0].error == "bad"
    assert run(step("exit 3")).of("step.failed")[0].error == "exit code 3"
