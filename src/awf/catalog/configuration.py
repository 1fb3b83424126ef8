"""The project's configuration file, ``.awf/config.yaml``, apart from awf's own settings (``awf.settings``): what it says
about inputs, notifications and telemetry, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from msgspec import Struct, field

from awf.catalog.reading import Unreadable, read
from awf.domain.document import read_document
from awf.domain.fields import Fields
from awf.domain.findings import Findings
from awf.domain.keys import NAME, NUMBER, TEXT, VALUES, Key, Keys
from awf.domain.nodes import MapNode, plain_value
from awf.domain.outcomes import Price
from awf.domain.problems import Position, Problem
from awf.errors import SettingsInvalid
from awf.settings import SETTINGS

EMPTY = "WORKFLOW.PARSE.EMPTY"
OTHERS = {
    "notify.default_backend": "The backend of notify.send steps that name none.",
    "telemetry.exporter": "Where traces go.",
    "telemetry.service_name": "The name under which traces are sent.",
}
"""Settings in sections of the file that are not awf's own, with their meanings."""


def _section(name: str) -> Keys:
    known = {setting.key: "" for setting in SETTINGS} | OTHERS
    halves = [(*key.split("."), meaning) for key, meaning in known.items()]
    return Keys({leaf: Key(meaning, TEXT) for section, leaf, meaning in halves if section == name})


_SECTIONS = {
    name: _section(name)
    for name in ("storage", "server", "http", "engine", "retention", "budget", "notify", "telemetry")
}
_PRICE = Keys(
    {
        "input": Key("Tokens that go in.", NUMBER),
        "output": Key("Tokens that come out.", NUMBER),
        "cached": Key("Tokens that go in and that a cache has; otherwise as input.", NUMBER),
    },
    required=("input", "output"),
)
TOP = Keys(
    {
        "inputs": Key("Values for the inputs that a run does not give, by name.", VALUES),
        "prices": Key("What models cost, by name: US dollars for a million tokens.", VALUES),
        **{name: Key("A section.", VALUES) for name in _SECTIONS},
        "version": Key("The version of the file; of no effect.", NAME),
        "log_level": Key("Of no effect.", TEXT),
        "output_format": Key("Of no effect.", TEXT),
    }
)


class Configuration(Struct, frozen=True):
    """``others`` by key, ``notify.default_backend`` say; ``prices`` by the name of a model, or of a provider. ``warnings`` in the order of the file."""

    path: Path
    inputs: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


def read_configuration(path: Path, root: Path) -> Configuration:
    """What a configuration file says; one that is not there says nothing. Messages show its path from the project's
    ``root``. Raises SettingsInvalid with everything that is wrong."""
    if not path.exists():
        return Configuration(path)
    shown = str(path.relative_to(root) if path.is_relative_to(root) else path)
    try:
        text, _ = read(str(path))
    except Unreadable as error:
        raise SettingsInvalid(
            f"config error: {shown}: the file {error.reason}", remedy="to mend it"
        ) from None
    findings = Findings()
    node = read_document(text, shown, findings)
    if node is None:
        if any(problem.code == EMPTY for problem in findings.in_file_order()):
            return Configuration(path)
        _refuse("parse", findings)
    fields = Fields(node, Position(shown, 1, 1), "", findings)
    fields.check_keys(TOP)
    inputs = fields.value("inputs")
    if inputs is not None and not isinstance(inputs, MapNode):
        fields.mismatch(inputs, "'inputs'", "a map of names to values")
    others: dict[str, str] = {}
    for name, keys in _SECTIONS.items():
        inner = fields.nested(name, keys)
        for key in keys.read if inner else ():
            if inner and f"{name}.{key}" in OTHERS and inner.given(key):
                others[f"{name}.{key}"] = inner.text(key)
    prices = _prices(fields)
    if findings.failed:
        _refuse("invalid", findings)
    values = plain_value(inputs) if isinstance(inputs, MapNode) else {}
    return Configuration(path, values, others, prices, findings.in_file_order(shown))


def _prices(fields: Fields) -> dict[str, Price]:
    node = fields.value("prices")
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        fields.mismatch(node, "'prices'", "a map of models to prices")
        return {}
    models = Fields(node, node.position, "prices: ", fields.findings)
    return {name: price for name in node.entries if (price := _price(models, name)) is not None}


def _price(models: Fields, name: str) -> Price | None:
    inner = models.nested(name, _PRICE, "a map with input and output")
    if inner is None:
        return None
    found = {key: inner.number(key) for key in _PRICE.read if inner.entry(key) or key in _PRICE.required}
    for key in _PRICE.required:
        inner.require(key)
    for key, number in found.items():
        if number is not None and number < 0:
            inner.invalid(inner.node.entries[key].value, f"'{key}' must not be less than 0")
    into, out = found["input"], found["output"]
    if into is None or out is None:
        return None
    cached = found.get("cached")
    return Price(input=float(into), output=float(out), cached=float(into if cached is None else cached))


def _refuse(what: str, findings: Findings) -> NoReturn:
    errors = [str(problem) for problem in findings.in_file_order() if problem.severity == "error"]
    raise SettingsInvalid(f"config error: {what}: {'; '.join(errors)}", remedy="to mend the file there")
