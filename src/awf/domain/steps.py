"""``type: step``: a shell command, or a script."""

from __future__ import annotations

from awf.domain.commands import read_command, read_escaping
from awf.domain.draft import Draft
from awf.domain.executable import read_leaf
from awf.domain.fields import MISSING_FIELD, Fields
from awf.domain.language import CAPTURE
from awf.domain.nodes import ScalarNode
from awf.domain.scripts import Script, read_script
from awf.domain.sizes import parse_size
from awf.domain.templated import read_variables
from awf.domain.workflow import StepState


def read_step(fields: Fields, name: str, draft: Draft) -> StepState | None:
    """None where there is no command to run; why is reported."""
    escaping = read_escaping(fields, draft.escaping)
    common = read_leaf(fields, name, draft, escaping=escaping)
    if not any(fields.entry(key) for key in ("on_success", "on_failure", "transitions")):
        draft.stuck[name] = fields.place
    script = _read_script(fields, draft, escaping)
    detach = bool(fields.boolean("detach"))
    directory, env, size = fields.template("dir"), read_variables(fields, "env"), _max_output(fields)
    if script is None:
        return None
    return StepState(
        **common,
        command=script.command,
        dir=directory,
        env=env,
        escaping=script.escaping,
        script=script.is_file,
        late=script.is_path,
        max_output=size,
        detach=detach,
    )


def _read_script(fields: Fields, draft: Draft, escaping: bool) -> Script | None:
    node = fields.value("command")
    if node is not None and not isinstance(node, ScalarNode):
        fields.mismatch(node, "'command'", "a string")
    elif fields.given("command") and fields.given("script_file"):
        place = fields.node.entries["script_file"].key
        fields.error(place, MISSING_FIELD, "command and script_file are mutually exclusive")
    elif fields.given("script_file"):
        return read_script(fields, draft, escaping)
    elif fields.given("command"):
        scalar = fields.scalar("command")
        command = scalar and read_command(fields, scalar, "command", draft, escaping=escaping)
        return Script(command, escaping, is_file=False) if command else None
    else:
        fields.error(fields.place, MISSING_FIELD, "either command or script_file is required")
    return None


def _max_output(fields: Fields) -> int | None:
    inner = fields.nested("capture", CAPTURE, "a map with max_size")
    node = inner.scalar("max_size", "a size") if inner else None
    if inner is None or node is None or not node.text:
        return None
    try:
        return parse_size(node.text) or None
    except ValueError as error:
        inner.invalid(node, f"'max_size': {error}")
    return None
