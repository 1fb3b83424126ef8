"""What an operation is to its runner. Third parties implement this too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from awf.domain.signatures import Signature


class OperationFailed(Exception):
    """The operation did not succeed; the text is the step's error, without the operation's name. ``outputs`` is what is
    known all the same. ``retry_after``: seconds after which trying again makes sense, where somebody said so."""

    def __init__(
        self, message: str, *, outputs: Mapping[str, Any] | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.outputs = outputs
        self.retry_after = retry_after


class OperationContext(Struct, frozen=True):
    """Where an operation runs: the execution and the state it belongs to, the engine's environment variables, the
    directory that the execution is pinned to, and the attempt's id (the same for no other attempt of any step)."""

    execution: str
    workflow: str
    state: str
    attempt_id: str
    environ: Mapping[str, str]
    working_dir: str


class Operation(Protocol):
    """One operation. It is made once and performed many times, also at the same time."""

    @property
    def signature(self) -> Signature:
        """Its name, inputs and outputs."""
        ...

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Do it; its outputs, as JSON values. ``inputs`` are bound to the signature. It is cancelled (CancelledError) at
        a timeout or a cancel and must leave nothing running. Raises OperationFailed."""
        ...
