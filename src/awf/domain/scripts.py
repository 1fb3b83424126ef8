"""``script_file`` of a step, ``prompt_file`` of an agent: files beside the workflow, read when it is loaded."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from awf.domain.commands import read_command
from awf.domain.draft import Draft
from awf.domain.fields import Fields
from awf.domain.files import FileRefused, fixed_path, shown_path
from awf.domain.nodes import ScalarNode
from awf.domain.placement import SHELL_PLACE
from awf.domain.problems import Position
from awf.domain.templates import Template, parse_template

FILE = "USER.INPUT.MISSING_FILE"
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash", "mksh"})
_SHEBANG = re.compile(r"#!\s*(\S+)(?:[ \t]+(?:-S[ \t]+)?(\S+))?")


class Script(Struct, frozen=True):
    """A command; ``is_file``: it is what a file holds, and with ``is_path`` the path of one that is read when the step
    starts. ``escaping`` False: values in it are code. ``warnings``: what that means."""

    command: Template
    escaping: bool
    is_file: bool
    is_path: bool = False
    warnings: tuple[str, ...] = ()


def read_script(fields: Fields, draft: Draft, escaping: bool) -> Script | None:
    """The content of ``script_file``."""
    node = fields.scalar("script_file", "the path of a file")
    if node is None:
        return None
    path = fixed_path(node.text)
    if path is None:
        template = fields.parsed_template(node)
        return Script(template, escaping, is_file=True, is_path=True) if template else None
    text = read_text(fields, node, path, "script_file", draft)
    if text is None:
        return None
    if not text.text.strip():
        fields.invalid(node, f"script_file: the file is empty: {path}")
        return None
    interpreter = _interpreter(text.text)
    if interpreter in _SHELLS:
        command = read_command(fields, text, "script_file", draft, escaping=escaping)
        return Script(command, escaping, is_file=True) if command else None
    command = fields.parsed_template(text)
    if command is None:
        return None
    for reference in command.references[:1]:
        fields.warn(reference.position, SHELL_PLACE, f"script_file: {_pasted(interpreter)}")
    return Script(command, escaping=False, is_file=True)


def late_script(text: str, path: str, *, escaping: bool) -> Script:
    """The script in a file whose path was only known when its step started. Raises ProblemError for a template that
    does not parse."""
    command = parse_template(text, Position(path, 1, 1), 0)
    interpreter = _interpreter(text)
    if interpreter in _SHELLS:
        return Script(command, escaping, is_file=True)
    warnings = (_pasted(interpreter),) if command.references else ()
    return Script(command, escaping=False, is_file=True, warnings=warnings)


def read_text(fields: Fields, node: ScalarNode, path: str, key: str, draft: Draft) -> ScalarNode | None:
    """The text of a file, as a node of that file; None where it cannot be read, which is reported at ``node``."""
    try:
        text = draft.text_of(path)
    except FileRefused as refusal:
        fields.error(node.position, FILE, f"{key}: {refusal}")
        return None
    if "\0" in text:
        fields.invalid(node, f"{key}: the file holds a NUL character: {path}")
        return None
    start = Position(shown_path(draft.file, path), 1, 1)
    return ScalarNode(start, text, text, start)


def _pasted(interpreter: str) -> str:
    return (
        f"values are pasted into a script for '{interpreter}' as they are, as code; "
        f"inputs are safe as environment variables AWF_INPUT_*"
    )


def _interpreter(script: str) -> str:
    """The name of the program that reads a script; a shell where it does not say."""
    found = _SHEBANG.match(script)
    if found is None:
        return "sh"
    program = posixpath.basename(found[1])
    return posixpath.basename(found[2]) if program == "env" and found[2] else program
