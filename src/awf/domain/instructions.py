"""Roles and skills of agents: where their files are looked for, and what of them an agent is told."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from awf.domain.draft import Draft
from awf.domain.fields import Fields
from awf.domain.files import FileMissing, FileRefused, fixed_path
from awf.domain.nodes import ScalarNode
from awf.domain.suggest import did_you_mean
from awf.domain.templates import Template
from awf.domain.workflow import Skill

MISSING_ROLE = "USER.INPUT.MISSING_ROLE"
MISSING_SKILL = "USER.INPUT.MISSING_SKILL"

Kind: TypeAlias = Literal["roles", "skills"]

FILES: Mapping[str, str] = {"roles": "AGENTS.md", "skills": "SKILL.md"}
"""What the file is called, in a directory with the name of the role or skill."""

_MOST = 10
"""Names that a message lists."""

_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"^name:(.*)$", re.MULTILINE)


def places(kind: Kind, root: str, own: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The directories that have roles or skills, in the order in which they win. ``root`` is the project's, ``own`` the
    user's in the configuration of awf. ``AWF_ROLES_PATH`` and ``AWF_SKILLS_PATH`` take the place of all of them."""
    home = environ.get("HOME", "")
    listed = environ.get(f"AWF_{kind.upper()}_PATH")
    if listed:
        found = [_expanded(entry, home) for entry in listed.split(":") if entry]
    else:
        agents = [".agents"] if kind == "roles" else [".agents", ".claude"]
        found = [f"{place}/{kind}" for place in (".awf", *agents)]
        found.append(own)
        found += [posixpath.join(home, place, kind) for place in agents] if home else []
    return tuple(posixpath.join(root, place) for place in found)


def _expanded(entry: str, home: str) -> str:
    return posixpath.join(home, entry[2:]) if entry.startswith("~/") else entry


def is_path(value: str) -> bool:
    """Is this the path of a role, rather than its name?"""
    return "/" in value or "\\" in value or value.startswith((".", "~"))


def file_at(kind: Kind, path: str) -> str:
    """The file that the path of a role or skill means: itself, or the one in that directory."""
    return path if path.endswith(".md") else posixpath.join(path, FILES[kind])


def body(text: str) -> str:
    """The text without its front matter, and without space around it."""
    found = _FRONT_MATTER.match(text)
    return (text[found.end() :] if found else text).strip()


def read_role(fields: Fields, draft: Draft) -> str | Template:
    """The text of ``role``; a template where it is only known later which it is; empty where there is none."""
    node = fields.scalar("role", "the name of a role, or a path")
    if node is None or not node.text.strip():
        return ""
    if ".." in node.text.split("{{", 1)[0].replace("\\", "/").split("/"):
        fields.invalid(node, f"role path contains path-traversal pattern (..): {node.text}")
        return ""
    path = fixed_path(node.text)
    if path is None:
        return fields.parsed_template(node) or ""
    return body(_text(fields, node, "roles", path.strip(), draft) or "")


def read_skill(fields: Fields, node: ScalarNode, *, named: bool, draft: Draft) -> Skill | None:
    """A skill by its name, or by its path; None where it cannot be read, which is reported."""
    given = node.text.strip()
    text = _text(fields, node, "skills", given, draft, named=named)
    if text is None:
        return None
    return Skill(node.position, name=given if named else _name(given, text), text=body(text))


def not_found(kind: Kind, value: str, known: Collection[str]) -> str:
    """What is said where there is no role or skill of a name; ``known`` are those that there are."""
    hint = did_you_mean(value, known) or (f" (there are {', '.join(sorted(known)[:_MOST])})" if known else "")
    return f"{kind[:-1]} '{value}' not found{hint}"


def skill_element(skill: Skill) -> str:
    """A skill as it stands before the prompt."""
    # Here, for it takes along what loads URLs: 20 ms for every command that reads a workflow.
    from xml.sax.saxutils import quoteattr

    return f"<skill_content name={quoteattr(skill.name)}>\n{skill.text}\n</skill_content>"


def _text(
    fields: Fields, node: ScalarNode, kind: Kind, value: str, draft: Draft, *, named: bool | None = None
) -> str | None:
    code = MISSING_ROLE if kind == "roles" else MISSING_SKILL
    if named is None:
        named = not is_path(value)
    path = f"{{{{awf.{kind}_dir}}}}/{value}/{FILES[kind]}" if named else file_at(kind, value)
    try:
        return draft.text_of(path)
    except FileMissing as absent:
        message = not_found(kind, value, absent.names) if named else f"{kind[:-1]}: {absent}"
        fields.error(node.position, code, message)
    except FileRefused as refusal:
        fields.error(node.position, code, f"{kind[:-1]}: {refusal}")
    return None


def _name(path: str, text: str) -> str:
    """What a skill at a path calls itself; else its directory's name."""
    front = _FRONT_MATTER.match(text)
    named = _NAME.search(front[1]) if front else None
    if named and (name := _unquoted(named[1].strip())):
        return name
    place = posixpath.dirname(path) if path.endswith(".md") else path.rstrip("/")
    return posixpath.basename(place) or path


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    return text[1:-1] if quoted else text
