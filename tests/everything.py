"""One workflow with everything that the language has, and what can be changed in it."""

from __future__ import annotations

from typing import Any

from awf.domain.files import FileMissing

EVERYTHING: dict[str, Any] = {
    "name": "build",
    "max_cost_usd": 2.5,
    "on_budget": "fail",
    "escaping": True,
    "inputs": [{"name": "x", "default": "a,b"}],
    "outputs": [{"name": "log", "from": "states.one.Output"}],
    "hooks": {"workflow_start": [{"log": "go"}], "workflow_error": [{"command": 'echo "{{error.Message}}"'}]},
    "states": {
        "initial": "each",
        "each": {
            "type": "for_each",
            "items": ["{{.inputs.x}}", 1],
            "max_iterations": "2 * 2",
            "body": ["one", "both"],
            "break_when": "loop.Last",
            "on_complete": "wait",
            "on_failure": {"message": "no {{.inputs.x}}", "status": 3},
            "timeout": "{{.inputs.x}}s",
            "retry": {
                "max_attempts": 2,
                "initial_delay": "1s",
                "backoff": "linear",
                "retryable_exit_codes": [1],
            },
            "hooks": {"pre": [{"log": "x"}], "post": [{"command": "x"}]},
        },
        "one": {
            "type": "step",
            "command": 'echo "{{.loop.Item}}"',
            "env": {"A": "b"},
            "capture": {"max_size": "1MB"},
            "detach": True,
        },
        "both": {
            "type": "parallel",
            "parallel": ["left", "right"],
            "strategy": "best_effort",
            "max_concurrent": 2,
        },
        "left": {"type": "step", "script_file": "a.sh"},
        "right": {
            "type": "call_workflow",
            "workflow": "v",
            "inputs": {"y": ["{{.inputs.x}}"]},
            "outputs": {"a": "b"},
        },
        "wait": {
            "type": "while",
            "while": "states.check.Output != 'ready'",
            "body": ["check"],
            "transitions": [{"when": "true", "goto": "ask"}, {"goto": "done"}],
        },
        "check": {"use_template": "t", "parameters": {"p": "q"}},
        "ask": {
            "type": "agent",
            "provider": "claude",
            "prompt": "{{.inputs.x}}",
            "skills": ["a", {"path": "b"}],
            "max_tokens_total": 1000,
            "max_duration": "1h",
            "options": {"model": "m"},
            "conversation": {"continue_from": "ask"},
            "mcp_proxy": {"enable": True, "plugin_tools": [{"plugin": "http", "expose": ["request"]}]},
            "on_success": "call",
        },
        "call": {
            "type": "operation",
            "operation": "http.request",
            "inputs": {"method": "POST", "url": "{{.inputs.x}}"},
            "on_success": "ok",
        },
        "ok": {
            "type": "approval",
            "message": "go on with {{.inputs.x}}?",
            "timeout": "1h",
            "on_approve": "done",
            "on_reject": {"message": "no: {{.states.ok.Response.comment}}", "status": 2},
            "on_timeout": "done",
        },
        "done": {"type": "terminal", "message": "{{.inputs.x}}"},
    },
}
BESIDE = {
    "{{awf.skills_dir}}/a/SKILL.md": "Do a.",
    "b/SKILL.md": "Do b.",
    "a.sh": "echo {{.inputs.x}}\n",
    ".awf/templates/t.yaml": "name: t\nparameters: [{name: p}]\nstates: {t: {type: step, command: 'x {{parameters.p}}'}}\n",
}


def beside(path: str) -> str:
    if path not in BESIDE:
        raise FileMissing(path)
    return BESIDE[path]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inner = [place for key, part in value.items() for place in _places(part, (*path, key))]
    elif isinstance(value, list):
        inner = [place for index, part in enumerate(value) for place in _places(part, (*path, index))]
    return [path, *inner] if path else inner


PLACES = _places(EVERYTHING)
VALUES: list[Any] = [
    *(
        None,
        "",
        0,
        -1,
        1.5,
        True,
        "x",
        "one",
        "each",
        "{{",
        "{{.inputs.x}}",
        "{{.loop.Item}}",
        "{{.states.each.Output}}",
    ),
    *("a ==", "loop.Index", "t", [], ["one"], ["each", "each"], [[]], {}, {"x": "y"}, [{}], {"a": {"b": []}}),
]
