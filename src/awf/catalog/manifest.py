"""``manifest.yaml`` of a pack: what it says, and everything that is wrong with it, with its place."""

from __future__ import annotations

import re

from msgspec import Struct, field

from awf.domain.document import read_document
from awf.domain.fields import INVALID_VALUE, Fields
from awf.domain.findings import Findings
from awf.domain.keys import NAME, TEXT, TEXTS, VALUES, Key, Keys
from awf.domain.nodes import MapNode, ScalarNode
from awf.domain.packs import SCOPES, is_pack_name
from awf.domain.problems import Position, Problem

LANGUAGE = (0, 11, 0)
"""The version of AWF whose language this is: what ``awf_version`` asks for."""

MANIFEST = Keys(
    {
        "name": Key("The pack's name: that of its directory.", NAME),
        "version": Key("Its version: MAJOR.MINOR.PATCH.", NAME),
        "description": Key("What it is for.", TEXT),
        "author": Key("Who wrote it.", TEXT),
        "license": Key("Under which license.", TEXT),
        "awf_version": Key("Which versions of AWF it is for: >=0.5.0.", TEXT),
        "workflows": Key("The workflows that people can run: names of files without extension.", TEXTS),
        "plugins": Key("Plugins that it needs, with their versions.", VALUES),
    },
    required=("name", "version", "workflows"),
)
_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_CONSTRAINT = re.compile(
    r"(>=|<=|!=|>|<|==?|~>?|\^)?\s*v?(\d{1,9})(?:\.(\d{1,9}|[x*]))?(?:\.(\d{1,9}|[x*]))?(?:-[0-9A-Za-z.-]+)?",
    re.ASCII,
)


class Manifest(Struct, frozen=True):
    """``workflows`` by name, with the places where they are listed; None where the file does not say. ``problems`` in
    the order of the file."""

    name: str = ""
    version: str = ""
    description: str = ""
    workflows: dict[str, Position] | None = None
    problems: tuple[Problem, ...] = ()
    plugins: dict[str, str] = field(default_factory=dict)


def read_manifest(text: bytes, file: str, directory: str) -> Manifest:
    """``file`` is the path as messages show it, ``directory`` the name of the pack's directory. Raises nothing."""
    findings = Findings()
    root = read_document(text, file, findings)
    if root is None:
        return Manifest(problems=findings.in_file_order(file))
    fields = Fields(root, Position(file, 1, 1), "", findings)
    fields.check_keys(MANIFEST)
    for key in MANIFEST.required:
        fields.require(key)
    _check_name(fields, directory)
    _check_version(fields)
    _check_awf_version(fields)
    for key in ("author", "license"):
        fields.scalar(key)
    return Manifest(
        name=fields.text("name"),
        version=fields.text("version"),
        description=fields.text("description"),
        workflows=_workflows(fields),
        plugins=_plugins(fields),
        problems=findings.in_file_order(file),
    )


def name_problem(name: str) -> str | None:
    """What is wrong with the name of a pack's directory."""
    if name in SCOPES:
        return f"pack name: '{name}' is reserved ({', '.join(SCOPES)} name other sources of workflows)"
    if not is_pack_name(name):
        return f"pack name: invalid name '{name}' (a small letter, then small letters, digits and '-')"
    return None


def _check_name(fields: Fields, directory: str) -> None:
    node = fields.scalar("name")
    if node is not None and node.text != directory:
        fields.invalid(node, f"name '{node.text}' differs from the pack's directory '{directory}'")


def _check_version(fields: Fields) -> None:
    node = fields.scalar("version")
    if node is not None and not _VERSION.fullmatch(node.text):
        fields.invalid(node, f"version '{node.text}' is not MAJOR.MINOR.PATCH")


def _check_awf_version(fields: Fields) -> None:
    node = fields.scalar("awf_version")
    if node is None or not node.text:
        return
    suits = suits_version(node.text, LANGUAGE)
    if suits is None:
        fields.invalid(node, f"awf_version: '{node.text}' is not a constraint like >=0.5.0")
    elif not suits:
        known = ".".join(str(part) for part in LANGUAGE)
        message = f"the pack is for AWF {node.text}; this is the language of AWF {known}"
        fields.warn(node.position, INVALID_VALUE, message)


def _workflows(fields: Fields) -> dict[str, Position] | None:
    if fields.entry("workflows") is None:
        return None
    found: dict[str, Position] = {}
    for item in fields.items("workflows", "a list of names"):
        node = fields.as_scalar(item, "workflows", "a list of names")
        if node is None:
            continue
        if not is_pack_name(node.text):
            fields.invalid(node, f"workflow name: invalid name '{node.text}'")
        elif node.text in found:
            fields.warn(node.position, INVALID_VALUE, f"workflow '{node.text}' is listed twice")
        else:
            found[node.text] = node.position
    return found


def _plugins(fields: Fields) -> dict[str, str]:
    node = fields.value("plugins")
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        fields.mismatch(node, "'plugins'", "a map of names to versions")
        return {}
    found = {}
    for name, entry in node.entries.items():
        if not isinstance(entry.value, ScalarNode):
            fields.mismatch(entry.value, f"'plugins.{name}'", "a version")
        elif entry.value.text and suits_version(entry.value.text, LANGUAGE) is None:
            fields.invalid(
                entry.value, f"plugins.{name}: '{entry.value.text}' is not a constraint like >=0.5.0"
            )
        else:
            found[name] = entry.value.text
    return found


def suits_version(constraint: str, version: tuple[int, int, int]) -> bool | None:
    """Whether a version meets a constraint: comparisons with ``,`` between those that all must hold, and ``||`` between
    alternatives. None where it is not a constraint."""
    results = []
    for alternative in constraint.split("||"):
        parts = [part.strip() for part in re.split(r",|\s+(?=[<>=!~^])", alternative) if part.strip()]
        tests = [_suits(part, version) for part in parts]
        if not tests or None in tests:
            return None
        results.append(all(tests))
    return any(results)


def _suits(part: str, version: tuple[int, int, int]) -> bool | None:
    if part == "*":
        return True
    found = _CONSTRAINT.fullmatch(part)
    if found is None:
        return None
    operator = found[1] or "="
    given = [int(number) for number in found.groups()[1:] if number is not None and number.isdigit()]
    least = (*given, 0, 0)[:3]
    if operator in {">", ">=", "<", "<="}:
        return {">": version > least, ">=": version >= least, "<": version < least, "<=": version <= least}[
            operator
        ]
    same = version[: len(given)] == tuple(given)
    if operator in {"=", "==", "!="}:
        return same != (operator == "!=")
    if operator == "^":
        fixed = next((index for index, number in enumerate(least) if number), 2) + 1
        return version >= least and version[:fixed] == least[:fixed]
    fixed = max(1, min(2, len(given)) if operator == "~" else len(given) - 1)
    return version >= least and version[:fixed] == least[:fixed]
