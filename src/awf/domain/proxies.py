"""``mcp_proxy:`` of an agent: which tools it gets through awf."""

from __future__ import annotations

from collections.abc import Iterable

from awf.domain.draft import Draft
from awf.domain.extensions import ExtensionBroken
from awf.domain.fields import MISSING_FIELD, Fields
from awf.domain.keys import Keys
from awf.domain.kinds import MCP_PROXY, PLUGIN_TOOLS
from awf.domain.nodes import MapNode, Node, ScalarNode
from awf.domain.operations import BROKEN_PLUGIN, OPERATIONS
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import McpProxy

UNKNOWN_KEY = "USER.MCP_PROXY.UNKNOWN_KEY"
EMPTY_PROXY = "USER.MCP_PROXY.EMPTY_PROXY"
NAME_COLLISION = "USER.MCP_PROXY.NAME_COLLISION"
UNKNOWN_PLUGIN = "USER.MCP_PROXY.UNKNOWN_PLUGIN"
UNKNOWN_OPERATION = "USER.MCP_PROXY.UNKNOWN_OPERATION"
UNSUPPORTED_PROVIDER = "USER.MCP_PROXY.UNSUPPORTED_PROVIDER"

_TOOLS = "a map with plugin and expose"


def read_mcp_proxy(fields: Fields, draft: Draft) -> McpProxy | None:
    """None where there is none, or it is not enabled. That there is no such operation is a warning, because only the step
    fails, and that can be routed."""
    node = fields.value("mcp_proxy")
    if node is None:
        return None
    if not isinstance(node, MapNode):
        fields.mismatch(node, "'mcp_proxy'", "a map with enable")
        return None
    proxy = _inner(fields, node, "mcp_proxy", MCP_PROXY)
    enabled, intercepts = bool(proxy.boolean("enable")), proxy.boolean("intercept_builtins")
    tools: dict[str, tuple[str, ...]] = {}
    for number, item in enumerate(proxy.items("plugin_tools", f"a list of maps, each {_TOOLS}"), 1):
        _add_tools(proxy, number, item, tools, draft if enabled else None)
    if not enabled:
        return None
    if intercepts is False and not any(tools.values()):
        proxy.error(proxy.place, EMPTY_PROXY, "it is enabled and exposes nothing")
    return McpProxy(intercepts is not False, tools)


def check_provider(fields: Fields, provider: str, draft: Draft) -> None:
    """Warn where this provider of a plug-in cannot be given tools; all of awf's own can."""
    try:
        able = not draft.extensions.has_provider(provider) or draft.extensions.takes_tools(provider)
    except ExtensionBroken:
        return  # a warning says so already
    if not able:
        message = f"mcp_proxy: provider '{provider}' cannot be given tools by awf, so the step will fail"
        fields.warn(fields.node.entries["mcp_proxy"].key, UNSUPPORTED_PROVIDER, message)


def _inner(fields: Fields, node: MapNode, name: str, keys: Keys) -> Fields:
    """Like ``Fields.inner``, but what is unknown here is an error: it could be a right that was to be taken away."""
    inner = Fields(node, node.position, f"{fields.subject}{name}: ", fields.findings)
    for key, entry in node.entries.items():
        if key not in keys.read:
            inner.error(entry.key, UNKNOWN_KEY, f"unknown key '{key}'{did_you_mean(key, keys.read)}")
    return inner


def _add_tools(
    proxy: Fields, number: int, node: Node, tools: dict[str, tuple[str, ...]], draft: Draft | None
) -> None:
    """``draft`` None: whether they exist does not matter."""
    if not isinstance(node, MapNode):
        proxy.mismatch(node, f"plugin_tools {number}", _TOOLS)
        return
    inner = _inner(proxy, node, f"plugin_tools {number}", PLUGIN_TOOLS)
    plugin = inner.scalar("plugin", "the name of a plugin")
    if plugin is None or not plugin.text:
        if plugin is not None or inner.value("plugin") is None:
            inner.error(inner.place, MISSING_FIELD, "plugin is required")
        return
    if draft is not None and not _has_plugin(inner, plugin, draft):
        draft = None
    known = list(tools.get(plugin.text, ()))
    for item in inner.items("expose", "a list of operations"):
        operation = inner.as_scalar(item, "expose", "a list of operations")
        if operation is None:
            continue
        if operation.text in known:
            message = f"operation '{plugin.text}.{operation.text}' is exposed twice"
            inner.error(operation.position, NAME_COLLISION, message)
        else:
            known.append(operation.text)
            if draft is not None:
                _check(inner, f"{plugin.text}.{operation.text}", operation, draft)
    tools[plugin.text] = tuple(known)


def _has_plugin(fields: Fields, plugin: ScalarNode, draft: Draft) -> bool:
    """Warns where it has not."""
    if plugin.text in _OWN:
        return True
    plugins = _OWN | _families(draft.extensions.names("operation"))
    if plugin.text not in plugins:
        hint = did_you_mean(plugin.text, plugins)
        fields.warn(plugin.position, UNKNOWN_PLUGIN, f"unknown plugin '{plugin.text}'{hint}")
    return plugin.text in plugins


def _check(fields: Fields, name: str, operation: ScalarNode, draft: Draft) -> None:
    try:
        if name in OPERATIONS or draft.extensions.signature("operation", name) is not None:
            return
    except ExtensionBroken as broken:
        fields.warn(operation.position, BROKEN_PLUGIN, f"operation '{name}' cannot be used: {broken}")
        return
    hint = did_you_mean(name, (*OPERATIONS, *draft.extensions.names("operation")))
    fields.warn(operation.position, UNKNOWN_OPERATION, f"unknown operation '{name}'{hint}")


def _families(operations: Iterable[str]) -> set[str]:
    """What stands before the dots of their names."""
    return {name[:at] for name in operations for at, letter in enumerate(name) if letter == "."}


_OWN = _families(OPERATIONS)
