"""``mcp_proxy:`` of an agent: which tools it gets through awf."""

from __future__ import annotations

from awf.domain.fields import MISSING_FIELD, Fields
from awf.domain.keys import Keys
from awf.domain.kinds import MCP_PROXY, PLUGIN_TOOLS
from awf.domain.nodes import MapNode, Node
from awf.domain.suggest import did_you_mean
from awf.domain.workflow import McpProxy

UNKNOWN_KEY = "USER.MCP_PROXY.UNKNOWN_KEY"
EMPTY_PROXY = "USER.MCP_PROXY.EMPTY_PROXY"
NAME_COLLISION = "USER.MCP_PROXY.NAME_COLLISION"
_TOOLS = "a map with plugin and expose"


def read_mcp_proxy(fields: Fields) -> McpProxy | None:
    """None where there is none, or it is not enabled."""
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
        _add_tools(proxy, number, item, tools)
    if not enabled:
        return None
    if intercepts is False and not any(tools.values()):
        proxy.error(proxy.place, EMPTY_PROXY, "it is enabled and exposes nothing")
    return McpProxy(intercepts is not False, tools)


def _inner(fields: Fields, node: MapNode, name: str, keys: Keys) -> Fields:
    """Like ``Fields.inner``, but what is unknown here is an error: it could be a right that was to be taken away."""
    inner = Fields(node, node.position, f"{fields.subject}{name}: ", fields.findings)
    for key, entry in node.entries.items():
        if key not in keys.read:
            inner.error(entry.key, UNKNOWN_KEY, f"unknown key '{key}'{did_you_mean(key, keys.read)}")
    return inner


def _add_tools(proxy: Fields, number: int, node: Node, tools: dict[str, tuple[str, ...]]) -> None:
    if not isinstance(node, MapNode):
        proxy.mismatch(node, f"plugin_tools {number}", _TOOLS)
        return
    inner = _inner(proxy, node, f"plugin_tools {number}", PLUGIN_TOOLS)
    plugin = inner.scalar("plugin", "the name of a plugin")
    if plugin is None or not plugin.text:
        if plugin is not None or inner.value("plugin") is None:
            inner.error(inner.place, MISSING_FIELD, "plugin is required")
        return
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
    tools[plugin.text] = tuple(known)
