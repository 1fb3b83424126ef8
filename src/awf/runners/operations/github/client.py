"""What github operations ask of GitHub, whichever way. All answers have the names and spellings that ``gh --json`` has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Inputs: TypeAlias = Mapping[str, Any]
Outputs: TypeAlias = dict[str, Any]


class Client(Protocol):
    """One way to GitHub. Methods are named for the operations, take their bound inputs, and raise OperationFailed."""

    async def get_issue(self, inputs: Inputs) -> Outputs: ...

    async def get_pr(self, inputs: Inputs) -> Outputs: ...

    async def create_pr(self, inputs: Inputs) -> Outputs: ...

    async def create_issue(self, inputs: Inputs) -> Outputs: ...

    async def add_labels(self, inputs: Inputs) -> Outputs: ...

    async def list_comments(self, inputs: Inputs) -> Outputs: ...

    async def add_comment(self, inputs: Inputs) -> Outputs: ...


def repository_of(remote: str) -> str | None:
    """OWNER/NAME of a git remote's address (``https://host/owner/name.git``, ``git@host:owner/name``)."""
    found = re.search(r"[:/]([^/:\s]+/[^/\s]+?)(?:\.git)?/?\s*$", remote)
    return found.group(1) if found else None
