"""The keys of states, table by table: one for each type."""

from __future__ import annotations

from msgspec.structs import replace

from awf.domain.keys import (
    BUDGET,
    EXPRESSION,
    FLAG,
    NAME,
    TEMPLATE,
    TEMPLATED_DURATION,
    TEMPLATES,
    TEXT,
    TEXTS,
    VALUES,
    Key,
    Keys,
    choice,
    either,
    listed,
    ref,
    whole,
)
from awf.domain.signatures import Signature
from awf.domain.signatures.schema import parameter_key

MOST_ITERATIONS = 10_000
"""The most iterations that a loop may be given."""

STRATEGIES = ("all_succeed", "any_succeed", "best_effort")
MODES = ("single", "conversation")
FORMATS = ("text", "json")
ON_CRASH = ("rerun", "fail", "skip", "ask")

_NAMED = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}

_ANY = {
    "type": Key("What kind of state it is.", {}),
    "description": Key("What the state does, for people.", TEXT),
}
_EXECUTABLE = _ANY | {
    "timeout": Key(
        "How long an attempt may take (500ms, 30s, 1m30s, seconds, a template).", TEMPLATED_DURATION
    ),
    "on_success": Key("The next state after a success.", TEXT),
    "on_failure": Key(
        "The next state after a failure, or the message to fail with.", either(TEXT, ref("failure"))
    ),
    "transitions": Key(
        "Conditions that decide first where to go; the first that holds wins.", listed(ref("transition"))
    ),
    "continue_on_error": Key("Whether a failure goes on like a success.", FLAG),
    "retry": Key("Whether and when a failure is tried again.", ref("retry")),
    "hooks": Key("Actions before and after the state.", ref("hooks")),
    **BUDGET,
}
LEAF = _EXECUTABLE | {
    "on_crash": Key(
        "What becomes of it where its engine ends while it runs: run again, fail, count as done, or ask a person.",
        choice(*ON_CRASH, ""),
    )
}
_LOOP = _EXECUTABLE | {
    "body": Key("The states of an iteration, in order.", listed(NAME) | {"minItems": 1}),
    "max_iterations": Key(
        "The most iterations; a template or arithmetic is computed when the loop starts.",
        either(whole(0, MOST_ITERATIONS), {"type": "string"}),
    ),
    "break_when": Key("A condition (an expression) after each iteration that ends the loop.", EXPRESSION),
    "on_complete": Key("The next state after a success; the same as on_success.", TEXT),
}

STEP = Keys(
    LEAF
    | {
        "command": Key("The shell command (a template).", NAME),
        "script_file": Key("A script to run instead, relative to the workflow's directory.", NAME),
        "dir": Key("The directory to run in (a template).", TEMPLATE),
        "env": Key("Environment variables of the step (templates).", TEMPLATES),
        "escaping": Key("'off' pastes values into the command as code.", FLAG),
        "capture": Key("How much of the output is kept.", ref("capture")),
        "detach": Key("Whether a running attempt outlives its engine; the next one takes it over.", FLAG),
    },
    one_of=("command", "script_file"),
)
TERMINAL = Keys(
    _ANY
    | {
        "status": Key(
            "Whether the execution ends as a success or as a failure.", choice("success", "failure", "")
        ),
        "message": Key("What to say at the end (a template); the error of a failure.", TEMPLATE),
        "exit_code": Key("The execution's exit code.", whole(0, 255)),
        "exitcode": Key("The same as exit_code.", whole(0, 255)),
    }
)
PARALLEL = Keys(
    _EXECUTABLE
    | {
        "parallel": Key("The states to run at the same time.", listed(NAME) | {"minItems": 1}),
        "strategy": Key("When the state succeeds.", choice(*STRATEGIES, "")),
        "max_concurrent": Key("How many run at once; 0: all.", whole(0)),
    },
    required=("parallel",),
)
FOR_EACH = Keys(
    _LOOP
    | {
        "items": Key(
            "A list, or a template of text that gives one: a JSON array, or pieces between commas.",
            {"type": ["array", "string", "number", "boolean"]},
        )
    },
    required=("items", "body"),
)
WHILE = Keys(
    _LOOP | {"while": Key("The condition (an expression) before each iteration.", EXPRESSION)},
    required=("while", "body"),
)
CALL_BLOCK = Keys(
    {
        "workflow": Key("The workflow to call: NAME, or PACK/NAME.", NAME),
        "inputs": Key("Its inputs; texts are templates.", VALUES),
        "outputs": Key("Outputs of the called workflow, and the names for them in Response.", TEMPLATES),
        "timeout": _EXECUTABLE["timeout"],
    },
    required=("workflow",),
)
CALL = Keys(
    {
        **_EXECUTABLE,
        **CALL_BLOCK.read,
        "call_workflow": Key("The same keys as a block.", ref("call")),
    },
    any_of=("workflow", "call_workflow"),
)
AGENT = Keys(
    LEAF
    | {
        "provider": Key("The agent: claude, codex, gemini, … (a template).", NAME),
        "prompt": Key("What the agent is asked (a template).", NAME),
        "prompt_file": Key("A file with the prompt, relative to the workflow's directory.", NAME),
        "mode": Key("One prompt, or a conversation with a person.", choice(*MODES, "")),
        "system_prompt": Key("What the agent is told about its part (a template).", TEMPLATE),
        "role": Key("A role's name, or the path of one (a template).", TEMPLATE),
        "skills": Key(
            "Skills to give it: names, or maps with a path.",
            listed(either(NAME, _NAMED | {"properties": {"path": NAME, "name": NAME}})),
        ),
        "options": Key("Options of the provider; texts are templates.", VALUES),
        "dir": Key("The directory that the agent works in (a template).", TEMPLATE),
        "env": Key("Environment variables of the agent (templates).", TEMPLATES),
        "output_format": Key("What the answer must be.", choice(*FORMATS, "")),
        "conversation": Key("Session tracking.", ref("conversation")),
        "mcp_proxy": Key("Tools that the agent gets through awf.", ref("mcp_proxy")),
    },
    required=("provider",),
    one_of=("prompt", "prompt_file"),
)
CONVERSATION = Keys({"continue_from": Key("The state whose session goes on.", TEXT)})
MCP_PROXY = Keys(
    {
        "enable": Key("Whether the agent gets the tools.", FLAG),
        "intercept_builtins": Key("Whether built-in tools are replaced (default: yes).", FLAG),
        "plugin_tools": Key("Operations of plugins that the agent may use.", listed(ref("plugin_tools"))),
    }
)
PLUGIN_TOOLS = Keys(
    {
        "plugin": Key("The plugin.", NAME),
        "expose": Key("Its operations.", TEXTS),
    },
    required=("plugin",),
)
OPERATION = Keys(
    LEAF
    | {
        "operation": Key("The operation: http.request, notify.send, github.get_pr, …", NAME),
        "inputs": Key("Its inputs; texts are templates.", VALUES),
        "operation_inputs": Key("The same as inputs.", VALUES),
    },
    required=("operation",),
)
_ANSWERED = either(TEXT, ref("failure"))
APPROVAL = Keys(
    {name: key for name, key in _EXECUTABLE.items() if name != "retry" and name not in BUDGET}
    | {
        "message": Key("What the person is asked (a template).", NAME),
        "timeout": Key(
            "How long to wait for the answer (30s, 24h, seconds, a template); without it: for ever.",
            TEMPLATED_DURATION,
        ),
        "on_approve": Key("The next state after an approval; the same as on_success.", TEXT),
        "on_reject": Key(
            "The next state after a rejection, or the message to fail with; otherwise on_failure.", _ANSWERED
        ),
        "on_timeout": Key(
            "The next state after no answer in time, or the message to fail with; otherwise on_failure.",
            _ANSWERED,
        ),
    },
    required=("message",),
)
_STATE_KEYS = {
    "step": STEP,
    "command": STEP,
    "terminal": TERMINAL,
    "parallel": PARALLEL,
    "for_each": FOR_EACH,
    "while": WHILE,
    "call_workflow": CALL,
    "agent": AGENT,
    "operation": OPERATION,
    "approval": APPROVAL,
}
_NAMES = {name for keys in _STATE_KEYS.values() for name in keys.read}
_INERT = dict.fromkeys((*_NAMES, "use_template", "parameters", "depends_on"), "")
STATE_KEYS = {
    kind: replace(keys, inert={name: hint for name, hint in _INERT.items() if name not in keys.read})
    for kind, keys in _STATE_KEYS.items()
}
"""By the ``type`` of a state. A key that means something on another type has no effect on this one."""


def plugin_keys(signature: Signature) -> Keys:
    """The keys of a state whose type is a plug-in's."""
    own = {parameter.name: parameter_key(parameter) for parameter in signature.parameters}
    read = {**LEAF, **own}
    return Keys(
        read,
        inert={name: hint for name, hint in _INERT.items() if name not in read},
        required=tuple(parameter.name for parameter in signature.parameters if parameter.required),
    )
