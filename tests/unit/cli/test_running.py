"""Ways of running that are no plain run: dry runs, single steps; what `awf init` makes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from awf.errors import InputsInvalid, RequestInvalid, WorkflowInvalid
from unit.cli.conftest import Call, write

DEPLOY = """\
  initial: build
  build:
    type: step
    command: make {{inputs.target}} && touch made
    timeout: 30s
    retry: {max_attempts: 3, initial_delay: 1s}
    hooks: {pre: [{log: 'about to build {{inputs.target}}'}]}
    on_success: each
    on_failure: {message: 'no {{inputs.target}}', status: 4}
  each: {type: for_each, items: "a,b", body: [ship], on_complete: done}
  ship: {type: step, command: 'ship {{states.build.Output}} --token={{inputs.api_token}} {{loop.Item}}'}
  done: {type: terminal}
  never: {type: terminal, status: failure}
"""
INPUTS = (
    "inputs:\n"
    "  - {name: target, required: true}\n"
    "  - {name: level, type: integer, default: 2}\n"
    "  - {name: api_token, default: hushhush1}\n"
)


@pytest.fixture
def deploy(project: Path) -> Path:
    write(project, "deploy", DEPLOY, more=INPUTS)
    return project


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(deploy: Path, call: Call) -> None:
    shown = call("run", "deploy", "--dry-run", "-i", "target=all").stdout
    for line in (
        "  target = all",
        "  level = 2  (default)",
        "  api_token = ***  (default)",
        "1. build [step]",
        "     command: make all && touch made",
        "2. each [for_each]",
        "3. ship [step]",
        "     complete -> done",
        "     command: ship {{states.build.Output}} --token={{inputs.api_token}} {{loop.Item}}",
    ):
        assert line in shown.splitlines(), shown
    assert "hushhush1" not in shown
    assert "never" not in shown
    assert not (deploy / ".awf" / "storage").exists()


def test_an_input_with_a_secret_in_it_is_shown_without(
    project: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "open-sesame")
    write(
        project,
        "say",
        "  initial: a\n  a: {type: step, command: 'printf %s {{inputs.target}} | wc -c >made', on_success: b}\n  b: {type: terminal}\n",
        more=INPUTS,
    )
    given = ("run", "say", "-i", "target=x/open-sesame/hushhush1")
    assert "target = x/***/***" in call(*given, "--dry-run").stdout
    assert call(*given, "-q").exit_code == 0
    assert (project / "made").read_text().strip() == "23"
    found = json.loads(call("status", call("history", "-q").stdout.strip(), "-f", "json").stdout)
    assert found["inputs"]["target"] == "x/***/***"


def test_a_dry_run_as_json(deploy: Path, call: Call) -> None:
    plan = json.loads(call("run", "deploy", "--dry-run", "-i", "target=all", "-f", "json").stdout)
    assert plan["inputs"]["target"] == {"value": "all", "from": "given"}
    assert [state["name"] for state in plan["states"]] == ["build", "each", "ship", "done"]
    build = plan["states"][0]
    assert (build["timeout"], build["retry"]["max_attempts"]) == (30.0, 3)
    assert build["hooks"]["pre"] == [{"log": "about to build all", "escaping": True}]
    assert build["next"][0] == {"on": "success", "goto": "each"}
    assert build["next"][1]["fail"]["message"] == "no all"


def test_a_dry_run_finds_what_a_run_would_refuse(deploy: Path, call: Call) -> None:
    with pytest.raises(InputsInvalid, match=r"inputs\.target: required but not provided"):
        call("run", "deploy", "--dry-run")
    write(deploy, "bad", "  initial: a\n  a: {type: step, command: x, on_success: nowhere}\n")
    with pytest.raises(WorkflowInvalid, match=r"bad\.yaml:\d+:\d+"):
        call("run", "bad", "--dry-run")


STEPS = """\
  initial: build
  build: {type: step, command: 'touch built; echo real', on_success: ship}
  ship:
    type: step
    command: 'echo "{{states.build.Output}}/{{states.build.ExitCode}}/{{inputs.n}}"; test {{states.build.ExitCode}} -lt 9'
    retry: {max_attempts: 2}
    on_success: after
    on_failure: after
  after: {type: step, command: 'touch after', on_success: done}
  done: {type: terminal}
"""


@pytest.fixture
def steps(project: Path) -> Path:
    write(project, "steps", STEPS, more="inputs: [{name: n, type: integer, default: 5}]\n")
    return project


def test_a_single_step_runs_alone_with_what_is_mocked(steps: Path, call: Call) -> None:
    odd = 'it\'s "$HOME" `x` %s'
    ran = call(
        "run", "steps", "--step", "ship", "-m", f"states.build.output={odd}", "-m", "states.build.exit_code=3"
    )
    assert ran.exit_code == 0
    assert ran.stdout.endswith(f"{odd}/3/5\n")
    assert not (steps / "built").exists()
    assert not (steps / "after").exists()
    assert not (steps / ".awf" / "storage").exists()


def test_a_single_step_that_fails_says_so(steps: Path, call: Call) -> None:
    ran = call("run", "steps", "--step", "ship", "-m", "states.build.ExitCode=9")
    assert ran.exit_code == 3
    assert "attempt 2" in ran.stderr
    assert "step 'ship' failed" in ran.stderr
    missing = call("run", "steps", "--step", "ship")
    assert missing.exit_code == 3
    assert "states.build" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--step", "shipp"), "step not found: shipp \\(did you mean 'ship'"),
        (("--step", "done"), "cannot execute terminal step: done"),
        (("--step", "ship", "-m", "build=x"), "states.STEP.FIELD=VALUE"),
        (("--step", "ship", "-m", "states.build.nothing=x"), "states.STEP.FIELD=VALUE"),
        (("--step", "ship", "-m", "states.buidl.output=x"), "did you mean 'build'"),
        (("--step", "ship", "-m", "states.build.exit_code=x"), "0 to 255"),
        (("-m", "states.build.output=x"), "--mock needs --step"),
        (("-b", "ship"), "--breakpoint needs --interactive"),
        (("--dry-run", "--detach"), "--dry-run and --detach do not go together"),
    ],
)
def test_what_makes_no_sense_is_refused(
    steps: Path, call: Call, arguments: tuple[str, ...], text: str
) -> None:
    with pytest.raises(RequestInvalid, match=text):
        call("run", "steps", *arguments)


def test_a_breakpoint_at_no_step_is_refused_before_anything_runs(
    steps: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awf.cli.run._check_together", lambda *_, **__: None)  # there is no terminal here
    with pytest.raises(RequestInvalid, match=r"step not found: shipp \(did you mean 'ship'"):
        call("run", "steps", "--interactive", "-b", "ship", "-b", "shipp")
    with pytest.raises(RequestInvalid, match="nothing stops at done"):
        call("run", "steps", "--interactive", "-b", "done")
    assert call("status", "-q").stdout == ""


def test_json_of_a_run_is_its_record(steps: Path, call: Call) -> None:
    ran = call("run", "steps", "-f", "json")
    assert ran.exit_code == 0
    found = json.loads(ran.stdout)
    assert (found["workflow_name"], found["status"], len(found["steps"])) == ("steps", "completed", 3)
    assert call("run", "steps", "-q").stdout.strip() == call("status", "-q", "--limit", "1").stdout.strip()


def test_init_makes_a_project_that_runs(
    tmp_path: Path, project: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "new"
    place.mkdir()
    monkeypatch.chdir(place)
    assert call("init").exit_code == 0
    assert os.access(place / ".awf" / "scripts" / "example.sh", os.X_OK)
    checked = call("validate", "example")
    assert checked.stdout == "example: valid\n"
    assert call("run", "example").stdout == "Hello, world!\nWelcome to awf.\n3 words\n"
    assert call("run", "example", "-i", "text=@prompts/example.md").exit_code == 0
    (place / ".awf" / "config.yaml").write_text("# mine\n")
    assert "nothing was changed" in call("init").stdout
    assert (place / ".awf" / "config.yaml").read_text() == "# mine\n"
    call("init", "--force")
    assert (place / ".awf" / "config.yaml").read_text() != "# mine\n"


def test_init_for_the_user(project: Path, call: Call) -> None:
    call("init", "--global")
    base = project / "home" / ".config" / "awf"
    assert sorted(path.name for path in base.iterdir()) == ["prompts", "scripts", "workflows"]
