"""What agents were asked, what they and their tools said, and what it cost: a reading of the journal, in one form for all
providers."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from awf.domain.sealing import Sealer
from awf.journal.codec import tag_of
from awf.journal.events import (
    AgentMessage,
    Entry,
    Fact,
    InputRequired,
    StepCompleted,
    StepFailed,
    StepRetrying,
    StepStarted,
)
from awf.journal.messages import Block, TextBlock, ToolResult, ToolUse
from awf.journal.store import Store
from awf.server.rows import moment, or_unset, usage_or_unset
from awf.server.schemas import TranscriptBlock, TranscriptEntry

_FACTS: tuple[type[Fact], ...] = (
    StepStarted,
    AgentMessage,
    InputRequired,
    StepRetrying,
    StepCompleted,
    StepFailed,
)
FACTS = frozenset(map(tag_of, _FACTS))
"""The journal's types that have part in it."""

LARGEST = 2 * 1024 * 1024
"""Bytes of a page after which it ends."""

_NOBODY = Sealer({})
"""Knows no secret: placeholders become what people see of secrets."""


async def read_transcript(
    store: Store, execution: str, after: int, limit: int
) -> tuple[list[TranscriptEntry], int | None]:
    """What of ``limit`` facts after a number of the journal belongs to it, and the number to go on after; None at the
    end. All of one fact comes together."""
    facts = await store.journal(execution, after=after, limit=limit + 1, types=FACTS)
    found: list[TranscriptEntry] = []
    size = 0
    for index, entry in enumerate(facts[:limit]):
        said = transcript_of(entry)
        found += said
        size += len(msgspec.json.encode(said)) if said else 0
        if size >= LARGEST and index + 1 < len(facts):
            return found, entry.seq
    return found, facts[limit - 1].seq if len(facts) > limit else None


def transcript_of(entry: Entry) -> list[TranscriptEntry]:
    """What a fact adds to the transcript."""
    match entry.fact:
        case StepStarted(agent=call, held=None) as fact if call is not None and not fact.asks:
            request = _entry(
                entry,
                fact,
                "request",
                provider=call.provider,
                model=_NOBODY.unseal(str(call.options.get("model") or "")) or UNSET,
                session=call.session or UNSET,
                continue_from=call.continue_from or UNSET,
            )
            texts = {"system": call.system_prompt, "user": call.prompt}
            asked = [
                _entry(entry, fact, "message", role=role, blocks=[TranscriptBlock(type="text", text=text)])
                for role, text in ((role, _NOBODY.unseal(text)) for role, text in texts.items())
                if text
            ]
            return [request, *asked]
        case AgentMessage() as fact:
            return [_entry(entry, fact, "message", role=fact.role, blocks=list(map(_block, fact.blocks)))]
        case InputRequired(turn=turn) as fact if turn is not None:
            return [
                _entry(
                    entry,
                    fact,
                    "result",
                    provider=turn.provider,
                    status="completed",
                    duration_ms=round(turn.duration * 1000),
                    session=turn.session or UNSET,
                    usage=usage_or_unset(turn.usage),
                )
            ]
        case StepCompleted() | StepFailed() | StepRetrying() as fact if fact.provider:
            return [_result(entry, fact)]
        case _:
            return []


def _result(entry: Entry, fact: StepCompleted | StepFailed | StepRetrying) -> TranscriptEntry:
    status = {StepCompleted: "completed", StepFailed: "failed", StepRetrying: "retrying"}[type(fact)]
    return _entry(
        entry,
        fact,
        "result",
        provider=fact.provider,
        status=status,
        error=UNSET if isinstance(fact, StepCompleted) else fact.error,
        exit_code=fact.exit_code,
        duration_ms=UNSET if isinstance(fact, StepRetrying) else round(fact.duration * 1000),
        session=UNSET if isinstance(fact, StepRetrying) else fact.session or UNSET,
        usage=usage_or_unset(fact.usage),
    )


def _entry(
    entry: Entry,
    fact: StepStarted | AgentMessage | InputRequired | StepCompleted | StepFailed | StepRetrying,
    kind: Any,
    **members: Any,
) -> TranscriptEntry:
    return TranscriptEntry(
        seq=entry.seq,
        at=moment(entry.at),
        type=kind,
        step=fact.step,
        step_name=fact.state,
        path=fact.path,
        attempt=fact.attempt,
        **members,
    )


def _block(block: Block) -> TranscriptBlock:
    match block:
        case TextBlock(text=text):
            return TranscriptBlock(type="text", text=text)
        case ToolUse(id=id, name=name, input=given):
            return TranscriptBlock(type="tool_use", id=id, name=name, input=or_unset(given))
        case ToolResult(id=id, output=output, failed=failed):
            return TranscriptBlock(type="tool_result", id=id, output=or_unset(output), failed=failed)
