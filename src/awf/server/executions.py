"""``/api/executions``, without the event stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath

from awf.engine.service import Service
from awf.errors import ExecutionNotFound, NotResumable
from awf.journal.store import ExecutionFilter, StepRow
from awf.server import queries
from awf.server.answers import RespondOperation, ResumeOperation, problems
from awf.server.bodies import fitted
from awf.server.events import stream_events
from awf.server.injected import TheService
from awf.server.problems import Refused
from awf.server.rows import execution_detail, execution_summary, step_summary
from awf.server.schemas import (
    Accepted,
    AcceptedBody,
    ExecutionBody,
    ExecutionList,
    ExecutionsBody,
    RespondRequest,
    ResumeRequest,
    Step,
    StepList,
    StepOutput,
    StepOutputBody,
    StepsBody,
    TranscriptBody,
    TranscriptPage,
)
from awf.server.transcript import read_transcript

STEPS = 100
"""Steps in one answer."""
OUTPUT = 64 * 1024
"""Bytes of a step's output in an answer that has other things to say."""

_MAX_STEP = 2**31


@get("/", operation_id="listExecutions", summary="List executions", responses=problems())
async def list_executions(
    request: Request[Any, Any, Any],
    service: TheService,
    workflow: queries.WorkflowName = None,
    status: queries.Status = None,
    limit: queries.Limit = None,
    cursor: queries.Cursor = None,
) -> Response[ExecutionsBody]:
    wanted = queries.limit(limit)
    rows = await service.executions(
        ExecutionFilter(
            workflow=workflow,
            status=queries.status(status),
            before=queries.cursor(cursor),
            limit=wanted + 1,
        )
    )
    headers = queries.next_page(request, rows[wanted - 1].order) if len(rows) > wanted else {}
    shown = [execution_summary(row) for row in rows[:wanted]]
    return Response(ExecutionsBody(ExecutionList(shown)), headers=headers)


@get("/{id:str}", operation_id="getExecution", summary="Get execution details", responses=problems(404))
async def get_execution(id: FromPath[str], service: TheService) -> ExecutionBody:
    execution = queries.execution_id(id)
    row, steps = await asyncio.gather(
        service.execution(execution), service.store.steps(execution, limit=STEPS, latest=True)
    )
    return ExecutionBody(execution_detail(row, await _with_outputs(service, id, steps)))


@delete("/{id:str}", operation_id="cancelExecution", summary="Cancel execution", responses=problems())
async def cancel_execution(id: FromPath[str], service: TheService) -> None:
    if queries.is_execution_id(id):
        await service.cancel(id)


@post(
    "/{id:str}/resume",
    status_code=200,
    operation_id="resumeExecution",
    summary="Resume failed execution",
    operation_class=ResumeOperation,
    responses=problems(404, 422),
)
async def resume_execution(
    id: FromPath[str], request: Request[Any, Any, Any], service: TheService
) -> AcceptedBody:
    wanted = fitted(request, ResumeRequest)
    if not queries.is_execution_id(id):
        raise NotResumable(id)
    execution = await service.resume(
        id,
        from_step=wanted.from_step,
        overrides=wanted.input_overrides,
        latest=wanted.definition == "latest",
    )
    return AcceptedBody(Accepted(execution))


@post(
    "/{id:str}/respond",
    status_code=204,
    operation_id="respondToExecution",
    summary="Answer a step that waits for a person",
    operation_class=RespondOperation,
    responses=problems(404, 409, 422),
)
async def respond_to_execution(
    id: FromPath[str], request: Request[Any, Any, Any], service: TheService
) -> None:
    answer = fitted(request, RespondRequest)
    if not queries.is_execution_id(id):
        raise ExecutionNotFound(id)
    await service.respond(id, answer.response, comment=answer.comment, by=answer.by, path=answer.path)


@get("/{id:str}/steps", operation_id="listSteps", summary="List all steps", responses=problems(404))
async def list_steps(
    id: FromPath[str], request: Request[Any, Any, Any], service: TheService, cursor: queries.Cursor = None
) -> Response[StepsBody]:
    after = queries.cursor(cursor) or 0
    await service.execution(queries.execution_id(id))
    rows = await service.store.steps(id, after=after, limit=STEPS + 1)
    headers = queries.next_page(request, rows[STEPS - 1].step) if len(rows) > STEPS else {}
    steps = await _with_outputs(service, id, rows[:STEPS])
    return Response(StepsBody(StepList(steps)), headers=headers)


@get(
    "/{id:str}/steps/{n:int}/output",
    operation_id="getStepOutput",
    summary="Get the whole output of a step",
    responses=problems(404),
)
async def get_step_output(
    id: FromPath[str], n: FromPath[int], service: TheService, stream: queries.StreamName = None
) -> StepOutputBody:
    name = queries.stream_name(stream)
    await service.execution(queries.execution_id(id))
    text = await service.store.step_text(id, n, name) if 0 < n < _MAX_STEP else None
    if text is None:
        raise Refused(404, f"step not found: {n} of execution {id}")
    return StepOutputBody(StepOutput(number=n, stream=name, output=text.text, omitted_bytes=text.omitted))


@get(
    "/{id:str}/transcript",
    operation_id="getTranscript",
    summary="Get what agents were asked and what was said",
    responses=problems(404),
)
async def get_transcript(
    id: FromPath[str],
    request: Request[Any, Any, Any],
    service: TheService,
    limit: queries.Limit = None,
    cursor: queries.Cursor = None,
) -> Response[TranscriptBody]:
    wanted, after = queries.limit(limit), queries.cursor(cursor) or 0
    await service.execution(queries.execution_id(id))
    found, following = await read_transcript(service.store, id, after, wanted)
    headers = {} if following is None else queries.next_page(request, following)
    return Response(TranscriptBody(TranscriptPage(found)), headers=headers)


async def _with_outputs(service: Service, execution: str, rows: Sequence[StepRow]) -> list[Step]:
    texts = await asyncio.gather(
        *(service.store.step_text(execution, row.step, "stdout", limit=OUTPUT) for row in rows)
    )
    return [step_summary(row, text) for row, text in zip(rows, texts, strict=True)]


executions = Router(
    "/api/executions",
    route_handlers=[
        list_executions,
        get_execution,
        cancel_execution,
        resume_execution,
        respond_to_execution,
        stream_events,
        list_steps,
        get_step_output,
        get_transcript,
    ],
    tags=["executions"],
)
