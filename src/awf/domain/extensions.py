"""What plug-ins add to the language, as the loader asks for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, Protocol, TypeAlias

from awf.domain.signatures import Signature

Kind: TypeAlias = Literal["operation", "provider", "state"]


class ExtensionBroken(Exception):
    """A plug-in promises something that cannot be used; the text says which plug-in, and why."""


class Extensions(Protocol):
    """Operations, agent providers and state types besides awf's own. Asking may load code: only what a workflow names is
    asked for."""

    def names(self, kind: Kind) -> Collection[str]:
        """Everything of a kind that is promised, broken or not."""
        ...

    def signature(self, kind: Literal["operation", "state"], name: str) -> Signature | None:
        """Of an operation or a state type; None where there is none. Raises ExtensionBroken."""
        ...

    def has_provider(self, name: str) -> bool:
        """Raises ExtensionBroken."""
        ...

    def takes_tools(self, name: str) -> bool:
        """Can the agents of this provider be given tools by awf? Raises ExtensionBroken."""
        ...


class NoExtensions:
    """There are no plug-ins."""

    def names(self, kind: Kind) -> Collection[str]:
        del kind
        return ()

    def signature(self, kind: Literal["operation", "state"], name: str) -> Signature | None:
        del kind, name
        return None

    def has_provider(self, name: str) -> bool:
        del name
        return False

    def takes_tools(self, name: str) -> bool:
        del name
        return False


NO_EXTENSIONS = NoExtensions()
