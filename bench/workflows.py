"""The workflows that are measured, as texts."""

from __future__ import annotations

import json
from collections.abc import Sequence


def sequence(name: str, commands: Sequence[str]) -> str:
    """Steps one after another, one per command."""
    lines = [f"name: {name}", "states:", "  initial: step1"]
    for number, command in enumerate(commands, 1):
        following = f"step{number + 1}" if number < len(commands) else "done"
        lines += [
            f"  step{number}:",
            "    type: step",
            f"    command: {json.dumps(command)}",
            f"    on_success: {following}",
        ]
    return "\n".join([*lines, "  done:", "    type: terminal", ""])


def circle(name: str, command: str, *, detach: bool = False) -> str:
    """Two steps that lead to each other, until the limit of transitions ends it."""
    body = f"type: step, command: {json.dumps(command)}{', detach: true' if detach else ''}"
    return (
        f"name: {name}\nstates:\n  initial: there\n"
        f"  there: {{{body}, on_success: back}}\n  back: {{{body}, on_success: there}}\n"
        "  never: {type: terminal}\n"
    )


def loop(name: str, command: str, iterations: int) -> str:
    """A ``while`` of one step that goes on to its limit."""
    return (
        f"name: {name}\nstates:\n  initial: round\n"
        f'  round: {{type: while, while: "true", max_iterations: {iterations}, body: [one], on_complete: done}}\n'
        f"  one: {{type: step, command: {json.dumps(command)}}}\n  done: {{type: terminal}}\n"
    )


def various(name: str, lines: int) -> str:
    """A file of so many lines, or a few more: inputs, commands with values, conditions, retries, loops, parallel states."""
    head = [f"name: {name}", "inputs:", "  target: {type: string, default: staging}", "states:"]
    head += ["  initial: build0", "  done: {type: terminal}", "  failed:", "    type: terminal"]
    text = [*head, "    status: failure", '    message: "{{.workflow.Name}} failed: {{.inputs.target}}"']
    number, following = 0, ""
    while following != "done":
        following = f"build{number + 1}" if len(text) + _GROUP_LINES < lines else "done"
        text += _GROUP.replace("NEXT", following).replace("#", str(number)).splitlines()
        number += 1
    return "\n".join([*text, ""])


_GROUP = """\
  build#:
    type: step
    command: |
      echo "building {{.inputs.target}} {{if eq .inputs.target "production"}}carefully{{end}}"
      printf '%s\\n' a b c
    timeout: 30s
    retry: {max_attempts: 3, initial_delay: 1s, backoff: exponential, jitter: 0.1}
    transitions:
      - {when: 'states.build#.ExitCode == 0 and inputs.target != "nowhere"', goto: suites#}
      - {when: 'states.build#.Output contains "FLAKY"', goto: build#}
    on_failure: failed
  suites#:
    type: parallel
    parallel: [unit#, each#]
    strategy: all_succeed
    max_concurrent: 2
    on_success: NEXT
    on_failure: {message: "suites of {{.inputs.target}} failed", status: 7}
  unit#:
    type: step
    command: echo "unit {{.inputs.target | printf "%q"}}"
    env: {TARGET: "{{.inputs.target}}"}
  each#:
    type: for_each
    items: "{{.states.build#.Output}}"
    body: [item#]
    break_when: "loop.Index >= 5"
  item#:
    type: step
    command: 'echo "{{.loop.Index1}} of {{.loop.Length}}: {{.loop.Item}}"'
    hooks:
      post: [{log: "{{.states.item#.Output}}"}]"""
_GROUP_LINES = _GROUP.count("\n") + 1
