"""``states:`` of a workflow file: which keys each type of state has, and reading them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from awf.domain.fields import (
    INVALID_VALUE,
    MISSING_FIELD,
    NO_WAY_ON,
    UNSUPPORTED,
    WRONG_TYPE,
    Fields,
    Keys,
)
from awf.domain.findings import Findings
from awf.domain.nodes import Entry, MapNode, ScalarNode, kind_of
from awf.domain.problems import Position
from awf.domain.routing import ROUTING_KEYS, Target, read_routing
from awf.domain.suggest import did_you_mean
from awf.domain.templates import Template
from awf.domain.workflow import State, StepState, TerminalState

_ANY = frozenset({"type", "description"})
_ELSEWHERE = frozenset(
    [
        "command",
        "script_file",
        "dir",
        "env",
        "timeout",
        "escaping",
        "status",
        "message",
        "exit_code",
        "exitcode",
        "parallel",
        "strategy",
        "max_concurrent",
        "items",
        "while",
        "body",
        "max_iterations",
        "break_when",
        "on_complete",
        "operation",
        "inputs",
        "operation_inputs",
        "workflow",
        "outputs",
        "call_workflow",
        "provider",
        "prompt",
        "prompt_file",
        "mode",
        "system_prompt",
        "role",
        "skills",
        "options",
        "output_format",
        "conversation",
        "mcp_proxy",
        "retry",
        "hooks",
        "capture",
        "use_template",
        "parameters",
        "depends_on",
    ]
).union(ROUTING_KEYS)
"""Keys that mean something on some type of state, and nothing on the others."""


def _keys(read: frozenset[str], later: frozenset[str]) -> Keys:
    return Keys(read | _ANY, later, inert=_ELSEWHERE - read - later)


STEP = _keys(
    read=ROUTING_KEYS | {"command", "dir", "env", "timeout"},
    later=frozenset({"retry", "hooks", "capture", "use_template", "parameters", "script_file", "escaping"}),
)
TERMINAL = _keys(
    read=frozenset({"status", "message", "exit_code", "exitcode"}),
    later=frozenset({"use_template", "parameters"}),
)
_FAILURE_WORDS = frozenset(
    {"error", "errors", "errored", "fail", "fails", "failed", "failing", "failure", "failures", "fatal"}
)


@dataclass(slots=True)
class States:
    """``places`` has every name under ``states:``, also of states that could not be read; ``targets`` every state
    that another names; ``commands`` the shell commands of the states that could be read, as they are written.
    """

    initial: str = ""
    initial_place: Position | None = None
    states: dict[str, State] = field(default_factory=dict)
    places: dict[str, Position] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    commands: dict[str, ScalarNode] = field(default_factory=dict)


def read_states(root: Fields) -> States:
    """The states of the document. What is wrong with one hides nothing about the others."""
    found = States()
    if not root.require("states"):
        return found
    entry = root.node.entries["states"]
    if not isinstance(entry.value, MapNode):
        root.mismatch(entry.value, "'states'", "a map with initial and the states by name")
        return found
    _read_initial(Fields(entry.value, entry.key, "states: ", root.findings), found)
    for name, inner in entry.value.entries.items():
        if name != "initial":
            found.places[name] = inner.key
            state = _read_state(name, inner, found, root.findings)
            if state is not None:
                found.states[name] = state
    return found


def _read_initial(fields: Fields, found: States) -> None:
    if not fields.require("initial"):
        return
    node = fields.scalar("initial", "the name of a state")
    if node is not None:
        found.initial, found.initial_place = node.text, node.position


def _read_state(name: str, entry: Entry, found: States, findings: Findings) -> State | None:
    subject = f"state '{name}': "
    if not name.strip() or not name.isprintable():
        findings.error(entry.key, INVALID_VALUE, "the name of a state must be printable and not empty")
        return None
    if not isinstance(entry.value, MapNode):
        findings.error(entry.key, WRONG_TYPE, f"{subject}must be a map, not {kind_of(entry.value)}")
        return None
    fields = Fields(entry.value, entry.key, subject, findings)
    read = _reader(fields)
    return read(fields, name, found) if read else None


def _reader(fields: Fields) -> Callable[[Fields, str, States], State | None] | None:
    if "use_template" in fields.node.entries:
        place = fields.node.entries["use_template"].key
        fields.error(place, UNSUPPORTED, "key 'use_template' is not supported by this version of awf")
        return None
    if not fields.require("type"):
        return None
    node = fields.scalar("type")
    if node is None:
        return None
    kind = node.text.casefold()
    if kind in _LATER:
        fields.error(node.position, UNSUPPORTED, f"type '{kind}' is not supported by this version of awf")
    elif kind not in _READERS:
        hint = did_you_mean(kind, (*_READERS, *_LATER))
        fields.invalid(node, f"unknown type '{node.text}'{hint}")
    return _READERS.get(kind)


def _read_step(fields: Fields, name: str, found: States) -> StepState | None:
    fields.check_keys(STEP)
    routing = read_routing(fields, name, found.targets)
    if not any(fields.entry(key) for key in ("on_success", "on_failure", "transitions")):
        fields.error(fields.place, NO_WAY_ON, "a step must have on_success, on_failure or transitions")
    command = _read_command(fields, name, found)
    description = fields.text("description")
    directory, env, timeout = fields.template("dir"), fields.variables("env"), fields.duration("timeout")
    if command is None:
        return None
    return StepState(
        name=name,
        position=fields.place,
        command=command,
        description=description,
        dir=directory,
        env=env,
        timeout=timeout,
        routing=routing,
    )


def _read_command(fields: Fields, name: str, found: States) -> Template | None:
    node = fields.value("command")
    if isinstance(node, ScalarNode) and node.text.strip():
        command = fields.template("command")
        if command is not None:
            found.commands[name] = node
        return command
    if node is not None and not isinstance(node, ScalarNode):
        fields.mismatch(node, "'command'", "a string")
    elif fields.entry("script_file") is None:
        fields.error(fields.place, MISSING_FIELD, "either command or script_file is required")
    return None


def _read_terminal(fields: Fields, name: str, _: States) -> TerminalState:
    fields.check_keys(TERMINAL)
    status = fields.choice(
        "status",
        ("success", "failure"),
        lambda given: f"invalid terminal status '{given}': must be 'success' or 'failure'",
    )
    if fields.entry("status") is None and not _FAILURE_WORDS.isdisjoint(re.split(r"[\W_]+", name.lower())):
        message = "ends the execution as a success; if it means a failure, write 'status: failure'"
        fields.warn(fields.place, "WORKFLOW.VALIDATION.TERMINAL_STATUS", message)
    exit_code = fields.integer("exit_code", 0, 255)
    if exit_code is None:
        exit_code = fields.integer("exitcode", 0, 255)
    return TerminalState(
        name=name,
        position=fields.place,
        status="failure" if status == "failure" else "success",
        message=fields.template("message"),
        exit_code=exit_code,
        description=fields.text("description"),
    )


_READERS: dict[str, Callable[[Fields, str, States], State | None]] = {
    "step": _read_step,
    "command": _read_step,
    "terminal": _read_terminal,
}
_LATER = frozenset({"parallel", "for_each", "while", "operation", "call_workflow", "agent"})
