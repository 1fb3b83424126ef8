"""How an attempt of a step ended, as values: runners return them, ``decide`` turns them into facts."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct, field

KILLED = frozenset({129, 130, 137, 143})
"""Exit codes of deaths by SIGHUP, SIGINT, SIGKILL, SIGTERM: what a reboot or a service manager does to steps and engine
at the same moment."""


class Written(Struct, frozen=True):
    """What an attempt wrote in all: byte counts per stream, and the kept ends of streams longer than what is
    recorded as it comes (empty otherwise)."""

    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_tail: str = ""
    stderr_tail: str = ""


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that a step cost. ``cached``: those of ``input`` that a cache had. ``estimated``: nobody counted, the
    numbers come from the lengths of the texts. ``cost`` in US dollars, where the provider said it."""

    input: int = 0
    output: int = 0
    cached: int = 0
    estimated: bool = False
    cost: float | None = None

    @property
    def total(self) -> int:
        """All tokens."""
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        """What both cost together."""
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            estimated=self.estimated or other.estimated,
            cost=sum(costs) if costs else None,
        )


class Price(Struct, frozen=True, kw_only=True):
    """What a model costs: US dollars for a million tokens. ``cached``: of ``input`` that a cache had."""

    input: float
    output: float
    cached: float

    def of(self, usage: Usage) -> float:
        """The cost of so many tokens."""
        fresh = max(0, usage.input - usage.cached)
        spent = fresh * self.input + usage.cached * self.cached + usage.output * self.output
        return spent / 1_000_000


class Product(Struct, frozen=True, kw_only=True):
    """What a step made besides what it wrote: ``output`` (``states.X.Output``), ``response`` (``states.X.Response``), and
    of agents the value that the answer had to be, the session to go on with, and what it cost."""

    output: str = ""
    response: Any = None
    json: Any = None
    session: str = ""
    usage: Usage | None = None


class Succeeded(Struct, frozen=True):
    """``duration`` in seconds, monotonic. ``product``: of steps that are more than a process."""

    exit_code: int = 0
    duration: float = 0.0
    written: Written = field(default_factory=Written)
    product: Product | None = None


class Failed(Struct, frozen=True):
    """``error`` is the text that people and templates see. Exit codes: the process's own, 128+n for death by signal
    n, 124 for a timeout, 126/127 for a command that cannot start. ``product``: what is known of a result all the same.
    ``retry_after``: seconds that a next attempt has to wait at least. ``permanent``: another attempt would fail like this
    one, so ``retry`` does not apply. ``held``: a budget was used up in the middle, and the next attempt goes on from there.
    ``no_session``: the agent's session is gone, and the next attempt begins another, with what was said before."""

    error: str
    exit_code: int = 1
    duration: float = 0.0
    written: Written = field(default_factory=Written)
    product: Product | None = None
    retry_after: float | None = None
    permanent: bool = False
    held: bool = False
    no_session: bool = False


class Cancelled(Struct, frozen=True):
    """Ended because it was asked to end; its processes are gone. ``product``: what is known of a result all the same."""

    exit_code: int = 143
    duration: float = 0.0
    written: Written = field(default_factory=Written)
    product: Product | None = None


Outcome: TypeAlias = Succeeded | Failed | Cancelled
