"""What the engine needs from the outside, as protocols; ``compose`` picks who provides it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    import asyncio

    from awf.domain.load import Loaded
    from awf.domain.outcomes import Outcome, Usage
    from awf.engine.cancel import Cancel
    from awf.engine.stimuli import World
    from awf.journal.events import StepStarted, Stream
    from awf.journal.messages import Block, Message, Role, Turn
    from awf.journal.store import Store


class WorkflowFile(Struct, frozen=True):
    """A workflow as the catalog found it: what it is called (in a pack: ``pack/workflow``), where it was found
    (``source``: ``env``, ``local``, ``global``, ``pack``, ``path``), its exact text, and what loading made of it."""

    identifier: str
    file: str
    source: str
    text: str
    loaded: Loaded


class Catalog(Protocol):
    """Finds workflow files. Methods may read the disk: call them in a thread."""

    def names(self) -> list[WorkflowFile]:
        """Every workflow of every source, sorted by identifier, first source wins; broken files too, with their
        problems. A file that has not changed is not parsed again."""
        ...

    def find(self, identifier: str) -> WorkflowFile:
        """One workflow. Raises WorkflowNotFound; a broken file is returned with its problems."""
        ...

    def identifiers(self) -> list[str]:
        """What ``names`` would find, by name alone; reads no workflow."""
        ...

    def known(self, identifier: str) -> WorkflowFile | None:
        """One workflow, if it has been loaded and its file has not changed since; quick enough for an event loop."""
        ...


class Clock(Protocol):
    """Time as a parameter. ``now`` is microseconds since the epoch; ``monotonic`` seconds."""

    def now(self) -> int: ...

    def monotonic(self) -> float: ...


Emit: TypeAlias = "Callable[[Stream, str, bool], None]"
"""Takes what a step wrote: stream, text (valid UTF-8), and whether the recorded part of the stream ends here."""


Tell: TypeAlias = "Callable[[Role, tuple[Block, ...]], None]"
"""Takes a whole message of the exchange between an agent and its tools, after the text that belongs to it."""


Afford: TypeAlias = "Callable[[Usage], bool]"
"""Says whether budgets allow more than this for an attempt that runs."""


def unlimited(usage: Usage) -> bool:
    """No budget is there."""
    del usage
    return True


def _nobody(role: Role, blocks: tuple[Block, ...]) -> None:
    del role, blocks


class StepContext(Struct, frozen=True):
    """What a runner needs besides the fact: identity, the real inputs, the engine's environment, and the directory
    that the execution is pinned to. Of agents: ``turns``, the conversation to go on with, ``called``, what was called by
    attempts before this one, which goes on from there, ``tell``, for the record of what is said, and ``afford``: may an attempt
    that has cost so much by now go on?"""

    execution: str
    workflow: str
    inputs: Mapping[str, Any]
    environ: Mapping[str, str]
    working_dir: str
    turns: tuple[Turn, ...] = ()
    called: tuple[Message, ...] = ()
    tell: Tell = field(default=_nobody)
    afford: Afford = field(default=unlimited)


class StepRunner(Protocol):
    """Performs attempts of one kind of step. Never raises; never writes to the journal. Cancelling the task that runs
    or adopts a detached attempt (``fact.detach``) lets go of it: its processes go on."""

    async def run(self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel) -> Outcome:
        """Run the attempt to its end. When ``cancel`` is set, end it and return Cancelled once nothing is left."""
        ...

    async def adopt(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: Cancel, ran: float
    ) -> Outcome:
        """Like ``run``, for a detached attempt that another engine started ``ran`` seconds ago. What it has written is
        delivered from the beginning, as the same text."""
        ...

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """End the processes that a dead engine left of these attempts, and wait until none is left."""
        ...

    async def spent(self, fact: StepStarted) -> Usage | None:
        """What an attempt that a dead engine left, and that has been ended, had cost, as far as it is known."""
        ...


class AttemptKeeper(Protocol):
    """What attempts leave outside the journal, so that the next engine finds them; the same for all kinds of steps."""

    def adoptable(self, attempt: str) -> bool:
        """Does a detached attempt go on without its engine, or has it left how it ended? One that was killed meanwhile
        (by a service manager, along with the engine) has not ended in a way that counts. None survives a reboot."""
        ...

    def kept(self) -> list[str]:
        """The ids of the attempts of which something is kept."""
        ...

    def forget(self, attempts: Collection[str]) -> object:
        """Nothing of these is needed any more: their outcomes are durable, or will never be known."""
        ...

    def sweep(self, owners: Collection[str]) -> None:
        """Remove what dead engines kept for themselves, but for those that still own executions."""
        ...

    def close(self) -> None:
        """The engine leaves."""
        ...


class Environment(Struct, frozen=True):
    """What an interpreter works with. ``environ`` is what steps get; ``world`` gives the present moment as the core may see
    it; ``appended`` is called after every durable append (to wake viewers); ``slots`` bounds the running processes of the
    whole engine."""

    store: Store
    runners: Mapping[str, StepRunner]
    attempts: AttemptKeeper
    clock: Clock
    environ: Mapping[str, str]
    world: Callable[[], World]
    appended: Callable[[], None]
    slots: asyncio.Semaphore
