"""The keys of the workflow language: one table for each kind of map that a workflow file can have."""

from __future__ import annotations

from dataclasses import replace

from awf.domain.keys import (
    DURATION,
    EXPRESSION,
    FLAG,
    NAME,
    NUMBER,
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

MOST_ITERATIONS = 10_000
"""The most iterations that a loop may be given."""

STRATEGIES = ("all_succeed", "any_succeed", "best_effort")
BACKOFFS = ("constant", "linear", "exponential")
MODES = ("single", "conversation")
FORMATS = ("text", "json")

_ACTIONS = listed(ref("action"))
_NAMED = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}

TOP = Keys(
    {
        "name": Key("The workflow's own name; people call it by its file's name.", NAME),
        "description": Key("What the workflow does, for people.", TEXT),
        "version": Key("The workflow's version, for people.", TEXT),
        "author": Key("Who wrote it, for people.", TEXT),
        "tags": Key("Words to find it by.", TEXTS),
        "inputs": Key(
            "The inputs that a run takes: a list, or a map of names to inputs.",
            either(
                listed({"allOf": [ref("input")], "required": ["name"]}),
                {"type": "object", "additionalProperties": either(ref("input"), {"type": "null"})},
            ),
        ),
        "outputs": Key(
            "What a workflow that calls this one gets: a list, or a map of names to expressions.",
            either(
                listed({"allOf": [ref("output")], "required": ["name"]}),
                {"type": "object", "additionalProperties": either(ref("output"), EXPRESSION)},
            ),
        ),
        "states": Key("The state machine: 'initial', and the states by name.", ref("states")),
        "hooks": Key("Actions around the whole execution.", ref("workflow_hooks")),
        "escaping": Key("'off' pastes values into shell commands as code, in every state.", FLAG),
    },
    inert={"plugins": "", "env": ""},
    required=("name", "states"),
)

INPUT = Keys(
    {
        "name": Key("The input's name: inputs.NAME.", NAME),
        "type": Key(
            "The type of its values.", choice("string", "integer", "boolean", "number", "array", "object", "")
        ),
        "description": Key("What it is for, for people.", TEXT),
        "required": Key("Whether a run must give it; a default satisfies it.", FLAG),
        "default": Key("The value where a run gives none.", {}),
        "secret": Key("Whether its value is masked; otherwise its name decides.", FLAG),
        "validation": Key("What its values must be like.", ref("rules")),
    }
)
RULES = Keys(
    {
        "pattern": Key("A regular expression (RE2) that must be found in the text.", TEXT),
        "enum": Key("The values that it may have.", listed(TEXT)),
        "min": Key("The least number.", NUMBER),
        "max": Key("The greatest number.", NUMBER),
        "file_exists": Key("Whether it must be the path of a file that exists.", FLAG),
        "file_extension": Key("The extensions that a path may have.", TEXTS),
    }
)
OUTPUT = Keys(
    {
        "name": Key("The output's name.", NAME),
        "from": Key("An expression: states.X.Output.", EXPRESSION),
        "value": Key("The same as 'from'.", EXPRESSION),
        "description": Key("What it is, for people.", TEXT),
        "type": Key("The type of the value, for people.", TEXT),
    },
    any_of=("from", "value"),
)
WORKFLOW_HOOKS = Keys(
    {
        "workflow_start": Key("Before the first state; a failure fails the execution.", _ACTIONS),
        "workflow_end": Key("After an execution that completed.", _ACTIONS),
        "workflow_error": Key("After one that failed; 'error' tells how.", _ACTIONS),
        "workflow_cancel": Key("After one that was cancelled.", _ACTIONS),
    }
)
HOOKS = Keys(
    {
        "pre": Key("Before the state.", _ACTIONS),
        "post": Key("After it, whether it succeeded or failed.", _ACTIONS),
    }
)
ACTION = Keys(
    {
        "log": Key("A message (a template) for the log and the record.", TEMPLATE),
        "command": Key("A shell command (a template).", TEMPLATE),
    }
)

TRANSITION = Keys(
    {
        "when": Key("A condition (an expression); none matches always.", EXPRESSION),
        "goto": Key("The state to go to.", NAME),
    },
    required=("goto",),
)
INLINE_FAILURE = Keys(
    {
        "message": Key("The error that the execution fails with (a template).", NAME),
        "status": Key("Its exit code.", whole(0, 255)),
    },
    required=("message",),
)
RETRY = Keys(
    {
        "max_attempts": Key("How often to try in all.", whole(1)),
        "initial_delay": Key("The delay after the first attempt.", DURATION),
        "max_delay": Key("The longest delay; 0: no limit.", DURATION),
        "backoff": Key("How delays grow.", choice(*BACKOFFS, "")),
        "multiplier": Key("By how much, for exponential backoff.", {"type": "number", "minimum": 0}),
        "jitter": Key(
            "The part of a delay that chance decides.", {"type": "number", "minimum": 0, "maximum": 1}
        ),
        "retryable_exit_codes": Key(
            "The exit codes to try again after; none: any.", listed({"type": "integer"})
        ),
    },
    required=("max_attempts",),
)
CAPTURE = Keys(
    {"max_size": Key("How much of each stream is kept: bytes, or 512KB, 10MB.", TEXT)},
    inert={
        "stdout": "the text is states.NAME.Output",
        "stderr": "the text is states.NAME.Stderr",
        "encoding": "text is UTF-8",
    },
)

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
    _EXECUTABLE
    | {
        "command": Key("The shell command (a template).", NAME),
        "script_file": Key("A script to run instead, relative to the workflow's directory.", NAME),
        "dir": Key("The directory to run in (a template).", TEMPLATE),
        "env": Key("Environment variables of the step (templates).", TEMPLATES),
        "escaping": Key("'off' pastes values into the command as code.", FLAG),
        "capture": Key("How much of the output is kept.", ref("capture")),
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
    _EXECUTABLE
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
    _EXECUTABLE
    | {
        "operation": Key("The operation: http.request, notify.send, github.get_pr, …", NAME),
        "inputs": Key("Its inputs; texts are templates.", VALUES),
        "operation_inputs": Key("The same as inputs.", VALUES),
    },
    required=("operation",),
)
TEMPLATE_FILE = Keys(
    {
        "name": Key("The template's name.", TEXT),
        "description": Key("What it is for, for people.", TEXT),
        "version": Key("Its version, for people.", TEXT),
        "author": Key("Who wrote it, for people.", TEXT),
        "parameters": Key("What a state that uses it gives.", listed(ref("parameter"))),
        "states": Key("The state to copy.", VALUES),
    },
    required=("states",),
)
PARAMETER = Keys(
    {
        "name": Key("The parameter's name: {{parameters.NAME}}.", NAME),
        "description": Key("What it is, for people.", TEXT),
        "type": Key("The type of its values, for people.", TEXT),
        "required": Key("Whether it must be given.", FLAG),
        "default": Key("The value where none is given.", {}),
    },
    required=("name",),
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
}
_NAMES = {name for keys in _STATE_KEYS.values() for name in keys.read}
_INERT = dict.fromkeys((*_NAMES, "use_template", "parameters", "depends_on"), "")
STATE_KEYS = {
    kind: replace(keys, inert={name: hint for name, hint in _INERT.items() if name not in keys.read})
    for kind, keys in _STATE_KEYS.items()
}
"""By the ``type`` of a state. A key that means something on another type has no effect on this one."""
