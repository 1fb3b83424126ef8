"""Section 1.4 and 1.5: workflows in packs, their sub-workflows, and the ``awf`` namespace."""

from __future__ import annotations

from conformance.harness import refused, run

PACK = ".awf/workflow-packs/tools"
MANIFEST = {f"{PACK}/manifest.yaml": "name: tools\nversion: 1.0.0\nworkflows: [build]\n"}


def say(name: str, text: str) -> str:
    return f"""
        name: {name}
        states:
          initial: say
          say: {{type: step, command: 'printf %s "{text}"', on_success: done}}
          done: {{type: terminal}}
        """


def call(name: str, *workflows: str) -> str:
    states = [
        f"          c{number}: {{type: call_workflow, workflow: {workflow}, on_success: c{number + 1}}}\n"
        for number, workflow in enumerate(workflows)
    ]
    return (
        f"        name: {name}\n        states:\n          initial: c0\n"
        + "".join(states)
        + f"          c{len(workflows)}: {{type: terminal}}\n"
    )


def test_a_bare_name_in_a_pack_means_the_packs_own_workflow_first() -> None:
    result = run(
        call("main", "tools/build", "helper"),
        files={
            **MANIFEST,
            f"{PACK}/workflows/build.yaml": call("build", "helper", "shared"),
            f"{PACK}/workflows/helper.yaml": say("helper", "of {{awf.pack_name}}"),
            "helper": say("helper", "of the project"),
            "shared": say("shared", "shared"),
        },
    )
    assert result.status == "completed", result.error
    assert result.outputs["c0/c0/say"] == "of tools"
    assert result.outputs["c0/c1/say"] == "shared"
    assert result.outputs["c1/say"] == "of the project"
    assert result.steps["c0"].status == "completed"


def test_outputs_come_out_of_a_packs_workflow() -> None:
    result = run(
        """
        name: main
        states:
          initial: call
          call:
            type: call_workflow
            workflow: tools/build
            outputs: {text: said}
            on_success: show
          show: {type: step, command: 'printf %s "{{states.call.Response.said}}"', on_success: done}
          done: {type: terminal}
        """,
        files={
            **MANIFEST,
            f"{PACK}/workflows/build.yaml": """
                name: build
                outputs: [{name: text, from: states.say.Output}]
                states:
                  initial: say
                  say: {type: step, command: echo built, on_success: done}
                  done: {type: terminal}
                """,
        },
    )
    assert result.outputs["show"] == "built"


def test_a_pack_that_calls_itself_is_refused() -> None:
    files = {**MANIFEST, f"{PACK}/workflows/build.yaml": call("build", "build")}
    text = refused(call("main", "tools/build"), files=files)
    circle = "circular workflow call detected: main -> tools/build -> tools/build"
    assert text.startswith(f"workflow 'main' is invalid: {circle} ({PACK}/workflows/build.yaml:")


def test_a_workflow_that_no_pack_has_is_not_found_when_it_is_called() -> None:
    result = run(call("main", "tools/nope"), files=MANIFEST)
    assert result.error == "step 'c0' failed: sub-workflow not found: tools/nope"


def test_the_paths_of_awf() -> None:
    names = (
        "prompts_dir",
        "scripts_dir",
        "config_dir",
        "data_dir",
        "workflows_dir",
        "plugins_dir",
        "skills_dir",
    )
    command = " ".join(f"{{{{.awf.{name}}}}}" for name in names)
    result = run(say("main", command))
    config, data = f"{result.project}/.config/awf", f"{result.project}/.local/share/awf"
    assert result.outputs["say"].split() == [
        f"{config}/prompts",
        f"{config}/scripts",
        config,
        data,
        f"{config}/workflows",
        f"{data}/plugins",
        f"{config}/skills",
    ]


def test_scripts_in_commands_come_in_three_tiers() -> None:
    files = {
        **MANIFEST,
        f"{PACK}/workflows/build.yaml": """
            name: build
            states:
              initial: say
              say: {type: step, command: 'sh "{{.awf.scripts_dir}}/x.sh"', on_success: done}
              done: {type: terminal}
            """,
    }
    tiers = {
        ".config/awf/scripts/x.sh": "echo everybody",
        f"{PACK}/scripts/x.sh": "echo of the pack",
        ".awf/scripts/tools/x.sh": "echo mine",
    }
    for path, script in tiers.items():
        files[path] = script
        result = run(call("main", "tools/build"), files=files)
        assert result.outputs["c0/say"] == script.removeprefix("echo ") + "\n"
