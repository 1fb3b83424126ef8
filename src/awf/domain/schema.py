"""The workflow language as a JSON Schema, for editors: made of the same tables that the loader reads by.

A file that loads without any problem is valid. What needs the whole file (states that exist, what a template refers to)
is the loader's alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from awf.domain import kinds, language
from awf.domain.keys import NAME, VALUES, Key, Keys, Schema, choice, either, ref, word
from awf.domain.operations import OPERATIONS
from awf.domain.signatures import Signature
from awf.domain.signatures.schema import inputs_schema

_DEFINITIONS = {
    "input": language.INPUT,
    "rules": language.RULES,
    "output": language.OUTPUT,
    "workflow_hooks": language.WORKFLOW_HOOKS,
    "hooks": language.HOOKS,
    "action": language.ACTION,
    "transition": language.TRANSITION,
    "failure": language.INLINE_FAILURE,
    "retry": language.RETRY,
    "capture": language.CAPTURE,
    "call": kinds.CALL_BLOCK,
    "conversation": kinds.CONVERSATION,
    "mcp_proxy": kinds.MCP_PROXY,
    "plugin_tools": kinds.PLUGIN_TOOLS,
}
_USING = {
    "use_template": Key(
        "A template, NAME.yaml in .awf/templates (or templates of the storage or data directory): its state is copied; own keys win.",
        NAME,
    ),
    "parameters": Key("What the template's parameters stand for.", VALUES),
}
_NULL: Schema = {"type": "null"}


def language_schema(operations: Iterable[Signature] = (), states: Iterable[Signature] = ()) -> dict[str, Any]:
    """A schema (draft 2020-12) of workflow files, as values that JSON can have; with the operations and state types that
    plug-ins add."""
    definitions = {name: _map(keys) for name, keys in _DEFINITIONS.items()}
    types = {kind: keys for kind, keys in kinds.STATE_KEYS.items() if kind != "command"}
    types |= {signature.name: kinds.plugin_keys(signature) for signature in states}
    definitions |= {f"{kind}_state": _map(_typed(kind, keys)) for kind, keys in types.items()}
    definitions["operation_state"]["allOf"] = [
        _operation(signature) for signature in (*OPERATIONS.values(), *operations)
    ]
    definitions |= {"states": _states(), "state": _state(types)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "awf workflow",
        **_map(language.TOP),
        "$defs": definitions,
    }


def _operation(signature: Signature) -> Schema:
    """The inputs of one operation."""
    inputs = either(inputs_schema(signature), _NULL)
    return {
        "if": {"properties": {"operation": {"const": signature.name}}},
        "then": {
            "description": signature.description,
            "properties": {"inputs": inputs, "operation_inputs": inputs},
        },
    }


def _map(keys: Keys) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: _value(key, name in keys.required) for name, key in keys.read.items()},
        "additionalProperties": False,
    }
    if keys.required:
        schema["required"] = list(keys.required)
    if keys.one_of:
        schema["oneOf"] = [_present(name) for name in keys.one_of]
    if keys.any_of:
        schema["anyOf"] = [_present(name) for name in keys.any_of]
    return schema


def _value(key: Key, required: bool) -> Schema:
    schema = key.schema if required or not key.schema else {"anyOf": [key.schema, _NULL]}
    return {"description": key.meaning, **schema}


def _present(name: str) -> Schema:
    """The key is there and has a value."""
    return {"required": [name], "properties": {name: {"not": {"enum": [None, ""]}}}}


def _typed(kind: str, keys: Keys) -> Keys:
    """The keys of a state of one type, whose ``type`` has its names."""
    types = Key(keys.read["type"].meaning, choice(*_names(kind)))
    return Keys(
        {**keys.read, "type": types},
        required=(*keys.required, "type"),
        one_of=keys.one_of,
        any_of=keys.any_of,
    )


def _states() -> Schema:
    return {
        "type": "object",
        "properties": {"initial": {"description": "The name of the state to begin with.", **NAME}},
        "required": ["initial"],
        "additionalProperties": ref("state"),
    }


def _state(by_kind: dict[str, Keys]) -> Schema:
    """A state by its type, or one that is copied from a template and may have any key."""
    types = choice(*dict.fromkeys((*kinds.STATE_KEYS, *by_kind)))
    by_type = [
        {
            "if": {"required": ["type"], "properties": {"type": {"pattern": word(*_names(kind))}}},
            "then": ref(f"{kind}_state"),
        }
        for kind in by_kind
    ]
    return {
        "type": "object",
        "if": _present("use_template"),
        "then": _any_state(by_kind),
        "else": {"required": ["type"], "properties": {"type": types}, "allOf": by_type},
    }


def _names(kind: str) -> tuple[str, ...]:
    return ("step", "command") if kind == "step" else (kind,)


def _any_state(by_kind: dict[str, Keys]) -> Schema:
    known: dict[str, list[Schema]] = {}
    for keys in by_kind.values():
        for name, key in keys.read.items():
            value = _value(key, required=False)
            if value not in known.setdefault(name, []):
                known[name].append(value)
    properties = {
        name: values[0] if len(values) == 1 else {"anyOf": values} for name, values in known.items()
    }
    using = {name: _value(key, required=False) for name, key in _USING.items()}
    return {"type": "object", "properties": {**properties, **using}, "additionalProperties": False}
