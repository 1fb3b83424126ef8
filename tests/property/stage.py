"""Runs executions through the real engine over a store in memory, in no time; the store can fail as a test says.

The runner performs a command ``echo TEXT`` by writing the text. How long a step takes and how it ends is asked of a
:class:`Player`, by its :data:`Place`, which a crash does not change.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from awf.domain.outcomes import Cancelled, Failed, Outcome, Product, Succeeded, Usage
from awf.engine.engine import Engine, EngineSettings
from awf.engine.pinned import CHILD, Definitions, digest
from awf.engine.pinned import MAIN as MAIN_ROLE
from awf.engine.ports import Emit, StepContext
from awf.engine.presence import Member, Presence
from awf.engine.service import journal_of
from awf.journal.events import (
    Entry,
    ExecutionAccepted,
    ExecutionReleased,
    StateEntered,
    StepRetrying,
    StepStarted,
)
from awf.journal.messages import ToolResult, ToolUse
from awf.journal.store import Acceptance, Claim, ExecutionRow, Ownership
from awf.server.feed import Feeds
from awf.stores.memory import MemoryStore
from awf.testing.runners import ScriptedKeeper
from awf.testing.timeless import EPOCH, TimelessLoop, run_timeless
from property.generator import MAIN
from property.world import Place

NAME = "exec"
DEAD = "engine-dead"
PATIENCE = 100_000.0
"""Seconds, of which none passes: after them an execution is stuck."""


@dataclass(frozen=True)
class Played:
    """What an attempt does: how long it takes, and its exit code."""

    seconds: float = 0.0
    exit_code: int = 0


Player: TypeAlias = Callable[[StepStarted, Place], Played]


class StageStore(MemoryStore):
    """Knows how often each place was entered and tried, from what was appended; ``fault`` is called before (True) and
    after each write of an engine, and may raise."""

    def __init__(self) -> None:
        super().__init__()
        self.visits: Counter[str] = Counter()
        self.tries: Counter[str] = Counter()
        self.fault: Callable[[str, bool], None] = lambda _verb, _before: None

    async def append(
        self, ownership: Ownership, entries: Sequence[Entry], *, intents: Sequence[int] = ()
    ) -> None:
        self.fault("append", True)
        await super().append(ownership, entries, intents=intents)
        for entry in entries:
            match entry.fact:
                case StateEntered(path=path):
                    self.visits[path] += 1
                    self.tries[path] = 0
                case StepRetrying(path=path):
                    self.tries[path] += 1
                case _:
                    pass
        self.fault("append", False)

    async def claim(self, *args: Any, **kwargs: Any) -> list[Claim]:
        self.fault("claim", True)
        claims = await super().claim(*args, **kwargs)
        self.fault("claim", False)
        return claims

    def place(self, path: str) -> Place:
        """What is there now."""
        return path, self.visits[path], self.tries[path]


class StageRunner:
    """``awf.engine.ports.StepRunner``. ``started`` has the attempts in order, hooks among them."""

    def __init__(self, store: StageStore, player: Player) -> None:
        self._store = store
        self._player = player
        self.started: list[StepStarted] = []

    async def run(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: asyncio.Event
    ) -> Outcome:
        """See the module's docstring; a time limit of the step holds."""
        self.started.append(fact)
        played = self._player(fact, self._store.place(fact.path))
        limit = fact.timeout or PATIENCE
        try:
            async with asyncio.timeout(min(played.seconds, limit)):
                await cancel.wait()
                return Cancelled()
        except TimeoutError:
            if played.seconds > limit:
                return Failed(f"timeout exceeded ({limit:g}s)", 124)
        product = self._perform(fact, context, emit)
        return Failed("", played.exit_code) if played.exit_code else Succeeded(product=product)

    @staticmethod
    def _perform(fact: StepStarted, context: StepContext, emit: Emit) -> Product | None:
        """An agent repeats what it is asked, after all that was said before; an operation returns its inputs."""
        if fact.operation is not None:
            given = dict(fact.operation.inputs)
            return Product(output=json.dumps(given), response=given)
        if fact.agent is not None:
            answer = " | ".join([*(turn.text for turn in context.turns), fact.agent.prompt])
            emit("stdout", answer, False)
            context.tell("assistant", (ToolUse("1", "look", {"at": fact.state}),))
            context.tell("tool", (ToolResult("1", "seen"),))
            return Product(output=answer, usage=Usage(input=len(answer), output=1))
        assert fact.command is not None
        emit("stdout", (fact.command.display or fact.command.script).removeprefix("echo "), False)
        return None

    async def adopt(
        self, fact: StepStarted, context: StepContext, emit: Emit, cancel: asyncio.Event, ran: float
    ) -> Outcome:
        """Nothing outlives its engine here."""
        raise AssertionError(f"nothing of {fact.attempt_id} is left to be taken over")

    async def end_leftovers(self, attempt_ids: list[str]) -> None:
        """Nothing is left: a crash here ends all."""

    async def spent(self, fact: StepStarted) -> None:
        """Nor does anybody know what it had cost."""


class NoMarks:
    """Nothing is cancelled from outside."""

    def cancel_marks(self) -> list[str]:
        return []

    def clear_mark(self, execution: str) -> None:
        pass


@dataclass
class Ended:
    """An execution that has ended. ``stream``: the numbers of the frames of its stream, whole and default. ``seconds``
    passed meanwhile."""

    row: ExecutionRow
    journal: list[Entry]
    started: list[StepStarted]
    stream: list[int]
    default_stream: list[int]
    seconds: float


@dataclass
class Stage:
    """One set of workflows, to be run from any beginning of a journal; they are parsed once."""

    texts: Mapping[str, str]
    player: Player
    inputs: Mapping[str, Any] = field(default_factory=dict)
    definitions: Definitions | None = None

    def accepted(self) -> ExecutionAccepted:
        """The first fact."""
        roles = {MAIN_ROLE if name == MAIN else CHILD + name: name for name in self.texts}
        return ExecutionAccepted(
            workflow=MAIN,
            file="main.yaml",
            definition={role: digest(self.texts[name]) for role, name in roles.items()},
            files={role: f"{name}.yaml" for role, name in roles.items()},
            inputs=dict(self.inputs),
            initial="",
            root="/",
            working_dir="/",
        )

    def run(
        self,
        journal: Sequence[Entry] = (),
        fault: Callable[[str, bool], None] | None = None,
        set_back: float = 0.0,
    ) -> Ended:
        """From its acceptance, or from where an engine died that had appended so much, to the end. The clock has been
        set back by so many seconds before."""
        start = (journal[-1].at - EPOCH) / 1_000_000 if journal else 0.0
        loop = TimelessLoop(start, set_back)
        with tempfile.TemporaryDirectory(prefix="awf-stage-") as directory:
            return run_timeless(self._run(loop, Path(directory), journal, fault), loop)

    async def _run(
        self,
        loop: TimelessLoop,
        directory: Path,
        journal: Sequence[Entry],
        fault: Callable[[str, bool], None] | None,
    ) -> Ended:
        store, began = StageStore(), loop.time()
        await self._prepare(store, journal)
        store.fault = fault or store.fault
        changed = asyncio.Event()
        runner = StageRunner(store, self.player)
        self.definitions = self.definitions or Definitions(store)
        server = Presence(directory / "servers", Member(id="server", pid=1, version="1", started_at=1))
        presence = Presence(
            directory / "engines", Member(id=f"engine-{len(journal)}", pid=1, version="1", started_at=1)
        )
        engine = Engine(
            store=store,
            runners=dict.fromkeys(("step", "agent", "operation"), runner),
            attempts=ScriptedKeeper(),
            clock=loop,
            settings=EngineSettings(16, directory / "engines", directory / "servers"),
            presence=presence,
            marks=NoMarks(),
            appended=changed.set,
            environ={},
            definitions=self.definitions,
        )
        task = asyncio.create_task(engine.run())
        try:
            async with asyncio.timeout(PATIENCE):
                while (row := await store.execution(NAME)) is None or row.completed_at is None:
                    changed.clear()
                    if row is not None and await _answer(store, row, loop.now()):
                        engine.wake()
                    await changed.wait()
            seconds = loop.time() - began
            streams = [await read_stream(store, row, everything=everything) for everything in (True, False)]
            return Ended(row, await journal_of(store, NAME), runner.started, *streams, seconds)
        finally:
            engine.stop()
            await task
            presence.release()
            server.release()

    async def _prepare(self, store: StageStore, journal: Sequence[Entry]) -> None:
        sources = {digest(text): text for text in self.texts.values()}
        now = journal[0].at if journal else EPOCH
        await store.accept(Acceptance(id=NAME, fact=self.accepted(), now=now, sources=sources))
        rest = list(journal[1:])
        while rest:
            # Whoever went on after it had been let go had claimed it again.
            [claim] = await store.claim(DEAD, free=(), limit=1, only=[NAME])
            let_go = (n for n, entry in enumerate(rest, 1) if isinstance(entry.fact, ExecutionReleased))
            upto = next(let_go, len(rest))
            await store.append(claim.ownership, rest[:upto])
            rest = rest[upto:]


async def _answer(store: MemoryStore, row: ExecutionRow, now: int) -> bool:
    """Approve whatever waits for that and has no time limit; False where nothing does."""
    asked = [each for each in row.waiting if each.deadline is None]
    for each in asked:
        data = {"question": each.question, "response": each.choices[0], "comment": "", "by": "somebody"}
        await store.add_intent(row.id, "respond", data, now, question=each.question)
    return bool(asked)


async def read_stream(store: MemoryStore, row: ExecutionRow, *, everything: bool) -> list[int]:
    """The numbers of the frames that a viewer gets who comes late, as the server's feed gives them."""
    feeds = Feeds(store, heartbeat=PATIENCE)
    numbers: list[int] = []
    with feeds.watch(row) as feed:
        position = 0
        while not (feed.finished and position >= feed.head):
            got = await feed.next(position, everything=everything)
            if got is None:
                await feed.changed(asyncio.get_running_loop().create_future())
                continue
            position, frames = got
            numbers += [int(line[4:]) for line in frames.splitlines() if line.startswith(b"id: ")]
    return numbers
