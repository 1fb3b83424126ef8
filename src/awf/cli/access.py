"""What commands ask of awf, whoever answers: the store of the project here, or a server elsewhere.

Commands that show or steer executions use nothing else, so that they do the same near and far. The shapes are those of the
HTTP API (``awf.server.schemas``): what ``--format json`` prints is what the API says.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from awf.cli.show import note

if TYPE_CHECKING:
    from awf.cli.listing import Listed
    from awf.server.schemas import (
        Execution,
        ExecutionDetail,
        HistoryEntry,
        StatisticsSummary,
        Step,
        StepOutput,
        TranscriptEntry,
    )

Away: TypeAlias = Callable[[str], None]
"""Takes a line for people."""

LIMIT = 1000
"""Executions that one question can ask for."""


class Checked(Struct, frozen=True):
    """Everything that is wrong with a workflow: each text with its place in the file. ``lines`` has all of them for people, in
    the order of the file."""

    name: str
    errors: list[str]
    warnings: list[str]
    lines: list[str]


class Query(Struct, frozen=True):
    """Which executions: None means any. ``status`` is one of the API; ``since`` and ``until`` compare their start, both
    inclusive, in UTC. At most ``limit`` of them, the newest first."""

    workflow: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100


class Event(Struct, frozen=True):
    """A frame of an execution's event stream: its name, its number (the journal's), and its data as JSON has it."""

    name: str
    id: int
    data: dict[str, Any]

    @property
    def path(self) -> str:
        """The step that it is about; empty where it is about none."""
        return str(self.data.get("path") or self.data.get("step_name", ""))

    @property
    def final(self) -> bool:
        """The last one of its stream."""
        return self.name in {"workflow.completed", "workflow.failed"}


class Access(Protocol):
    """Executions by id; an unknown id raises ExecutionNotFound unless it says otherwise. Where nothing answers, or the
    store cannot be read: SystemFault."""

    async def workflows(self) -> list[Listed]:
        """Every workflow, sorted by name; broken ones with their ``error``."""
        ...

    async def validate(self, workflow: str) -> Checked:
        """What is wrong with a workflow. Raises WorkflowNotFound."""
        ...

    async def run(self, workflow: str, inputs: dict[str, Any]) -> str:
        """Accept an execution and leave it to an engine; its id, once it is durable. Raises WorkflowNotFound,
        WorkflowInvalid, InputsInvalid."""
        ...

    async def executions(self, query: Query) -> list[Execution]:
        """Executions, running and finished ones."""
        ...

    async def execution(self, execution: str) -> ExecutionDetail:
        """One, with its latest 100 steps."""
        ...

    async def steps(self, execution: str) -> list[Step]:
        """All its steps, in the order of their first start, each with the end of its output."""
        ...

    async def output(self, execution: str, step: int, stream: Literal["stdout", "stderr"]) -> StepOutput:
        """One stream of one step, whole. Raises RequestInvalid where there is no such step."""
        ...

    def transcript(self, execution: str) -> AsyncGenerator[TranscriptEntry]:
        """What its agents were asked and what was said so far, in order."""
        ...

    async def history(self, query: Query) -> list[HistoryEntry]:
        """Finished executions."""
        ...

    async def statistics(self, query: Query) -> StatisticsSummary:
        """Counts over all finished executions that the query selects, whatever its limit."""
        ...

    def events(
        self, execution: str, *, after: int = 0, follow: bool = True, away: Away = note
    ) -> AsyncGenerator[Event]:
        """All events (as of ``?events=all``) above number ``after``, in order, each once, to the final one. Without
        ``follow`` those that there are now. ``away`` is told what to tell people while nobody answers."""
        ...

    async def cancel(self, execution: str) -> None:
        """Ask for its end. Unknown and finished ones are left alone."""
        ...

    async def resume(
        self, execution: str, *, from_step: str | None, overrides: dict[str, Any], latest: bool = False
    ) -> str:
        """Accept a new execution that goes on where a failed or cancelled one ended; its id. Raises NotResumable,
        ResumePointInvalid, InputsInvalid."""
        ...

    async def respond(
        self, execution: str, response: str, *, comment: str = "", path: str | None = None
    ) -> None:
        """Answer what a step waits for. Raises NotWaiting, AnswerInvalid."""
        ...


def open_access() -> contextlib.AbstractAsyncContextManager[Access]:
    """The access that the options of the command and the environment choose, open as long as the block runs."""
    from awf.cli.options import chosen_server

    if (server := chosen_server()) is not None:
        from awf.cli.remote import RemoteAccess

        return RemoteAccess(server)
    from awf.cli.local import LocalAccess
    from awf.cli.project import settings_of

    return LocalAccess(settings_of())
