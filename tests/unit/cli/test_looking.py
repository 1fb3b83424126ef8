"""Commands that look at what there is: logs, events, validate, diagram, error, prompts, and help."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import awf as package
from awf.cli.error import catalogue
from awf.cli.main import COMMANDS, awf
from awf.errors import RequestInvalid, SystemFault, WorkflowInvalid
from unit.cli.conftest import ECHO, Call, write

TALKS = (
    "  initial: one\n"
    "  one: {type: step, command: 'echo first; echo aside >&2', on_success: two}\n"
    "  two: {type: step, command: 'printf second', on_success: done}\n"
    "  done: {type: terminal}\n"
)
BROKEN = (
    "  initial: a\n  a: {type: step, command: x, on_success: nowhere, on_failure: z}\n  z: {type: terminal}\n"
)


@pytest.fixture
def talked(project: Path, call: Call) -> str:
    """An execution of two steps that wrote something."""
    write(project, "talks", TALKS)
    assert call("run", "talks").exit_code == 0
    return str(call("-q", "status").stdout.strip())


def test_logs_are_what_steps_wrote(talked: str, call: Call) -> None:
    shown = call("logs", talked)
    assert shown.stdout == "first\nsecond"
    assert shown.stderr == "== one\naside\n== two\n"
    assert call("logs", talked, "--step", "two", "-q").stdout == "second"
    assert call("logs", talked, "--stream", "stderr", "-q").stderr == "aside\n"
    assert call("logs", "-f", talked, "-q").stdout == "first\nsecond"
    with pytest.raises(
        RequestInvalid, match=r"no step 'twoo' has run in execution .* \(did you mean 'two'\?\)"
    ):
        call("logs", talked, "--step", "twoo")
    pieces = [json.loads(line) for line in call("-f", "json", "logs", talked).stdout.splitlines()]
    assert [(piece["step"], piece["stream"]) for piece in pieces] == [
        ("one", "stdout"),
        ("one", "stderr"),
        ("two", "stdout"),
    ]


def test_events_are_numbered_and_can_be_continued(talked: str, call: Call) -> None:
    found = [json.loads(line) for line in call("-f", "json", "events", talked).stdout.splitlines()]
    assert [event["id"] for event in found] == list(range(1, len(found) + 1))
    assert (found[0]["event"], found[-1]["event"]) == ("execution.accepted", "workflow.completed")
    rest = call("-f", "json", "events", talked, "--after", "3", "--follow").stdout.splitlines()
    assert [json.loads(line) for line in rest] == found[3:]
    lines = call("events", talked).stdout.splitlines()
    assert re.fullmatch(r" +4  step\.started +one  \{.*\}", lines[3])
    assert call("events", "-q", talked).stdout.split() == [event["event"] for event in found]


def test_a_resumed_execution_takes_over_what_was_done(project: Path, call: Call) -> None:
    states = (
        "  initial: one\n"
        "  one: {type: step, command: 'echo one >>effects', on_success: two}\n"
        "  two: {type: step, command: 'test {{inputs.pass}} = yes', on_success: done}\n"
        "  done: {type: terminal}\n"
    )
    write(project, "twice", states, more="inputs: [{name: pass, default: 'no'}]\n")
    assert call("run", "twice").exit_code == 3
    (first,) = call("resume", "--list", "-q").stdout.split()
    assert call("resume", first, "-i", "pass=yes").exit_code == 0
    assert (project / "effects").read_text() == "one\n"
    second = json.loads(call("status", "-f", "json").stdout)[0]
    assert (second["status"], second["resumed_from"]) == ("completed", first)
    assert call("resume", first, "--from", "one", "-i", "pass=yes", "-q").exit_code == 0
    assert (project / "effects").read_text() == "one\none\n"
    with pytest.raises(RequestInvalid, match="name the execution"):
        call("resume")


def test_many_and_all_are_validated(project: Path, call: Call) -> None:
    write(project, "good", ECHO)
    write(project, "bad", BROKEN)
    assert call("validate", "good").exit_code == 0
    several = call("validate", "good", "bad")
    assert several.exit_code == 2
    assert "good: valid\n" in several.stdout
    assert "bad: 1 error\n" in several.stderr
    for arguments in ((), ("--all",)):
        found = json.loads(call("validate", *arguments, "-f", "json").stdout)
        assert [(each["workflow"], len(each["errors"])) for each in found] == [("bad", 1), ("good", 0)]
        assert re.match(r"\.awf/workflows/bad\.yaml:\d+:\d+: state 'a' references", found[0]["errors"][0])
    assert call("validate", "-q").stdout == "bad\n"
    with pytest.raises(RequestInvalid):
        call("validate", "--all", "good")


NESTED = (
    "  initial: each\n"
    '  each: {type: for_each, items: "a,b", body: [one, two], on_complete: both, on_failure: {message: no, status: 4}}\n'
    "  one: {type: step, command: x}\n  two: {type: step, command: x}\n"
    "  both:\n    type: parallel\n    parallel: [left, right]\n"
    '    transitions: [{when: \'states.left.Output == "say \\"x\\""\', goto: done}]\n    on_success: done\n'
    "  left: {type: step, command: x}\n  right: {type: step, command: x}\n"
    "  done: {type: terminal}\n"
)


def test_a_diagram_has_every_state_and_way(project: Path, call: Call) -> None:
    write(project, "nested", NESTED)
    drawn = call("diagram", "nested", "--direction", "LR", "--highlight", "both").stdout
    assert "rankdir=LR;" in drawn
    assert drawn.count("subgraph cluster_") == 2
    for edge in ('"each" -> "both" [label="complete"]', '"one" -> "two"', '"two" -> "each" [label="next"]'):
        assert edge in drawn
    assert '"both" -> "left"' in drawn
    assert '"each" -> "__failed" [label="failure"]' in drawn
    assert 'label="when states.left.Output == \\"say \\\\\\"x\\\\\\"\\""' in drawn
    assert re.search(r'"both" \[.*fillcolor="gold"', drawn)
    flow = call("diagram", "nested", "-t", "mermaid").stdout
    assert flow.startswith("flowchart TB\n")
    assert flow.count("subgraph") == 2
    assert '"say' not in flow
    with pytest.raises(RequestInvalid, match="did you mean 'both'"):
        call("diagram", "nested", "--highlight", "boht")
    write(project, "bad", BROKEN)
    with pytest.raises(WorkflowInvalid, match=r"bad\.yaml:\d"):
        call("diagram", "bad")


def test_a_diagram_in_a_file_is_what_the_extension_says(
    project: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "hello", ECHO)
    for name, start in (("a.dot", "digraph"), ("a.mmd", "flowchart"), ("a.md", "```mermaid\nflowchart")):
        assert call("diagram", "hello", "--output", name).exit_code == 0
        assert (project / name).read_text().startswith(start)
    programs = project / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(SystemFault, match="SVG needs Graphviz") as raised:
        call("diagram", "hello", "--output", "a.svg")
    assert raised.value.remedy == "to install it, or `--type dot` or `--type mermaid`"
    dot = programs / "dot"
    dot.write_text('#!/bin/sh\n[ "$1" = -Tsvg ] || exit 3\nread -r first\nprintf "<svg>%s</svg>" "$first"\n')
    dot.chmod(0o755)
    assert call("diagram", "hello", "--output", "a.svg").exit_code == 0
    assert (project / "a.svg").read_text() == '<svg>digraph "hello" {</svg>'
    dot.write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    with pytest.raises(SystemFault, match="broken"):
        call("diagram", "hello", "-t", "svg")


def test_every_code_is_explained() -> None:
    known = catalogue()
    used = set(_codes())
    assert used - known.keys() == set()
    for entry in known.values():
        assert entry.meaning, entry.code
        assert entry.exit_status in {1, 2, 3, 4}


def _codes() -> Iterator[str]:
    """Every code in the source of the package."""
    for path in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.fullmatch(r"(USER|WORKFLOW|EXECUTION|SYSTEM)(\.[A-Z_]+){2}", node.value):
                    yield node.value


def test_codes_are_looked_up(call: Call) -> None:
    shown = call("error", "workflow.validation.missing_state").stdout
    assert "A state that is named does not exist." in shown
    assert "try:" in shown
    assert "exit status: 2" in shown
    several = call("error", "USER.INPUT", "-q").stdout.split()
    assert "USER.INPUT.VALIDATION_FAILED" in several
    assert all(code.startswith("USER.INPUT") for code in several)
    assert {each["code"] for each in json.loads(call("error", "-f", "json").stdout)} == set(catalogue())
    with pytest.raises(RequestInvalid, match="did you mean 'USER.INPUT.ANSWER'"):
        call("error", "USER.INPUT.ANSWERS")


def test_prompts_are_found_and_read(project: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = project / ".awf" / "prompts"
    (prompts / "review").mkdir(parents=True)
    (prompts / "review" / "short.md").write_text("\n  be brief  \n")
    mine = project / "mine"
    mine.mkdir()
    (mine / "own.md").write_text("mine")
    monkeypatch.setenv("AWF_PROMPTS_PATH", str(mine))
    assert call("list", "prompts", "-q").stdout.split() == ["own.md", "review/short.md"]
    write(
        project,
        "say",
        "  initial: say\n  say: {type: step, command: 'echo \"{{inputs.p}}\"', on_success: z}\n  z: {type: terminal}\n",
        more="inputs: [{name: p}]\n",
    )
    assert call("run", "say", "-i", "p=@prompts/review/short.md").stdout == "be brief\n"
    assert call("run", "say", "-i", "p=@prompts/own.md").stdout == "mine\n"
    for name, text in (
        ("../config.yaml", "path traversal"),
        ("/etc/passwd", "path traversal"),
        ("review", "is a directory"),
        ("nothing.md", "prompt not found: nothing.md \\(searched in"),
    ):
        with pytest.raises(RequestInvalid, match=text):
            call("run", "say", "-i", f"p=@prompts/{name}")
    (prompts / "link.md").symlink_to("/etc/passwd")
    with pytest.raises(RequestInvalid, match="path traversal"):
        call("run", "say", "-i", "p=@prompts/link.md")
    (prompts / "binary.md").write_bytes(b"\xff\xfe")
    with pytest.raises(RequestInvalid, match="UTF-8"):
        call("run", "say", "-i", "p=@prompts/binary.md")


def _all_commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(awf, info_name="awf")
    waiting: list[tuple[str, click.Command]] = [("awf", awf)]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                found = command.get_command(context, below)
                assert found is not None
                waiting.append((f"{name} {below}", found))


def test_every_command_and_option_is_explained_with_an_example() -> None:
    for name, command in _all_commands():
        assert command.help, name
        assert "Example" in command.help, f"{name} shows no example"
        for option in command.params:
            if isinstance(option, click.Option) and option.name not in {"help", "version"}:
                assert option.help, f"{name} {option.opts[0]} has no help"
    assert set(COMMANDS) == {
        path.stem.replace("_", "-")
        for path in Path(package.__file__).parent.glob("cli/*.py")
        if _is_command(path)
    }


def _is_command(path: Path) -> bool:
    return "\ndef command(" in path.read_text()


def test_the_help_of_run_shows_the_inputs_of_a_workflow(project: Path, call: Call) -> None:
    write(
        project,
        "asks",
        ECHO,
        more="inputs:\n"
        "  - {name: env, required: true, description: Where to, validation: {enum: [dev, prod]}}\n"
        "  - {name: api_token, default: hushhush1}\n",
    )
    shown = call("run", "asks", "--help").stdout
    assert "Inputs of asks (A test):" in shown
    assert re.search(r"env +Where to \[string; required; one of dev, prod\]", shown)
    assert re.search(r"api_token +\[string; default \*\*\*\]", shown)
    assert call("run", "--help").stdout.startswith("Usage: awf run")
    write(project, "bad", BROKEN)
    assert "bad cannot be run" in call("run", "bad", "--help").stdout
