"""The keys of the workflow language, table by table: the document and what it has besides states."""

from __future__ import annotations

from awf.domain.keys import (
    BUDGET,
    DURATION,
    EXPRESSION,
    FLAG,
    NAME,
    NUMBER,
    TEMPLATE,
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

BACKOFFS = ("constant", "linear", "exponential")

_ACTIONS = listed(ref("action"))

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
        **BUDGET,
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
