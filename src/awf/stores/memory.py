"""A store that lives as long as its process: for tests of what stands above the port."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import msgspec
from msgspec import Struct, field

from awf.domain.outcomes import Usage
from awf.errors import NotResumable, OwnershipLost
from awf.journal import codec
from awf.journal.events import AnyFact, Entry, ExecutionAccepted, Json, Stream
from awf.journal.projection import accepted_row, project
from awf.journal.store import (
    Acceptance,
    Claim,
    ExecutionFilter,
    ExecutionRow,
    Head,
    Intent,
    Ownership,
    Statistics,
    StepRow,
    StepText,
)
from awf.journal.text import stream_text
from awf.stores.rules import FINISHED, accepted_before, check_entries, check_owner


class _Stored(Struct, frozen=True):
    at: int
    type: str
    version: int
    body: bytes

    def fact(self) -> AnyFact:
        return codec.decode(self.type, self.version, self.body)


class _Execution(Struct):
    row: ExecutionRow
    journal: list[_Stored]
    secrets: bytes
    fence: int = 0
    cancel_asked: bool = False
    steps: dict[int, StepRow] = field(default_factory=dict)

    @property
    def definition(self) -> dict[str, str]:
        accepted = self.journal[0].fact()
        assert isinstance(accepted, ExecutionAccepted)
        return accepted.definition

    @property
    def finished(self) -> bool:
        return self.row.status in FINISHED

    def is_due(self, now: int) -> bool:
        """May it be claimed by anybody at this time?"""
        return not self.row.parked or (self.row.wake_at is not None and self.row.wake_at <= now)


class MemoryStore:
    """The store port over dictionaries. Keeps facts encoded, as a real store does, so that nobody shares objects."""

    def __init__(self) -> None:
        self._executions: dict[str, _Execution] = {}
        self._sources: dict[str, str] = {}
        self._intents: dict[int, Intent] = {}
        self._answers: dict[int, tuple[str, int]] = {}
        self._last_intent = 0

    async def accept(self, acceptance: Acceptance) -> None:
        if acceptance.id in self._executions:
            raise accepted_before(acceptance.id)
        resumed = acceptance.fact.resumed
        if resumed is not None and resumed.execution not in self._executions:
            raise NotResumable(resumed.execution)
        latest = next(reversed(self._executions.values()), None)
        at = max(acceptance.now, latest.row.started_at) if latest else acceptance.now
        entry = Entry(1, at, acceptance.fact)
        stored = _store(entry)
        secrets = msgspec.json.encode(acceptance.secrets)
        row = accepted_row(acceptance.id, latest.row.order + 1 if latest else 1, entry, acceptance.owner)
        self._executions[acceptance.id] = _Execution(row, [stored], secrets, fence=int(row.owner is not None))
        self._sources.update(acceptance.sources)

    async def add_intent(
        self,
        execution: str,
        kind: Literal["cancel", "respond"],
        data: Json,
        now: int,
        *,
        question: int | None = None,
    ) -> bool:
        kept = self._executions.get(execution)
        if kept is None or kept.finished:
            return False
        if kind == "cancel":
            if kept.cancel_asked:
                return True
            kept.cancel_asked = True
        if question is not None:
            if (execution, question) in self._answers.values() or all(
                asked.question != question for asked in kept.row.waiting
            ):
                return False
            self._answers[self._last_intent + 1] = execution, question
        self._last_intent += 1
        self._intents[self._last_intent] = Intent(
            id=self._last_intent, execution=execution, kind=kind, data=data, at=now
        )
        return True

    async def claim(
        self,
        owner: str,
        *,
        free: Collection[str],
        limit: int,
        only: Collection[str] | None = None,
        due: int = 0,
    ) -> list[Claim]:
        eligible = [
            kept
            for kept in self._executions.values()
            if not kept.finished
            and (kept.row.owner is None or kept.row.owner in free)
            and (kept.is_due(due) if only is None else kept.row.id in only)
        ]
        eligible.sort(key=lambda kept: (kept.row.running_since is None, kept.row.order))
        claims = []
        for kept in eligible[: max(0, limit)]:
            previous, kept.row.owner = kept.row.owner, owner
            kept.row.parked, kept.row.wake_at = False, None
            kept.fence += 1
            ownership = Ownership(kept.row.id, owner, kept.fence)
            claims.append(Claim(ownership=ownership, last_seq=kept.row.last_seq, previous=previous))
        return claims

    async def append(
        self, ownership: Ownership, entries: Sequence[Entry], *, intents: Sequence[int] = ()
    ) -> None:
        kept = self._executions.get(ownership.execution)
        if kept is None:
            raise OwnershipLost(f"execution {ownership.execution} is unknown")
        check_owner(ownership, kept.row.owner, kept.fence)
        check_entries(ownership.execution, kept.row.last_seq, entries)
        stored = [_store(entry) for entry in entries]
        kept.journal.extend(stored)
        kept.steps.update(project(kept.row, entries, kept.steps.get))
        for intent in [*self._intents.values()]:
            if intent.execution == ownership.execution and (intent.id in intents or kept.finished):
                del self._intents[intent.id]
                self._answers.pop(intent.id, None)

    async def owners(self) -> set[str]:
        return {kept.row.owner for kept in self._executions.values() if kept.row.owner is not None}

    async def held(self, owner: str) -> dict[str, int]:
        return {
            kept.row.id: kept.fence
            for kept in self._executions.values()
            if kept.row.owner == owner and not kept.finished
        }

    async def unfinished(self) -> int:
        return sum(not kept.finished and not kept.row.parked for kept in self._executions.values())

    async def intents(self) -> list[Intent]:
        return [
            msgspec.structs.replace(intent, owner=self._executions[intent.execution].row.owner)
            for intent in self._intents.values()
        ]

    async def journal(
        self, execution: str, *, after: int = 0, limit: int = 1000, types: Collection[str] | None = None
    ) -> list[Entry]:
        kept = self._executions.get(execution)
        if kept is None:
            return []
        above = enumerate(kept.journal[max(0, after) :], max(0, after) + 1)
        wanted = ((seq, stored) for seq, stored in above if types is None or stored.type in types)
        return [Entry(seq, stored.at, stored.fact()) for seq, stored in itertools.islice(wanted, limit)]

    async def heads(self, executions: Collection[str]) -> dict[str, Head]:
        known = ((id, self._executions.get(id)) for id in executions)
        return {id: Head(kept.row.last_seq, kept.finished) for id, kept in known if kept is not None}

    async def execution(self, execution: str) -> ExecutionRow | None:
        kept = self._executions.get(execution)
        return _copy(kept) if kept else None

    async def executions(self, query: ExecutionFilter) -> list[ExecutionRow]:
        newest_first = sorted(self._matching(query), key=lambda kept: -kept.row.order)
        below = [
            kept
            for kept in newest_first
            if (query.before is None or kept.row.order < query.before)
            and (kept.finished or not query.history)
        ]
        return [msgspec.structs.replace(kept.row, inputs={}, warnings=()) for kept in below[: query.limit]]

    async def statistics(self, query: ExecutionFilter) -> Statistics:
        rows = [kept.row for kept in self._matching(query) if kept.finished]
        spent = sum(row.completed_at - row.started_at for row in rows if row.completed_at is not None)
        counts = {status: sum(row.status == status for row in rows) for status in FINISHED}
        average = spent // (len(rows) * 1000) if rows else 0
        usage = sum((row.usage for row in rows if row.usage is not None), Usage())
        return Statistics(total=len(rows), average_ms=average, usage=usage, **counts)

    async def steps(
        self, execution: str, *, after: int = 0, limit: int = 100, latest: bool = False
    ) -> list[StepRow]:
        kept = self._executions.get(execution)
        if kept is None:
            return []
        numbers = sorted(number for number in kept.steps if number > after)
        chosen = numbers[-limit:] if latest else numbers[:limit]
        return [msgspec.structs.replace(kept.steps[number]) for number in chosen]

    async def step_text(
        self, execution: str, step: int, stream: Stream, *, limit: int | None = None
    ) -> StepText | None:
        kept = self._executions.get(execution)
        row = kept.steps.get(step) if kept else None
        if kept is None or row is None:
            return None
        attempt = kept.journal[row.first_seq - 1 : row.last_seq or None]
        return stream_text(_facts_of(step, attempt), stream, limit)

    async def sources(self, digests: Collection[str]) -> dict[str, str]:
        return {digest: self._sources[digest] for digest in digests if digest in self._sources}

    async def secrets(self, execution: str) -> dict[str, Json]:
        kept = self._executions.get(execution)
        return msgspec.json.decode(kept.secrets, type=dict[str, Json]) if kept else {}

    async def prune(self, *, ended_before: int | None = None, keep: int | None = None) -> bool:
        inherited = {
            kept.row.resumed_from
            for kept in self._executions.values()
            if kept.row.running_since is None and not kept.finished
        }
        finished = [kept for kept in self._executions.values() if kept.finished]
        excess = 0 if keep is None else max(0, len(finished) - keep)
        removable = [
            kept for kept in finished if kept.row.id not in {*inherited, next(reversed(self._executions))}
        ]
        for number, kept in enumerate(removable):
            ended = kept.row.completed_at
            if number < excess or (ended_before is not None and ended is not None and ended < ended_before):
                del self._executions[kept.row.id]
        pinned = {digest for kept in self._executions.values() for digest in kept.definition.values()}
        self._sources = {digest: text for digest, text in self._sources.items() if digest in pinned}
        return False

    async def maintain(self) -> None:
        """Nothing needs upkeep."""

    async def close(self) -> None:
        """Nothing is held."""

    def _matching(self, query: ExecutionFilter) -> Iterator[_Execution]:
        for kept in self._executions.values():
            row = kept.row
            if (
                query.workflow in {None, row.workflow}
                and query.status in {None, row.status}
                and (query.since is None or row.started_at >= query.since)
                and (query.until is None or row.started_at <= query.until)
            ):
                yield kept


def _store(entry: Entry) -> _Stored:
    type, version, body = codec.encode(entry.fact)
    return _Stored(entry.at, type, version, body)


def _copy(kept: _Execution) -> ExecutionRow:
    accepted = kept.journal[0].fact()
    inputs = getattr(accepted, "inputs", {})
    return msgspec.structs.replace(kept.row, inputs=inputs)


def _facts_of(step: int, stored: Sequence[_Stored]) -> Iterator[AnyFact]:
    for one in reversed(stored):
        fact = one.fact()
        if getattr(fact, "step", None) == step:
            yield fact
