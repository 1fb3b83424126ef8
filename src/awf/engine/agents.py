"""``type: agent``: what the agent is asked, rendered. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from awf.domain.instructions import FILES, body, file_at, is_path, not_found, places, skill_element
from awf.domain.packs import pack_of
from awf.domain.problems import Position, ProblemError
from awf.domain.sealing import Sealer
from awf.domain.templates import Template, TemplateFailure, parse_template, render
from awf.domain.workflow import AgentState, McpProxy
from awf.engine.files import nearest
from awf.engine.render import CannotStart
from awf.engine.state import Activity
from awf.engine.talks import going_on
from awf.journal.events import AgentCall, AgentTools, StepStarted
from awf.journal.messages import Block, TextBlock, ToolResult, ToolUse

if TYPE_CHECKING:
    from awf.engine.flow import Flow

LONGEST_DISPLAY = 200
"""Characters of a prompt that lists of steps show."""


class AgentStep:
    """See ``awf.engine.blocks.Leaf``."""

    def plan(self, flow: Flow, activity: Activity, state: AgentState, fact: StepStarted) -> StepStarted:
        """Render everything that the agent is asked; secret values stay out of the fact."""
        path, sealer = activity.path, flow.sealer
        try:
            provider = flow.text(state.provider, path).strip()
            prompt = _prompt(flow, path, state)
            system_prompt = flow.text(state.system_prompt, path) if state.system_prompt else ""
            role = _role(flow, path, state.role)
            options = _options(flow, path, state)
            env = {name: sealer.seal(flow.text(value, path)) for name, value in state.env.items()}
            parts = [] if state.dir is None else flow.parts(state.dir, path)
        except TemplateFailure as failure:
            raise CannotStart(failure.message) from failure
        if not provider:
            raise CannotStart(f"the provider is empty after rendering ({state.provider.position})")
        if not prompt.strip():
            raise CannotStart(f"prompt cannot be empty ({state.position})")
        continue_from = state.conversation.continue_from if state.conversation else None
        call = AgentCall(
            provider=sealer.seal(provider),
            prompt=sealer.seal("\n\n".join((*map(skill_element, state.skills), prompt))),
            system_prompt=sealer.seal("\n\n".join(filter(None, (role, system_prompt)))),
            options=sealer.sealed(options),
            output_format=state.output_format if state.output_format == "json" else "",
            conversation=state.conversation is not None or state.mode == "conversation",
            continue_from=continue_from or "",
            session=_session(flow, path, continue_from, provider) if continue_from else "",
            tools=None if state.mcp_proxy is None else _tools(state.mcp_proxy),
            display=sealer.mask(display(provider, prompt)),
        )
        fact = going_on(
            activity,
            replace(fact, agent=call),
            lambda said: sealer.mask(display(provider, sealer.unseal(said))),
        )
        return replace(
            fact,
            dir=sealer.seal("".join(part.text for part in parts)),
            env=env,
            detach=provider in flow.world.tools,
        )


def masked_block(block: Block, sealer: Sealer) -> Block:
    """A part of a message without secret values."""
    match block:
        case TextBlock(text=text):
            return TextBlock(sealer.mask(text))
        case ToolUse(id=id, name=name, input=given):
            return ToolUse(
                sealer.mask(id), sealer.mask(name), sealer.masked(given), sealer.masked(block.more)
            )
        case ToolResult(id=id, output=output, failed=failed):
            return ToolResult(sealer.mask(id), sealer.masked(output), failed)


def _tools(proxy: McpProxy) -> AgentTools:
    exposed = (f"{plugin}.{name}" for plugin, names in proxy.plugin_tools.items() for name in names)
    return AgentTools(operations=tuple(exposed), exclusive=proxy.intercept_builtins)


def _options(flow: Flow, path: str, state: AgentState) -> dict[str, Any]:
    """The options without those whose template renders to nothing. Raises TemplateFailure."""
    rendered = {name: flow.rendered(value, path) for name, value in state.options.items()}
    return {
        name: value
        for name, value in rendered.items()
        if value != "" or not isinstance(state.options[name], Template)
    }


def _prompt(flow: Flow, path: str, state: AgentState) -> str:
    """Raises CannotStart, TemplateFailure."""
    if state.prompt is not None:
        return flow.text(state.prompt, path)
    assert state.prompt_file is not None
    workflow = flow.workflow_of(flow.state.sequence_of(path))
    file = nearest(flow, workflow, flow.text(state.prompt_file, path).strip())
    text = _text_of(flow, path, file, "prompt_file", state.prompt_file)
    try:
        template = parse_template(text, Position(file, 1, 1), 0)
    except ProblemError as failure:
        raise CannotStart(f"prompt_file: {failure}") from failure
    return render(template, flow.scope(path), files=flow.files(path))


def _role(flow: Flow, path: str, role: str | Template) -> str:
    """The text of a role. Raises CannotStart, TemplateFailure."""
    if isinstance(role, str):
        return role
    value = flow.text(role, path).strip()
    if not value:
        return ""
    if ".." in value.replace("\\", "/").split("/"):
        raise CannotStart(f"role path contains path-traversal pattern (..): {value} ({role.position})")
    if is_path(value):
        return body(_text_of(flow, path, file_at("roles", value), "role", role))
    directories = _role_places(flow, path)
    for place in directories:
        file = posixpath.join(place, value, FILES["roles"])
        if flow.world.file_exists(file):
            return body(_text_of(flow, path, file, "role", role))
    known = {name for place in directories for name in flow.world.holders(place, FILES["roles"])}
    raise CannotStart(f"{not_found('roles', value, known)} ({role.position})")


def _role_places(flow: Flow, path: str) -> tuple[str, ...]:
    """The directories of roles, in the order in which they win: in a pack, first the pack's own."""
    root, own = flow.state.accepted.root, flow.state.accepted.awf.get("roles_dir", "")
    found = places("roles", root, own, flow.world.environ)
    workflow = flow.workflow_of(flow.state.sequence_of(path))
    if pack_of(workflow.identifier) is None:
        return found
    pack = posixpath.dirname(posixpath.dirname(posixpath.join(root, workflow.file)))
    return (posixpath.join(pack, "roles"), *found)


def _text_of(flow: Flow, path: str, file: str, key: str, template: Template) -> str:
    """The text of a file whose path is known only now. Raises CannotStart."""
    try:
        return flow.files(path)(file)
    except FileNotFoundError as failure:
        raise CannotStart(f"{key}: file not found: {file} ({template.position})") from failure
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else failure
        raise CannotStart(f"{key}: {reason}: {file} ({template.position})") from failure


def _session(flow: Flow, path: str, name: str, provider: str) -> str:
    """The session of the state with whose conversation an agent goes on. Raises CannotStart."""
    result = flow.state.result_of(path, name)
    if result is None:
        raise CannotStart(f'continue_from: step "{name}" not found in execution context')
    if result.turns is None:
        raise CannotStart(f'continue_from: step "{name}" has no conversation state')
    if not result.session and not result.turns:
        raise CannotStart(f'continue_from: step "{name}" has no session ID or conversation history to resume')
    return result.session if result.provider == provider else ""


def display(provider: str, prompt: str) -> str:
    """An agent and the beginning of its prompt, for people."""
    words = " ".join(prompt.split())
    return f"{provider}: {words if len(words) <= LONGEST_DISPLAY else words[:LONGEST_DISPLAY] + '…'}"
