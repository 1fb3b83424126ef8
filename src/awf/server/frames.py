"""Journal entries as frames of the event stream. Pure.

From the journal to the wire; ``default`` frames are in every stream, ``all`` frames in those with ``?events=all`` only:

=====================  ===================  =======  ===========================================================
journal                event                stream   data (members in brackets only where they say something)
=====================  ===================  =======  ===========================================================
execution.accepted     execution.accepted   all      workflow_name, status, started_at, inputs [, resumed_from,
                                                     warnings]
execution.started      execution.started    all      status, at
execution.recovered    execution.recovered  all      status, at, orderly
execution.released     execution.released   all      status, at [, waiting_for]
state.entered          state.entered        all      step_name, kind, via, at [, path]
step.reused            step.reused          all      step_name, status, output, started_at, completed_at, attempt,
                                                     exit_code, reused [, output_truncated, path]
step.started           step.started         default  step_name, status, started_at, attempt [, recovered, held,
                                                     warnings, path]
step.adopted           step.adopted         all      step_name, status, attempt, at [, path]
step.output            output               default  step_name, output, stream [, truncated, path]
agent.message          agent.message        all      step_name, role, blocks, attempt, at [, path]
step.completed         step.completed       default  step_name, status, output, completed_at, attempt, exit_code,
                                                     duration_ms [, output_truncated, note, usage, path]
step.failed            step.failed          default  step_name, status, error, completed_at, attempt, exit_code,
                                                     duration_ms [, usage, path]
step.retrying          step.retrying        all      step_name, status, attempt, exit_code, error, delay_ms, at [, path]
input.required         input.required       all      step_name, kind, prompt, choices, at [, deadline, usage, path]
input.received         input.received       all      step_name, response, at [, comment, by, path]
loop.iterated          loop.iterated        all      path, index, at
block.ending           block.ending         all      path, failed, exit_code, at [, error]
hook.started           hook.started         all      path, hook, index, at [, warnings]
hook.finished          hook.finished        all      path, hook, index, exit_code, at [, error, message]
workflow.closing       workflow.closing     all      path, status, exit_code, at [, state, error, message]
cancel.requested       cancel.requested     all      at
execution.completed    workflow.completed   default  workflow_name, status, completed_at, exit_code, duration_ms
                                                     [, message]
execution.failed       workflow.failed      default  workflow_name, status, error, completed_at, exit_code,
                                                     duration_ms [, state]
execution.cancelled    workflow.failed      default  workflow_name, status (``cancelled``), error (``cancelled``),
                                                     completed_at, duration_ms
=====================  ===================  =======  ===========================================================

Every frame has the entry's sequence number as its ``id:``. The final entry is the last of its journal, so that the one
``workflow.*`` frame is the last of the stream. ``path`` is there for steps inside loops, parallel blocks and
sub-workflows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from awf.journal.codec import type_of
from awf.journal.events import (
    AgentMessage,
    AnyFact,
    BlockKept,
    Entry,
    ExecutionAccepted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    HookStarted,
    InputReceived,
    InputRequired,
    StateEntered,
    StepAdopted,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepRetrying,
    StepReused,
    StepStarted,
)
from awf.journal.messages import Block, ToolUse
from awf.journal.store import StepText
from awf.server.rows import moment, usage_or_unset

PING = b": ping\n\n"

_DEFAULT = (
    StepStarted,
    StepOutput,
    StepCompleted,
    StepFailed,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionCancelled,
)
_ENCODER = msgspec.json.Encoder()


class Subject(Struct, frozen=True):
    """The execution that the frames are about. ``started_at`` in microseconds since the epoch."""

    execution: str
    workflow: str
    started_at: int


def in_default_stream(fact: AnyFact) -> bool:
    """Whether a stream without ``?events=all`` has a frame for it."""
    return isinstance(fact, _DEFAULT)


def output_wanted(fact: AnyFact) -> int | None:
    """The number of the step whose output the fact's frame shows, if it shows one and there is any."""
    if isinstance(fact, StepReused) or (
        isinstance(fact, StepCompleted) and (fact.stdout_bytes or fact.output)
    ):
        return fact.step
    return None


def frame(entry: Entry, subject: Subject, output: StepText | None = None) -> bytes:
    """The frame of an entry; ``output`` as :func:`output_wanted` asks for it."""
    name, data = event(entry, subject, output)
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name.encode(), entry.seq, _ENCODER.encode(data))


def event(entry: Entry, subject: Subject, output: StepText | None) -> tuple[str, dict[str, Any]]:
    """The name of an entry's frame and its data; ``output`` as :func:`output_wanted` asks for it."""
    at = moment(entry.at)
    match entry.fact:
        case StepStarted() as fact:
            return "step.started", {
                "step_name": fact.state,
                "status": "running",
                "started_at": at,
                "attempt": fact.attempt,
                **({"recovered": True} if fact.recovered else {}),
                **({"held": True} if fact.held is not None or fact.asks else {}),
                **({"warnings": fact.warnings} if fact.warnings else {}),
                **_place(fact),
            }
        case StepOutput() as fact:
            return "output", {
                "step_name": fact.state,
                "output": fact.text,
                "stream": fact.stream,
                **({"truncated": True} if fact.truncated else {}),
                **_place(fact),
            }
        case StepCompleted() as fact:
            ended = {"output": output.text if output else "", **_ended(fact, at), **_cut(output)}
            if fact.note:
                ended["note"] = fact.note
            return "step.completed", {"step_name": fact.state, "status": "completed", **ended, **_place(fact)}
        case StepFailed() as fact:
            ended = {"error": fact.error, **_ended(fact, at)}
            return "step.failed", {"step_name": fact.state, "status": "failed", **ended, **_place(fact)}
        case ExecutionCompleted() | ExecutionFailed() | ExecutionCancelled():
            return _final(entry, subject)
        case _:
            return _behind_the_scenes(entry, subject, output)


def _final(entry: Entry, subject: Subject) -> tuple[str, dict[str, Any]]:
    took = (entry.at - subject.started_at) // 1000
    ended: dict[str, Any] = {"completed_at": moment(entry.at), "duration_ms": took}
    who = {"workflow_name": subject.workflow}
    match entry.fact:
        case ExecutionCompleted(exit_code=code, message=message):
            said = {"message": message} if message else {}
            return "workflow.completed", {**who, "status": "completed", **ended, "exit_code": code, **said}
        case ExecutionFailed(error=error, exit_code=code, state=state):
            place = {"state": state} if state else {}
            failed = {"status": "failed", "error": error, **ended, "exit_code": code}
            return "workflow.failed", {**who, **failed, **place}
        case _:
            return "workflow.failed", {**who, "status": "cancelled", "error": "cancelled", **ended}


def _behind_the_scenes(entry: Entry, subject: Subject, output: StepText | None) -> tuple[str, dict[str, Any]]:
    at = moment(entry.at)
    name = type_of(entry.fact)
    match entry.fact:
        case ExecutionAccepted() | ExecutionStarted() | ExecutionRecovered() | ExecutionReleased() as fact:
            return name, _life(fact, at, subject)
        case InputRequired() | InputReceived() as fact:
            return name, _input(fact, at)
        case StepReused() as fact:
            return name, _reused(fact, output)
        case StateEntered() | StepRetrying() | StepAdopted() | AgentMessage() as fact:
            return name, {"step_name": fact.state, **_passed(fact), "at": at, **_place(fact)}
        case BlockKept() as fact:
            place = {} if fact.index < 0 else {"index": fact.index}
            return name, {"path": fact.path, "kind": fact.kind, "enter": fact.enter, "at": at, **place}
        case HookStarted() as fact:
            warned = {"warnings": fact.warnings} if fact.warnings else {}
            return name, {"path": fact.path, "hook": fact.hook, "index": fact.index, "at": at, **warned}
        case fact:
            fields = {
                key: value for key, value in msgspec.structs.asdict(fact).items() if value not in ("", None)
            }
            return name, {**fields, "at": at}


def _life(
    fact: ExecutionAccepted | ExecutionStarted | ExecutionRecovered | ExecutionReleased,
    at: datetime,
    subject: Subject,
) -> dict[str, Any]:
    """What an execution as a whole goes through before its end."""
    match fact:
        case ExecutionAccepted():
            return {
                "workflow_name": subject.workflow,
                "status": "pending",
                "started_at": at,
                "inputs": fact.inputs,
                **({"resumed_from": fact.resumed.execution} if fact.resumed else {}),
                **({"warnings": fact.warnings} if fact.warnings else {}),
            }
        case ExecutionStarted():
            return {"status": "running", "at": at}
        case ExecutionRecovered(orderly=orderly):
            return {"status": "running", "at": at, "orderly": orderly}
        case ExecutionReleased(parked=True):
            return {"status": "running", "at": at, "waiting_for": "person"}
        case ExecutionReleased():
            return {"status": "pending", "at": at}


def _passed(fact: StateEntered | StepRetrying | StepAdopted | AgentMessage) -> dict[str, Any]:
    """What happens to a step between its start and its end."""
    match fact:
        case StateEntered():
            return {"kind": fact.kind, "via": fact.via}
        case StepRetrying():
            return {
                "status": "retrying",
                "attempt": fact.attempt,
                "exit_code": fact.exit_code,
                "error": fact.error,
                "delay_ms": round(fact.delay * 1000),
            }
        case StepAdopted():
            return {"status": "running", "attempt": fact.attempt}
        case AgentMessage():
            return {
                "role": fact.role,
                "blocks": [_for_people(each) for each in fact.blocks],
                "attempt": fact.attempt,
            }


def _for_people(block: Block) -> Block:
    """A part of a message without what only a service wants to be told again."""
    return msgspec.structs.replace(block, more={}) if isinstance(block, ToolUse) else block


def _reused(fact: StepReused, output: StepText | None) -> dict[str, Any]:
    return {
        "step_name": fact.state,
        "status": fact.status,
        "output": output.text if output else "",
        "started_at": moment(fact.started_at),
        "completed_at": moment(fact.completed_at),
        "attempt": fact.attempt,
        "exit_code": fact.exit_code,
        "reused": True,
        **_cut(output),
        **_place(fact),
    }


def _input(fact: InputRequired | InputReceived, at: datetime) -> dict[str, Any]:
    said: dict[str, Any]
    if isinstance(fact, InputReceived):
        about = {"comment": fact.comment, "by": fact.by}
        said = {"response": fact.response, "at": at, **{name: text for name, text in about.items() if text}}
    else:
        limit = {} if fact.deadline is None else {"deadline": moment(fact.deadline)}
        usage = fact.turn.usage if fact.turn is not None else None
        cost = {} if usage is None else {"usage": usage_or_unset(usage)}
        said = {"kind": fact.kind, "prompt": fact.prompt, "choices": fact.choices, "at": at, **limit, **cost}
    return {"step_name": fact.state, **said, **_place(fact)}


def _place(
    fact: StepStarted
    | StepAdopted
    | StepOutput
    | AgentMessage
    | StepCompleted
    | StepFailed
    | StepReused
    | StepRetrying
    | StateEntered
    | InputRequired
    | InputReceived,
) -> dict[str, Any]:
    return {"path": fact.path} if fact.path != fact.state else {}


def _ended(fact: StepCompleted | StepFailed, at: datetime) -> dict[str, Any]:
    return {
        "completed_at": at,
        "attempt": fact.attempt,
        "exit_code": fact.exit_code,
        "duration_ms": round(fact.duration * 1000),
        **({} if fact.usage is None else {"usage": usage_or_unset(fact.usage)}),
    }


def _cut(output: StepText | None) -> dict[str, Any]:
    return {"output_truncated": True} if output and output.omitted else {}
