"""What can happen to an execution from the outside; ``decide`` answers each with facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from msgspec import Struct, field

from awf.domain.outcomes import Outcome, Price, Usage
from awf.domain.workflow import Budget
from awf.journal.events import BlockKept, SpentBefore, StepReused, Stream, TalkKept
from awf.journal.messages import Block, Role


def _nowhere(_: str) -> bool:
    return False


def _no_file(path: str) -> str:
    raise FileNotFoundError(2, "no such file", path)


def _nobody(_place: str, _file: str) -> Collection[str]:
    return ()


class World(Struct, frozen=True):
    """What a decision may know besides the execution: the time (microseconds since the epoch), the engine's name, the
    process environment and the machine, the limits in force, a random number from 0 to 1, the agents' providers that are
    processes and can outlive the engine (``tools``), what every execution may spend (``budget``), the ``prices`` of models
    (or providers) by name, and the files that templates ask for (``read_file`` takes an absolute path; raises OSError,
    ValueError; ``holders`` gives the names of the directories in a place that have a file of a name). Deciding reads nothing
    else; what it computed from this is in the facts."""

    now: int
    engine: str
    environ: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    hostname: str = ""
    max_transitions: int = 10_000
    chance: float = 0.5
    tools: Collection[str] = ()
    budget: Budget | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    file_exists: Callable[[str], bool] = _nowhere
    read_file: Callable[[str], str] = _no_file
    holders: Callable[[str, str], Collection[str]] = _nobody


class Continue(Struct, frozen=True):
    """An owner took the execution (first, or after another): begin, or go on from wherever the journal ends.

    ``prelude``: what is to be taken over if the execution resumes another; ``before``: what that had spent,
    ``talk``: the conversation in the middle of which it goes on. ``adoptable``: the ids of attempts in flight
    that go on without their engine, or have left how they ended. ``spent``: what others in flight, by path, had cost.
    ``passed``: what time it is at least, for one that only waited: nobody looked after it while the clock may have been set
    back.
    """

    prelude: tuple[BlockKept | StepReused, ...] = ()
    adoptable: frozenset[str] = frozenset()
    spent: Mapping[str, Usage] = field(default_factory=dict)
    passed: int = 0
    before: tuple[SpentBefore, ...] = ()
    talk: TalkKept | None = None


class OutputArrived(Struct, frozen=True):
    """A running step wrote something (at most 16 KiB of text)."""

    path: str
    stream: Stream
    text: str
    truncated: bool = False


class MessageArrived(Struct, frozen=True):
    """A running agent, or one of its tools, said something."""

    path: str
    role: Role
    blocks: tuple[Block, ...]


class StepFinished(Struct, frozen=True):
    """The attempt at ``path`` ended. ``hold``: record it, but start nothing more; the engine is leaving."""

    path: str
    outcome: Outcome
    hold: bool = False


class HookEnded(Struct, frozen=True):
    """The command of the hook in flight at ``path`` ended; ``output`` is the end of what it wrote."""

    path: str
    outcome: Outcome
    output: str = ""


class TimerFired(Struct, frozen=True):
    """The wait of the activity at ``path`` is over: the delay before its next attempt, a block's time limit, or the time
    in which a person could answer. ``step`` and ``attempt`` are those for which the timer was set."""

    path: str
    step: int
    attempt: int


class LimitDue(Struct, frozen=True):
    """So much time has passed that a step that runs may have gone over a budget of time about which people are asked."""


class Respond(Struct, frozen=True):
    """A person answered the ``input.required`` whose sequence number is ``question``; ``by`` is who they say they are.
    Ignored where nothing waits for it any more."""

    question: int
    response: str
    comment: str = ""
    by: str = ""


class Idle(Struct, frozen=True):
    """Nothing else is to be decided now: where only people can move the execution on, it is let go."""


class Cancel(Struct, frozen=True):
    """Somebody asked for the execution to end."""


class Leave(Struct, frozen=True):
    """The engine finishes what it runs: the execution is let go as soon as nothing but detached steps is running."""


class Release(Struct, frozen=True):
    """The engine leaves in order; the execution waits for another. ``spent``: what the attempts that it has ended, by path,
    had cost."""

    spent: Mapping[str, Usage] = field(default_factory=dict)


Stimulus: TypeAlias = (
    Continue
    | OutputArrived
    | MessageArrived
    | StepFinished
    | HookEnded
    | TimerFired
    | LimitDue
    | Respond
    | Idle
    | Cancel
    | Leave
    | Release
)
