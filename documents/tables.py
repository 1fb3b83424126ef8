"""Tables of the workflow language, from the tables that the loader reads by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from awf.domain import kinds, language
from awf.domain.expressions.functions import FUNCTIONS as EXPRESSION_FUNCTIONS
from awf.domain.expressions.parser import SELECTORS
from awf.domain.keys import DURATION, EXPRESSION, FLAG, TEMPLATED_DURATION, Key, Keys, Schema, choice
from awf.domain.operations import OPERATIONS
from awf.domain.scope import CONTEXT_FIELDS, ERROR_FIELDS, LOOP_FIELDS, STATE_FIELDS, WORKFLOW_FIELDS
from awf.domain.templates.functions import FUNCTIONS as TEMPLATE_FUNCTIONS

_OPEN = re.compile(r"(<!-- generated: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_KNOWN = (
    (FLAG, "true or false"),
    (DURATION, "a duration"),
    (TEMPLATED_DURATION, "a duration, a template"),
    (EXPRESSION, "an expression"),
)
_SHARED = (kinds.STEP, kinds.PARALLEL, kinds.FOR_EACH, kinds.CALL, kinds.AGENT, kinds.OPERATION)


def keys_table(keys: Keys, without: Iterable[str] = ()) -> str:
    """A row for each key: its name, whether it must be there, what it may be, what it means."""
    rows = ["| key | value | meaning |", "| --- | --- | --- |"]
    for name, key in keys.read.items():
        if name not in without:
            rows.append(f"| `{name}`{_need(keys, name)} | {values(key.schema)} | {_cell(key.meaning)} |")
    return "\n".join(rows)


def values(schema: Schema) -> str:
    """What a schema lets through, in few words."""
    for known, text in _KNOWN:
        if schema == known:
            return text
    return ", ".join(dict.fromkeys(_words(schema))) or "anything"


def _words(schema: Schema) -> list[str]:
    if "anyOf" in schema:
        return [word for part in schema["anyOf"] for word in _words(part)]
    if "enum" in schema:
        return [f"`{each}`" for each in schema["enum"] if each != ""]
    kinds_ = schema.get("type", [])
    names = [kinds_] if isinstance(kinds_, str) else kinds_
    if "pattern" in schema:
        # Of a choice: its values in any case, which the list before has said.
        return []
    if "$ref" in schema or "object" in names:
        return ["a map"]
    if "array" in names:
        return ["a list", *(["text"] if "string" in names else [])]
    if "string" in names:
        return ["text"]
    return [_number(names[0], schema)] if names else []


def _number(kind: str, schema: Schema) -> str:
    what = "a whole number" if kind == "integer" else "a number"
    least, most = schema.get("minimum"), schema.get("maximum")
    return (
        what + (f" from {least}" if least is not None else "") + (f" to {most}" if most is not None else "")
    )


def _need(keys: Keys, name: str) -> str:
    if name in keys.required:
        return " (required)"
    if name in keys.one_of:
        return f" (exactly one of {_names(keys.one_of)})"
    return f" (one of {_names(keys.any_of)})" if name in keys.any_of else ""


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def shared_names() -> set[str]:
    """The keys that states of every type but terminal have."""
    return set.intersection(*(set(keys.read) for keys in _SHARED))


def _shared() -> str:
    common = shared_names()
    known = {name: key for name, key in kinds.STEP.read.items() if name in common}
    types = Key(known["type"].meaning, choice(*kinds.STATE_KEYS))
    return keys_table(Keys({**known, "type": types}, required=("type",)))


def _own(keys: Keys) -> Callable[[], str]:
    return lambda: keys_table(keys, without=shared_names())


def _fields() -> str:
    rows = ["| name | fields |", "| --- | --- |"]
    for name, fields in (
        ("states.NAME", STATE_FIELDS),
        ("workflow", WORKFLOW_FIELDS),
        ("loop", LOOP_FIELDS),
        ("error", ERROR_FIELDS),
        ("context", CONTEXT_FIELDS),
    ):
        rows.append(f"| `{name}` | {_names(fields)} |")
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {
    "workflow": lambda: keys_table(language.TOP),
    "input": lambda: keys_table(language.INPUT),
    "rules": lambda: keys_table(language.RULES),
    "output": lambda: keys_table(language.OUTPUT),
    "every state": _shared,
    "step": _own(kinds.STEP),
    "terminal": _own(kinds.TERMINAL),
    "parallel": _own(kinds.PARALLEL),
    "for_each": _own(kinds.FOR_EACH),
    "while": _own(kinds.WHILE),
    "call_workflow": _own(kinds.CALL),
    "agent": _own(kinds.AGENT),
    "operation": _own(kinds.OPERATION),
    "approval": _own(kinds.APPROVAL),
    "transition": lambda: keys_table(language.TRANSITION),
    "failure": lambda: keys_table(language.INLINE_FAILURE),
    "retry": lambda: keys_table(language.RETRY),
    "capture": lambda: keys_table(language.CAPTURE),
    "workflow hooks": lambda: keys_table(language.WORKFLOW_HOOKS),
    "hooks": lambda: keys_table(language.HOOKS),
    "action": lambda: keys_table(language.ACTION),
    "template file": lambda: keys_table(language.TEMPLATE_FILE),
    "parameter": lambda: keys_table(language.PARAMETER),
    "fields": _fields,
    "template functions": lambda: _names(sorted(TEMPLATE_FUNCTIONS)),
    "expression functions": lambda: _names(sorted({*EXPRESSION_FUNCTIONS, *SELECTORS})),
    "operations": lambda: _names(OPERATIONS),
}


def filled(page: str) -> str:
    """A page with its tables as they are now. Raises KeyError for a table that there is not."""
    return _OPEN.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[3]}", page)
