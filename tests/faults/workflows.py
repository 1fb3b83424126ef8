"""Workflows whose every step leaves a line with its attempt's id in a file, so that each run of it counts."""

from __future__ import annotations

import json
from typing import Any

EFFECT = 'echo "$AWF_ATTEMPT_ID" >>effects; '


def step(command: str = "", to: str = "done", **keys: Any) -> dict[str, Any]:
    return {"type": "step", "command": f"{EFFECT}{command}".rstrip("; "), "on_success": to, **keys}


def text(name: str, states: dict[str, Any], **keys: Any) -> str:
    """A workflow file."""
    return json.dumps({"name": name, "version": "1.0.0", **keys, "states": states})


SERVICE = "http://service.invalid"
"""Stands for the address of the service that operations ask: see ``faults.surroundings``."""

AGENT = {"type": "agent", "provider": "claude"}
CALL = {
    "type": "operation",
    "operation": "http.request",
    "inputs": {"method": "POST", "url": SERVICE, "body": "{{workflow.ID}}.{{workflow.CurrentState}}"},
}

AGAIN = {"max_attempts": 9, "initial_delay": "10ms", "backoff": "constant"}

CHILD = text(
    "child",
    {
        "initial": "inner",
        "inner": step("echo inside {{inputs.n}}", retry=AGAIN),
        "done": {"type": "terminal"},
    },
    inputs=[{"name": "n", "type": "integer"}],
    outputs=[{"name": "said", "from": "states.inner.Output"}],
)


def everything(name: str) -> str:
    """Every type of state, hooks, a retry, a failure that is routed, a block that ends one of its branches."""
    return text(
        name,
        {
            "initial": "first",
            "first": step("echo one; echo two >&2", "each"),
            "each": {"type": "for_each", "items": ["a", "b"], "body": ["mark"], "on_complete": "again"},
            "mark": step("echo {{loop.Item}}", "each"),
            "again": {
                "type": "while",
                "while": "states.count.Output != '2'",
                "body": ["count"],
                "on_complete": "both",
            },
            "count": step("echo {{loop.Index1}}", "again"),
            "both": {"type": "parallel", "parallel": ["left", "right"], "on_success": "race"},
            "left": step("echo left"),
            "right": step("echo right"),
            "race": {
                "type": "parallel",
                "parallel": ["quick", "slow"],
                "strategy": "any_succeed",
                "on_success": "call",
            },
            "quick": step("echo quick"),
            "slow": step("sleep 600"),
            "call": {
                "type": "call_workflow",
                "workflow": "child",
                "inputs": {"n": 7},
                "outputs": {"said": "said"},
                "on_success": "flaky",
            },
            "flaky": step(
                'test -e "tried-$AWF_EXECUTION_ID" || { touch "tried-$AWF_EXECUTION_ID"; exit 3; }',
                "bad",
                retry={"max_attempts": 3, "initial_delay": "30ms", "backoff": "constant"},
            ),
            "bad": step("exit 4", on_failure="apart"),
            "apart": step("echo apart", "agent", detach=True),
            "agent": {**AGENT, "prompt": "look [tools]", "on_success": "ask"},
            "ask": {**CALL, "on_success": "approve"},
            "approve": {"type": "approval", "message": "{{states.ask.Response.body}}?", "on_approve": "last"},
            "last": step(
                "echo {{states.call.Response.said}} {{states.bad.ExitCode}} {{states.approve.Output}}",
                hooks={"pre": [{"command": EFFECT + "true"}]},
            ),
            "done": {"type": "terminal", "message": "said {{states.last.Output}}"},
        },
        hooks={"workflow_start": [{"log": "begins"}], "workflow_end": [{"command": EFFECT + "echo ends"}]},
    )


def sturdy(name: str) -> str:
    """Steps that take a moment each, of which none ends differently when its process is killed: it is tried again."""
    again = {"retry": AGAIN}
    moment = "sleep 0.$(($$ % 4)); "
    return text(
        name,
        {
            "initial": "first",
            "first": step(moment + "echo one", "each", **again),
            "each": {"type": "for_each", "items": [1, 2, 3], "body": ["mark"], "on_complete": "again"},
            "mark": step(moment + "echo {{loop.Item}}", "each", **again),
            "again": {
                "type": "while",
                "while": "states.count.Output != '2'",
                "body": ["count"],
                "on_complete": "both",
            },
            "count": step(moment + "echo {{loop.Index1}}", "again", **again),
            "both": {"type": "parallel", "parallel": ["left", "right"], "on_success": "apart"},
            "apart": step(moment + "echo apart", "agent", detach=True, **again),
            "agent": {**AGENT, "prompt": "look [tools]", "on_success": "ask", **again},
            "ask": {**CALL, "on_success": "approve", **again},
            "approve": {"type": "approval", "message": "go on?", "on_approve": "call"},
            "left": step(moment + "seq 1 300", **again),
            "right": step(moment + "echo right", **again),
            "call": {
                "type": "call_workflow",
                "workflow": "child",
                "inputs": {"n": 7},
                "outputs": {"said": "said"},
                "on_success": "last",
            },
            "last": step(moment + "echo {{states.call.Response.said}}", **again),
            "done": {"type": "terminal", "message": "said {{states.last.Output}}"},
        },
        hooks={"workflow_start": [{"log": "begins"}], "workflow_end": [{"log": "ends"}]},
    )


def failing(name: str) -> str:
    """Ends as failed while a file ``NAME-mended`` does not exist."""
    return text(
        name,
        {
            "initial": "one",
            "one": step("echo one", "two"),
            "two": step(f"test -e {name}-mended"),
            "done": {"type": "terminal"},
        },
        hooks={"workflow_error": [{"command": EFFECT + "true"}]},
    )


def held(name: str) -> str:
    """Its second step sleeps, unless a file ``NAME-go`` exists when it starts."""
    return text(
        name,
        {
            "initial": "one",
            "one": step("echo one", "two"),
            "two": step(f"test -e {name}-go || exec sleep 600; echo two"),
            "done": {"type": "terminal"},
        },
    )


def sleeping(name: str) -> str:
    """Waits to be cancelled, with two steps in flight."""
    return text(
        name,
        {
            "initial": "one",
            "one": step("echo one", "both"),
            "both": {"type": "parallel", "parallel": ["left", "right"], "on_success": "done"},
            "left": step("setsid sleep 600 & sleep 600"),
            "right": step("exec sleep 600"),
            "done": {"type": "terminal"},
        },
        hooks={"workflow_cancel": [{"command": EFFECT + "true"}]},
    )
