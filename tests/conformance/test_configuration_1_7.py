"""Section 1.7: the project's configuration file, `.awf/config.yaml`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from awf.catalog.configuration import read_configuration
from awf.errors import SettingsInvalid
from awf.settings import CONFIG_FILE, load_settings
from conformance.harness import refused, run
from conformance.loading import written

CONFIG = str(CONFIG_FILE)
SHOWS = """
    name: main
    inputs:
      - {name: who, type: string, required: true}
      - {name: count, type: integer, default: 1}
      - {name: api_token, type: string, default: none}
    states:
      initial: s
      s: {type: step, command: 'echo "{{inputs.who}} {{inputs.count}} {{inputs.api_token}}"', on_success: done}
      done: {type: terminal}
    """


def configured(text):
    """What awf makes of a configuration file: its own settings, and the rest."""
    with tempfile.TemporaryDirectory(prefix="awf-conformance-") as directory:
        root = written(Path(directory), {CONFIG: text})
        return load_settings(root, {}, {}), read_configuration(root / CONFIG, root)


def test_its_inputs_stand_in_for_what_a_run_does_not_give():
    files = {CONFIG: 'inputs: {who: Ada, count: "5"}\n'}
    assert run(SHOWS, files=files).outputs["s"] == "Ada 5 none\n"
    assert run(SHOWS, {"who": "Bob"}, files=files).outputs["s"] == "Bob 5 none\n"


def test_its_inputs_that_a_workflow_does_not_declare_are_usable_and_not_warned_of():
    text = SHOWS.replace("{{inputs.api_token}}", "{{if .inputs.elsewhere}}{{inputs.elsewhere}}{{end}}")
    result = run(text, files={CONFIG: "inputs: {who: Ada, elsewhere: 3}\n"})
    assert result.of("execution.accepted")[0].warnings == ()
    assert result.outputs["s"] == "Ada 1 3\n"


def test_its_inputs_are_checked_like_given_ones():
    assert refused(SHOWS, files={CONFIG: "inputs: {who: Ada, count: many}\n"}) == (
        'input validation failed: inputs.count: cannot convert "many" to integer'
    )


def test_its_secrets_are_secrets():
    result = run(SHOWS, files={CONFIG: "inputs: {who: Ada, api_token: tell-nobody}\n"})
    assert result.outputs["s"] == "Ada 1 ***\n"


def test_its_inputs_do_not_reach_into_sub_workflows():
    files = {
        CONFIG: "inputs: {count: 7}\n",
        "child": """
            name: child
            inputs: [{name: count, type: integer, default: 1}]
            states:
              initial: s
              s: {type: step, command: "echo {{inputs.count}}", on_success: done}
              done: {type: terminal}
            """,
    }
    caller = """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: child, on_success: done}
          done: {type: terminal}
        """
    assert run(caller, files=files).outputs["call/s"] == "1\n"


def test_the_sections_for_notifications_and_telemetry():
    _, found = configured(
        "notify: {default_backend: desktop}\ntelemetry: {exporter: otlp, service_name: ci}\n"
    )
    assert found.others == {
        "notify.default_backend": "desktop",
        "telemetry.exporter": "otlp",
        "telemetry.service_name": "ci",
    }
    assert found.warnings == ()


def test_awfs_own_settings():
    settings, found = configured(
        "engine: {slots: 3, grace: 0.5, max_transitions: 50}\nserver: {port: 8080}\n"
    )
    assert (settings.slots, settings.grace, settings.max_transitions, settings.port) == (3, 0.5, 50, 8080)
    assert found.warnings == ()


def test_keys_of_old_files_are_known_and_of_no_effect():
    assert configured("version: '1'\nlog_level: debug\noutput_format: json\n")[1].warnings == ()


def test_unknown_keys_are_warned_of_with_their_place_and_a_suggestion():
    _, found = configured("input: {a: 1}\nengine:\n  slotz: 3\nnotify: {default_backends: x}\n")
    assert [str(warning) for warning in found.warnings] == [
        "unknown key 'input' (did you mean 'inputs'?) (.awf/config.yaml:1:1)",
        "engine: unknown key 'slotz' (did you mean 'slots'?) (.awf/config.yaml:3:3)",
        "notify: unknown key 'default_backends' (did you mean 'default_backend'?) (.awf/config.yaml:4:10)",
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "inputs:\n"])
def test_a_file_that_says_nothing_is_no_configuration(text):
    settings, found = configured(text)
    assert (found.inputs, found.others, found.warnings, settings.port) == ({}, {}, (), 2511)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inputs: [", "config error: parse: .*config.yaml:1:"),
        ("inputs:\n\ta: 1\n", "config error: parse: .*config.yaml:2:1: found character"),
        ("- inputs\n", "config error: .*config.yaml: the top level must be a map"),
        ("inputs: [a]\n", "config error: invalid: 'inputs' must be a map of names to values, not a list"),
        ("inputs: {a: 1, a: 2}\n", "config error: .*duplicate key 'a'"),
        ("engine: 5\n", "config error: .*engine must be a map"),
        ("engine: {slots: many}\n", "engine.slots: 'many' is not a number"),
        ("inputs: " + "[" * 10_000, "config error: parse: .*config.yaml: it is nested too deeply"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(text, message):
    with pytest.raises(SettingsInvalid, match=message):
        configured(text)
