"""Section 14.3 and "Records, errors, secrets": what is secret is used by steps and shown to nobody."""

from __future__ import annotations

import pytest

from conformance.harness import refused, run

VALUE = "s3cret-Value'9 x"


def workflow(command, name="api_token", declaration=""):
    return f"""
    name: main
    inputs: [{{name: {name}{declaration}}}]
    states:
      initial: s
      s:
        type: step
        on_success: after
        command: |
          {command}
      after: {{type: step, command: "echo after {{{{states.s.Output}}}}", on_success: done}}
      done: {{type: terminal}}
    """


def hidden(result, value=VALUE):
    """That the value is in nothing that is recorded."""
    return not any(value in repr(entry) for entry in result.facts) and not any(
        value in text for text in (*result.outputs.values(), result.error)
    )


def test_the_step_gets_the_value_and_everything_else_shows_a_mask():
    result = run(
        workflow(
            """printf %s "{{inputs.api_token}}" | wc -c; echo "$AWF_INPUT_API_TOKEN"; echo '{{inputs.api_token}}' >&2"""
        ),
        {"api_token": VALUE},
    )
    assert result.outputs["s"] == f"{len(VALUE)}\n***\n"
    assert result.of("step.output")[-1].text
    assert hidden(result)
    accepted = result.facts[0].fact
    assert (accepted.inputs, accepted.secrets) == ({"api_token": "***"}, ("api_token",))
    assert '"***"' in result.of("step.started")[0].command.display


def test_later_steps_get_the_masked_output():
    result = run(workflow("echo {{inputs.api_token}}"), {"api_token": "long-enough"})
    assert result.outputs["after"] == "after ***\n"


def test_an_input_that_has_the_value_of_another_in_it_shows_a_mask_there():
    text = """
    name: main
    inputs: [{name: api_token}, {name: url}]
    states:
      initial: s
      s: {type: step, command: 'echo evening of {{inputs.url}}; printf %s "{{inputs.url}}" | wc -c', on_success: done}
      done: {type: terminal}
    """
    url, more = f"x://me:{VALUE}@host", {"greeting": "good evening", "urls": [VALUE]}
    result = run(text, {"api_token": VALUE, "url": url, "more": more})
    assert result.outputs["s"] == f"evening of x://me:***@host\n{len(url)}\n"
    accepted = result.facts[0].fact
    assert accepted.inputs["url"] == "x://me:***@host"
    assert accepted.inputs["more"] == {"greeting": "good evening", "urls": ["***"]}
    assert accepted.secrets == ("api_token",)
    assert hidden(result)


def test_masks_reach_across_chunks():
    command = "printf 'long-'; sync; printf 'en'; sleep 0.12; printf 'ough\\n'"
    result = run(workflow(command), {"api_token": "long-enough"})
    assert result.outputs["s"] == "***\n"
    assert hidden(result, "long-enough")


def test_errors_are_masked():
    text = workflow('echo "cannot use {{inputs.api_token}}" >&2; exit 3')
    result = run(text, {"api_token": VALUE})
    assert result.status == "failed"
    assert result.of("step.failed")[0].error == "cannot use ***"
    assert "cannot use ***" in result.error
    assert hidden(result)


def test_hooks_messages_and_dirs_are_masked():
    result = run(
        """
        name: main
        hooks:
          workflow_start: [{log: "with {{inputs.api_token}}"}, {command: "echo got {{inputs.api_token}}"}]
        states:
          initial: s
          s: {type: step, command: "true", dir: "/no/{{inputs.api_token}}", on_success: bad, on_failure: bad}
          bad: {type: terminal, status: failure, message: "failed with {{inputs.api_token}}"}
        """,
        {"api_token": "long-enough"},
    )
    assert [fact.message for fact in result.of("hook.finished")] == ["with ***", "got ***\n"]
    assert result.error == "failed with ***"
    assert result.of("step.failed")[0].error.endswith("/no/***")
    assert hidden(result, "long-enough")


def test_the_environment_of_the_engine_has_secrets_too():
    result = run(
        workflow("echo $MY_TOKEN {{env.MY_TOKEN}}", "x"), {"x": "1"}, environ={"MY_TOKEN": "long-enough"}
    )
    assert result.outputs["s"] == "*** ***\n"
    assert hidden(result, "long-enough")


@pytest.mark.parametrize(
    "name",
    [
        "SECRET",
        "my_secret",
        "githubToken",
        "GITHUB_TOKEN",
        "db.password",
        "db-passwd",
        "apiKey",
        "API_KEY",
        "private-key",
        "credential",
        "myapikey_apikey",
    ],
)
def test_names_of_secrets(name):
    result = run(workflow(f'echo {{{{index .inputs "{name}"}}}}', f"'{name}'"), {name: "long-enough"})
    assert result.outputs["s"] == "***\n"


@pytest.mark.parametrize("name", ["tokens", "keyboard", "secretary", "monkey", "api", "key", "private"])
def test_names_of_what_is_none(name):
    assert (
        run(workflow(f"echo {{{{inputs.{name}}}}}", name), {name: "long-enough"}).outputs["s"]
        == "long-enough\n"
    )


def test_a_declaration_decides_otherwise():
    assert (
        run(workflow("echo {{inputs.x}}", "x", ", secret: true"), {"x": "long-enough"}).outputs["s"]
        == "***\n"
    )
    text = workflow("echo {{inputs.token}}", "token", ", secret: false")
    assert run(text, {"token": "long-enough"}).outputs["s"] == "long-enough\n"


@pytest.mark.parametrize(
    ("value", "shown"), [("short", "short"), ("12345678901", "12345678901"), ("eightsss", "***")]
)
def test_short_values_and_numbers_are_not_masked(value, shown):
    assert run(workflow("echo {{inputs.token}}", "token"), {"token": value}).outputs["s"] == f"{shown}\n"


def test_refusals_do_not_show_the_value():
    text = workflow("echo", "token", ", type: integer")
    assert (
        refused(text, {"token": "long-enough"})
        == "input validation failed: inputs.token: cannot convert *** to integer"
    )


def test_a_sub_workflow_gets_the_value_and_shows_a_mask():
    result = run(
        """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, inputs: {plain: "{{inputs.api_token}}"}, on_success: done}
          done: {type: terminal}
        """,
        {"api_token": "long-enough"},
        files={
            "child": """
            name: child
            inputs: [{name: plain}]
            states:
              initial: s
              s: {type: step, command: "printf %s {{inputs.plain}} | wc -c; echo $AWF_INPUT_PLAIN", on_success: ok}
              ok: {type: terminal}
            """
        },
    )
    assert result.outputs["call/s"] == "11\n***\n"
    assert hidden(result, "long-enough")


def test_on_disk_the_value_is_in_the_column_of_secrets_alone():
    command = (
        "sqlite=.awf/storage/journal.db; python3 - \"$sqlite\" <<'END'\n"
        "          import sqlite3, sys\n"
        "          base = sqlite3.connect(sys.argv[1])\n"
        "          names = [name for name, in base.execute(\"SELECT name FROM sqlite_schema WHERE type = 'table'\")]\n"
        "          for name in names:\n"
        "              columns = [row[1] for row in base.execute(f'PRAGMA table_info({name})')]\n"
        "              for row in base.execute(f'SELECT * FROM {name}'):\n"
        "                  for column, cell in zip(columns, row):\n"
        "                      text = cell if isinstance(cell, bytes) else str(cell).encode()\n"
        "                      if b'long-' + b'enough' in text:\n"
        "                          print(name, column)\n"
        "          END\n"
        "          stat -c %a .awf/storage/journal.db"
    )
    result = run(workflow(command), {"api_token": "long-enough"})
    *places, mode = result.outputs["s"].splitlines()
    assert len(places) == 1, places
    assert "secret" in places[0]
    assert mode == "600"
