"""Signatures as JSON Schema, for workflow files: a value may be written as a template, and as a text that converts."""

from __future__ import annotations

from awf.domain.keys import Key, Schema, either, word
from awf.domain.signatures import Parameter, Signature

_TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{"}
_EMPTY: Schema = {"const": ""}
_WHOLE: Schema = {"type": "string", "pattern": "^[+-]?0*[0-9]{1,19}$"}
_NUMBER: Schema = {"type": "string", "pattern": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"}
_TYPES: dict[str, Schema] = {
    "any": {},
    "string": {"type": ["string", "number", "boolean"]},
    "integer": either({"type": "integer"}, _WHOLE, _TEMPLATE, _EMPTY),
    "number": either({"type": "number"}, _NUMBER, _TEMPLATE, _EMPTY),
    "boolean": either(
        {"type": "boolean"},
        {"enum": [0, 1]},
        {"type": "string", "pattern": word("true", "false", "yes", "no", "1", "0")},
        _TEMPLATE,
        _EMPTY,
    ),
    "array": {"type": ["array", "string"]},
    "object": {"type": ["object", "string"]},
}


def parameter_key(parameter: Parameter) -> Key:
    """The key of an input."""
    return Key(parameter.description or f"An input of type {parameter.type}.", _value(parameter))


def inputs_schema(signature: Signature) -> Schema:
    """Of a map of inputs."""
    keys = {parameter.name: parameter_key(parameter) for parameter in signature.parameters}
    required = [parameter.name for parameter in signature.parameters if parameter.required]
    return {
        "type": "object",
        "properties": {
            name: {"description": key.meaning}
            | (key.schema if name in required or not key.schema else either(key.schema, {"type": "null"}))
            for name, key in keys.items()
        },
        "additionalProperties": False,
    } | ({"required": required} if required else {})


def tool_schema(signature: Signature) -> Schema:
    """Of what somebody gives it who knows no templates: plain values of the declared types."""
    required = [parameter.name for parameter in signature.parameters if parameter.required]
    return {
        "type": "object",
        "properties": {parameter.name: _plain(parameter) for parameter in signature.parameters},
        "additionalProperties": False,
    } | ({"required": required} if required else {})


def _plain(parameter: Parameter) -> Schema:
    schema: Schema = {} if parameter.type == "any" else {"type": parameter.type}
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.type == "array":
        schema["items"] = {} if parameter.items is None else {"type": parameter.items}
    if parameter.pattern:
        schema["pattern"] = f"^(?:{parameter.pattern})"
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema


def _value(parameter: Parameter) -> Schema:
    if parameter.choices and all(isinstance(choice, str) for choice in parameter.choices):
        return either(
            {"enum": list(parameter.choices)},
            {"type": "string", "pattern": word(*map(str, parameter.choices))},
            _TEMPLATE,
        )
    if parameter.pattern:
        return either({"type": "string", "pattern": f"^(?:{parameter.pattern})"}, _TEMPLATE)
    return _TYPES[parameter.type]
