"""The store port: what a store must do, for the engine that writes journals and for everyone who reads them.

Every implementation is held to ``awf.testing.contract``. Rules that hold for all verbs:

- **Durable.** A write verb returns after what it wrote survives a crash of the machine (``durability: full``) or of
  the process (``fast``). If it raises, nothing of it was written; only of a store across a network, StoreUnavailable may
  mean that the answer was lost, so who tries again looks first. Who is cancelled while it waits does not take back what
  it asked for.
- **Clock.** No store reads a clock. ``now`` and ``Entry.at`` are passed in, microseconds since the epoch.
- **Errors.** Disk full, read-only, permission lost, I/O error: StoreUnavailable, naming the storage directory; the
  caller may try again. Verbs about an unknown execution return None or nothing, as documented, and never raise for it.
- **Order.** Executions have an integer order, the order of their acceptance. ``started_at`` never decreases along it:
  ``accept`` takes ``max(now, started_at of the one before)``.
- **Projections.** The execution row and the step rows are projections of the journal (``journal.projection``), written
  in the same transaction as the entries they come from.
- **Concurrency.** Verbs may be called concurrently from one event loop. Several processes may use one store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from awf.domain.outcomes import Usage
from awf.journal.events import Entry, ExecutionAccepted, Json, Stream

ExecutionStatus: TypeAlias = Literal["pending", "running", "completed", "failed", "cancelled"]
StepStatus: TypeAlias = Literal["running", "completed", "failed"]


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """A new execution. ``secrets`` are the real values of the inputs that the fact masks, as a whole or in part; ``sources`` maps digest to
    text for everything that ``fact.definition`` names. ``owner`` has it from the start, so that nobody can claim it."""

    id: str
    fact: ExecutionAccepted
    now: int
    secrets: Mapping[str, Json] = {}
    sources: Mapping[str, str] = {}
    owner: str | None = None


class Ownership(msgspec.Struct, frozen=True):
    """The right to append to one execution's journal. ``fence`` grows by one with every claim."""

    execution: str
    owner: str
    fence: int


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A successful claim. ``previous`` is the owner before, if any; ``last_seq`` the journal's last number."""

    ownership: Ownership
    last_seq: int
    previous: str | None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of a running execution; its owner folds it into the journal."""

    id: int
    execution: str
    kind: Literal["cancel", "respond"]
    data: Json
    at: int
    owner: str | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A step that waits for a person: the fields of its ``input.required``, whose sequence number is ``question`` and
    whose time is ``since``."""

    question: int
    step: int
    state: str
    path: str
    kind: str
    prompt: str
    choices: tuple[str, ...] = ()
    since: int
    deadline: int | None = None


class ExecutionRow(msgspec.Struct, kw_only=True):
    """The projection of one journal. ``error`` and ``exit_code`` are set at the end; ``owner`` is None while nobody
    runs it. ``waiting`` has the steps that wait for a person, ``waiting_for`` is ``person`` while there are any.
    ``parked``: nobody needs to run it before there is an intent for it, or before ``wake_at``. ``usage`` is what its agents
    have cost, None where there were none. ``inputs`` and ``warnings`` are those of its acceptance."""

    id: str
    order: int
    workflow: str
    status: ExecutionStatus
    current_step: str
    started_at: int
    updated_at: int
    running_since: int | None = None
    completed_at: int | None = None
    error: str | None = None
    exit_code: int | None = None
    waiting_for: str | None = None
    waiting: tuple[Waiting, ...] = ()
    parked: bool = False
    wake_at: int | None = None
    usage: Usage | None = None
    inputs: dict[str, Json] = {}
    warnings: tuple[str, ...] = ()
    resumed_from: str | None = None
    owner: str | None = None
    last_seq: int = 1


class StepRow(msgspec.Struct, kw_only=True):
    """The projection of one step (its latest attempt). ``first_seq`` is the sequence number of the fact that started
    that attempt (or took the step over), ``last_seq`` of the one that ended it (0 while it runs). ``warnings`` are those
    of its start, ``note`` what its end says besides the result (a limit that was reached). ``usage`` is what all its
    attempts have cost."""

    step: int
    name: str
    path: str
    status: StepStatus
    attempt: int
    exit_code: int | None = None
    started_at: int
    completed_at: int | None = None
    error: str | None = None
    reused: bool = False
    command: str = ""
    warnings: tuple[str, ...] = ()
    note: str = ""
    usage: Usage | None = None
    first_seq: int
    last_seq: int = 0


class StepText(msgspec.Struct, frozen=True):
    """Text of one stream of one step's latest attempt. ``omitted`` counts the bytes that are not in ``text``: before
    it where a limit cut it (see ``Store.step_text``), or in the middle, at a mark, where the stream was too long."""

    text: str
    omitted: int = 0


class ExecutionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """None means: any. ``before`` is an order to continue below. ``limit`` is at least 1.

    ``history`` selects finished executions only. ``since`` and ``until`` compare ``started_at``, both inclusive.
    """

    workflow: str | None = None
    status: ExecutionStatus | None = None
    since: int | None = None
    until: int | None = None
    history: bool = False
    before: int | None = None
    limit: int = 100


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over finished executions; ``average_ms`` is the mean of (completed_at - started_at), whole milliseconds,
    0 where there is nothing. ``usage`` is what their agents have cost."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    average_ms: int = 0
    usage: Usage = Usage()


class Head(msgspec.Struct, frozen=True):
    """How far a journal is. ``finished``: its last entry is final."""

    last_seq: int
    finished: bool


class Store(Protocol):
    """The port. See the module's docstring for the rules of all verbs."""

    # Written by whoever accepts work

    async def accept(self, acceptance: Acceptance) -> None:
        """Write ``execution.accepted`` as entry 1, its sources, its secrets and the row (``pending``).

        Its time is the row's ``started_at``. Without an owner anybody can claim it; with one the fence is 1.
        ReplayDiverged, and nothing written, where the id has been accepted before. NotResumable, and nothing written,
        where it resumes one that is not kept (any more).
        """
        ...

    async def add_intent(
        self,
        execution: str,
        kind: Literal["cancel", "respond"],
        data: Json,
        now: int,
        *,
        question: int | None = None,
    ) -> bool:
        """Leave an intent for the owner. False, and nothing written, where the execution is unknown or finished. A
        second ``cancel`` of one execution, whether the first is folded in by now or not, writes nothing and returns True.
        With ``question``, False also where the execution does not wait for it (any more), or an intent answers it already.
        """
        ...

    # Written by owners

    async def claim(
        self,
        owner: str,
        *,
        free: Collection[str],
        limit: int,
        only: Collection[str] | None = None,
        due: int = 0,
    ) -> list[Claim]:
        """Become the owner of up to ``limit`` unfinished executions that have no owner, or one of those in ``free``
        (dead ones; the caller has looked at their locks). Those that have run before come first, then in order of
        acceptance. ``only`` restricts it to these ids. A parked one is claimed only by its id, or where its ``wake_at``
        is at most ``due`` (microseconds); it is parked no more. Appends nothing. Two concurrent claims never get the
        same one.
        """
        ...

    async def append(
        self, ownership: Ownership, entries: Sequence[Entry], *, intents: Sequence[int] = ()
    ) -> None:
        """Append entries, update the projections, and remove the folded ``intents``, in one transaction.

        Entry numbers continue the journal without a gap, and nothing follows a final fact (else ReplayDiverged).
        OwnershipLost where the owner or the fence is another by now. ``execution.released`` and the final facts clear
        the owner; the final ones also remove the execution's intents, and its secrets stay until it is pruned.
        """
        ...

    async def owners(self) -> set[str]:
        """Owners of unfinished executions."""
        ...

    async def held(self, owner: str) -> dict[str, int]:
        """The unfinished executions that this owner has, by id, each with its fence."""
        ...

    async def unfinished(self) -> int:
        """How many executions are not finished and not parked."""
        ...

    async def intents(self) -> list[Intent]:
        """All intents not folded yet, oldest first, each with the execution's present owner."""
        ...

    # Read by everyone

    async def journal(
        self, execution: str, *, after: int = 0, limit: int = 1000, types: Collection[str] | None = None
    ) -> list[Entry]:
        """Entries with numbers above ``after``, in order, at most ``limit``; only of these ``types``, if given. Empty for
        an unknown execution."""
        ...

    async def heads(self, executions: Collection[str]) -> dict[str, Head]:
        """The head of each that exists."""
        ...

    async def execution(self, execution: str) -> ExecutionRow | None:
        """One row."""
        ...

    async def executions(self, query: ExecutionFilter) -> list[ExecutionRow]:
        """Rows without their ``inputs`` and ``warnings``, newest first (descending order), as the filter says."""
        ...

    async def statistics(self, query: ExecutionFilter) -> Statistics:
        """Over all finished executions that match ``workflow``, ``status``, ``since``, ``until``."""
        ...

    async def steps(
        self, execution: str, *, after: int = 0, limit: int = 100, latest: bool = False
    ) -> list[StepRow]:
        """Step rows ascending by number, above ``after``; with ``latest`` the last ``limit`` of them, ascending."""
        ...

    async def step_text(
        self, execution: str, step: int, stream: Stream, *, limit: int | None = None
    ) -> StepText | None:
        """What one stream of the step's latest attempt holds, whole or its last ``limit`` bytes (cut at a character).

        Of a stream longer than what is recorded, the recorded beginning, a mark line saying how many bytes are left
        out, and the kept tail. None for an unknown step. Works while the step runs.
        """
        ...

    async def sources(self, digests: Collection[str]) -> dict[str, str]:
        """Texts by digest."""
        ...

    async def secrets(self, execution: str) -> dict[str, Json]:
        """The real values of the execution's secret inputs."""
        ...

    # Upkeep

    async def prune(self, *, ended_before: int | None = None, keep: int | None = None) -> bool:
        """Remove a few of the finished executions that ended before a time (microseconds), or that are more than
        ``keep``, the oldest by acceptance first, each with everything that is its own. True: there may be more, call again.

        What has been taken is gone for readers at once and as a whole. A call holds up other writers for some
        milliseconds at most, however long a journal is. The texts that only removed executions pinned go too, at the
        latest when nothing older than them is kept. Kept are: unfinished executions; the latest of all, from whose number
        and time the next one counts; one whose results another, accepted and not started yet, is to take over.
        """
        ...

    async def maintain(self) -> None:
        """Work that somebody must do now and then: a checkpoint of the write-ahead log, for a store that has one."""
        ...

    async def close(self) -> None:
        """Finish what was asked, then release everything. Closing twice is safe; other verbs then may raise
        StoreUnavailable."""
        ...


def row_dict(row: msgspec.Struct) -> dict[str, Any]:
    """The fields of a row by name."""
    return msgspec.structs.asdict(row)
