"""What plug-ins are made of: everything that a package which extends awf needs, in one place (docs/plugins.md).

An operation (entry point group ``awf.operations``) or a state type (``awf.states``) is an object like :class:`Operation`, a
provider of agents (``awf.providers``) one like :class:`CommandLineProvider` or :class:`RemoteProvider`; each has an
``api_version`` besides, which is :data:`API_VERSION` where it works with this awf.
"""

from __future__ import annotations

from awf.domain.outcomes import Usage
from awf.domain.signatures import Parameter, Signature
from awf.extensions import API_VERSION
from awf.runners.agents.port import (
    Answer,
    BudgetUsedUp,
    CommandLineProvider,
    Event,
    Invocation,
    McpServer,
    Message,
    Parser,
    ProviderFailed,
    RemoteProvider,
    Request,
    Spent,
    Text,
    TextBlock,
    ToolResult,
    Tools,
    ToolUse,
    Turn,
)
from awf.runners.operations.port import Operation, OperationContext, OperationFailed

__all__ = [
    "API_VERSION",
    "Answer",
    "BudgetUsedUp",
    "CommandLineProvider",
    "Event",
    "Invocation",
    "McpServer",
    "Message",
    "Operation",
    "OperationContext",
    "OperationFailed",
    "Parameter",
    "Parser",
    "ProviderFailed",
    "RemoteProvider",
    "Request",
    "Signature",
    "Spent",
    "Text",
    "TextBlock",
    "ToolResult",
    "ToolUse",
    "Tools",
    "Turn",
    "Usage",
]
