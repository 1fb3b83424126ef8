"""``type: agent``."""

from __future__ import annotations

from typing import Literal

from awf.domain.draft import Draft, Target
from awf.domain.executable import read_leaf
from awf.domain.extensions import ExtensionBroken
from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, Fields
from awf.domain.files import fixed_path
from awf.domain.instructions import read_role, read_skill
from awf.domain.kinds import CONVERSATION, FORMATS, MODES
from awf.domain.nodes import MapNode, Node, ScalarNode
from awf.domain.operations import BROKEN_PLUGIN
from awf.domain.proxies import check_provider, read_mcp_proxy
from awf.domain.scripts import read_text
from awf.domain.suggest import did_you_mean
from awf.domain.templated import read_values, read_variables
from awf.domain.templates import Template
from awf.domain.workflow import AgentState, Conversation, Skill

PROVIDERS = (
    "claude",
    "codex",
    "gemini",
    "github_copilot",
    "opencode",
    "mistral_vibe",
    "openai_compatible",
)
UNKNOWN_PROVIDER = "WORKFLOW.VALIDATION.UNKNOWN_PROVIDER"
_SKILL = "a name, or a map with a path"


def read_agent(fields: Fields, name: str, draft: Draft) -> AgentState | None:
    """None where there is no provider or no prompt; why is reported."""
    common = read_leaf(fields, name, draft)
    config = Fields(fields.node, fields.place, f"{fields.subject}agent config: ", fields.findings)
    provider, mode = _provider(config, draft), _mode(config)
    prompt, prompt_file = _prompts(config, draft, mode)
    agent_format = config.choice(
        "output_format", FORMATS, lambda _: "output_format must be 'json', 'text', or empty"
    )
    system_prompt, role, skills = (
        config.template("system_prompt"),
        read_role(config, draft),
        _skills(config, draft),
    )
    options, conversation = read_values(config, "options"), _conversation(config, name, draft)
    directory, env, proxy = (
        config.template("dir"),
        read_variables(config, "env"),
        read_mcp_proxy(config, draft),
    )
    if provider is not None and proxy is not None and _is_of_a_plugin(provider.source):
        check_provider(config, provider.source, draft)
    if provider is None or (prompt is None and prompt_file is None):
        return None
    return AgentState(
        **common,
        provider=provider,
        prompt=prompt,
        prompt_file=prompt_file,
        mode=mode,
        system_prompt=system_prompt,
        role=role,
        skills=skills,
        options=options,
        dir=directory,
        env=env,
        output_format="json" if agent_format == "json" else "text" if agent_format else "",
        conversation=conversation,
        mcp_proxy=proxy,
    )


def _provider(config: Fields, draft: Draft) -> Template | None:
    node = config.scalar("provider", "the name of a provider")
    if node is None:
        if config.value("provider") is None:
            config.error(config.place, MISSING_FIELD, "provider is required")
        return None
    provider = node.text.strip()
    if not provider:
        config.error(node.position, MISSING_FIELD, "provider is required")
        return None
    if provider == "custom":
        message = "provider 'custom' has been removed: use 'openai_compatible', or a step with a command"
        config.error(node.position, INVALID_VALUE, message)
        return None
    if _is_of_a_plugin(provider):
        _check_extension(config, provider, node, draft)
    return config.parsed_template(node)


def _is_of_a_plugin(provider: str) -> bool:
    """Or of nobody; what a template gives is known later."""
    return "{{" not in provider and provider not in PROVIDERS


def _check_extension(config: Fields, provider: str, node: ScalarNode, draft: Draft) -> None:
    try:
        known = draft.extensions.has_provider(provider)
    except ExtensionBroken as broken:
        config.warn(node.position, BROKEN_PLUGIN, f"provider '{provider}' cannot be used: {broken}")
        return
    if not known:
        hint = did_you_mean(provider, (*PROVIDERS, *draft.extensions.names("provider")))
        config.warn(node.position, UNKNOWN_PROVIDER, f"unknown provider '{provider}'{hint}")


def _mode(config: Fields) -> Literal["single", "conversation"]:
    given = config.choice("mode", MODES, lambda _: "mode must be 'single' or 'conversation'")
    return "conversation" if given == "conversation" else "single"


def _prompts(config: Fields, draft: Draft, mode: str) -> tuple[Template | None, Template | None]:
    """The prompt, and the path of the file that has it where that is only known when it runs."""
    prompt, file = config.given("prompt"), config.given("prompt_file")
    if file and mode == "conversation":
        place = config.node.entries["prompt_file"].key
        config.error(place, INVALID_VALUE, "prompt_file is not supported in conversation mode")
    elif prompt and file:
        place = config.node.entries["prompt_file"].key
        config.error(place, INVALID_VALUE, "prompt and prompt_file are mutually exclusive")
    elif prompt:
        return config.template("prompt"), None
    elif file:
        return _prompt_file(config, draft)
    elif mode == "conversation":
        config.error(config.place, MISSING_FIELD, "prompt is required in conversation mode")
    else:
        config.error(config.place, MISSING_FIELD, "prompt or prompt_file is required")
    return None, None


def _prompt_file(config: Fields, draft: Draft) -> tuple[Template | None, Template | None]:
    node = config.scalar("prompt_file", "the path of a file")
    if node is None:
        return None, None
    path = fixed_path(node.text)
    if path is None:
        return None, config.parsed_template(node)
    text = read_text(config, node, path, "prompt_file", draft)
    return config.parsed_template(text) if text else None, None


def _skills(config: Fields, draft: Draft) -> tuple[Skill, ...]:
    nodes = config.items("skills", "a list of names, or of maps with a path")
    found = (_skill(config, index, node, draft) for index, node in enumerate(nodes))
    return tuple(skill for skill in found if skill is not None)


def _skill(config: Fields, index: int, node: Node, draft: Draft) -> Skill | None:
    key = "name"
    if isinstance(node, MapNode):
        key = "path" if "path" in node.entries else "name"
        unknown = [name for name in node.entries if name != key]
        if unknown or not node.entries:
            config.invalid(node, f"skill[{index}]: must be {_SKILL}")
            return None
        node = node.entries[key].value
    if not isinstance(node, ScalarNode) or node.value is None or not node.text.strip():
        config.invalid(node, f"skill[{index}]: must be {_SKILL}")
        return None
    return read_skill(config, node, named=key == "name", draft=draft)


def _conversation(config: Fields, name: str, draft: Draft) -> Conversation | None:
    inner = config.nested("conversation", CONVERSATION, "a map")
    if inner is None:
        return None
    node = inner.scalar("continue_from", "the name of a state")
    if node is None or not node.text:
        return Conversation()
    draft.targets.append(Target(name, node.text, node.position, continues=True))
    return Conversation(node.text)
