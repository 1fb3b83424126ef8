"""What an attempt of a step is asked to do, what may hold it back, and what it answers: parts of facts."""

from __future__ import annotations

from typing import Literal

import msgspec

from awf.domain.outcomes import Usage
from awf.journal.fact import Json
from awf.journal.messages import Turn


class ShellCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rendered shell command: values are data, never code.

    ``script`` is what the shell reads; it refers to ``variables`` (name, value) that a quoted preamble sets.
    ``display`` is the command with the values in place, for people; empty where it equals ``script``. ``program``: it is
    a file that says by ``#!`` which program reads it.
    """

    script: str
    variables: tuple[tuple[str, str], ...] = ()
    display: str = ""
    program: bool = False


class OperationCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operation and its rendered inputs, as the workflow gives them; secret values are placeholders. ``display`` is
    for people."""

    name: str
    inputs: dict[str, Json] = {}
    display: str = ""


class AgentTools(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``operations`` that an agent may use as tools, by name. ``exclusive``: it has no others, its own are switched off."""

    operations: tuple[str, ...] = ()
    exclusive: bool = True


class AgentCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent is asked, rendered; secret values are placeholders. ``prompt`` begins with the skills, and
    ``system_prompt`` with the role. ``output_format``: what the answer must be (``json``, or empty).

    ``conversation``: what is said is kept, so that a later step can go on with it. ``continue_from`` is the state with whose
    conversation this one goes on, ``session`` the provider's name of that; empty where it is another provider's.
    ``tools`` are those that it gets through awf (``mcp_proxy``). ``display`` is for people."""

    provider: str
    prompt: str
    system_prompt: str = ""
    options: dict[str, Json] = {}
    output_format: str = ""
    conversation: bool = False
    continue_from: str = ""
    session: str = ""
    tools: AgentTools | None = None
    display: str = ""


class BudgetReached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A budget that is used up. ``level``: ``state``, ``workflow`` or ``server``; ``path`` is that of the state, or of the
    graph (empty: the execution). ``limit`` and ``spent``: tokens, US dollars (``cost``) or seconds (``duration``).
    ``fails``: nobody is asked."""

    level: Literal["state", "workflow", "server"]
    path: str
    measure: Literal["tokens", "cost", "duration"]
    limit: float
    spent: float
    fails: bool = False


class AttemptSpent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an attempt had cost, as far as it is known, when it was cut short together with its engine."""

    step: int
    path: str
    usage: Usage


class SpentBefore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What had been spent of budgets before an execution was resumed: by all of it (``path`` empty), or by a state that is
    entered again. ``seconds`` of work; ``raised``: the limits that people had raised, by level and measure."""

    path: str = ""
    usage: Usage | None = None
    seconds: float = 0.0
    raised: dict[str, float] = {}


class TalkKept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the conversation of an agent with a person had come at ``path`` when its execution ended. It began with
    ``provider`` and ``opening``; ``turns`` have been, and ``prompt`` was what the agent was asked last, in ``session``. ``answers``
    counts those of the agent, ``json`` is the value of the last one; ``asked``: the person had the word."""

    path: str
    provider: str
    opening: str
    prompt: str
    turns: tuple[Turn, ...]
    answers: int
    session: str = ""
    json: Json = None
    asked: bool = False


class AgentTurn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent has answered in a conversation that goes on. Fields as StepCompleted."""

    duration: float = 0.0
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_tail: str = ""
    stderr_tail: str = ""
    output: str = ""
    json: Json = None
    session: str = ""
    usage: Usage | None = None
    provider: str = ""
