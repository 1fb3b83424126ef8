"""What blocks and their children say to each other, and what every kind of state provides to the flow. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from awf.engine.state import Activity
from awf.journal.events import StepStarted, WorkflowClosing

if TYPE_CHECKING:
    from awf.engine.flow import Flow


class Verdict(Struct, frozen=True):
    """What a child that has ended means for its parent: go to ``target``, else go on (``failed`` false), else fail with
    ``error`` and ``exit_code``. ``via`` names the rule. ``final``: an inline failure, which ends the whole graph."""

    target: str = ""
    via: str = ""
    failed: bool = False
    error: str = ""
    exit_code: int = 0
    final: bool = False


class Ending(Struct, frozen=True):
    """How a block ended. ``permanent``: ``retry`` does not apply."""

    failed: bool = False
    error: str = ""
    exit_code: int = 0
    output: str = ""
    response: Any = None
    goto: str = ""
    note: str = ""
    permanent: bool = False


class Leaf(Protocol):
    """How the start of a kind of state is rendered."""

    def plan(self, flow: Flow, activity: Activity, state: Any, fact: StepStarted) -> StepStarted:
        """Complete the fact that starts it. Raises CannotStart."""
        ...


class Processless(Leaf, Protocol):
    """What a kind of state does that has no process."""

    def proceed(self, flow: Flow, activity: Activity, state: Any) -> None:
        """Go on from wherever the journal ends: begin, or do what is missing."""
        ...


class Block(Processless, Protocol):
    """What a kind of state that holds others does."""

    def child_left(
        self, flow: Flow, activity: Activity, state: Any, child: Activity, verdict: Verdict
    ) -> None:
        """A child has ended and been routed."""
        ...

    def outcome(self, flow: Flow, activity: Activity, closing: WorkflowClosing | None = None) -> Ending:
        """How it ends by what is in it; ``closing`` is the outcome of a sub-workflow's graph."""
        ...
