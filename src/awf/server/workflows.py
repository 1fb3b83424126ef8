"""``/api/workflows``."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get, post
from litestar.params import FromPath
from msgspec import UNSET

from awf.engine.ports import WorkflowFile
from awf.errors import AwfError, ErrorEntry, WorkflowInvalid
from awf.server.answers import RunOperation, problems
from awf.server.bodies import fitted
from awf.server.injected import TheService
from awf.server.rows import is_loadable, workflow_summary
from awf.server.schemas import (
    Accepted,
    AcceptedBody,
    RunRequest,
    Validation,
    ValidationBody,
    WorkflowBody,
    WorkflowList,
    WorkflowsBody,
)

_FIRST = ("name", "version", "description", "inputs", "states")


@get("/", operation_id="listWorkflows", summary="List workflows", responses=problems())
async def list_workflows(service: TheService) -> WorkflowsBody:
    files = await service.workflows()
    return WorkflowsBody(WorkflowList([workflow_summary(file) for file in files]))


@get("/{name:str}", operation_id="getWorkflow", summary="Get workflow details", responses=problems(404, 422))
async def get_workflow(name: FromPath[str], service: TheService) -> WorkflowBody:
    file = await service.workflow(name)
    document = file.loaded.document
    if document is None or not is_loadable(file):
        raise _unloadable(file)
    known = {
        "name": file.identifier,
        "version": "",
        "description": "",
        "inputs": [],
        "states": {},
        **document,
    }
    return WorkflowBody({**{key: known[key] for key in _FIRST}, **known})


@post(
    "/{name:str}/validate",
    status_code=200,
    operation_id="validateWorkflow",
    summary="Validate workflow",
    responses=problems(404),
)
async def validate_workflow(name: FromPath[str], service: TheService) -> ValidationBody:
    loaded = (await service.workflow(name)).loaded
    return ValidationBody(
        Validation(
            errors=[str(problem) for problem in loaded.errors],
            warnings=[str(problem) for problem in loaded.warnings] or UNSET,
        )
    )


@post(
    "/{name:str}/run",
    status_code=202,
    operation_id="runWorkflow",
    summary="Run workflow",
    operation_class=RunOperation,
    responses=problems(404, 422),
)
async def run_workflow(
    name: FromPath[str], request: Request[Any, Any, Any], service: TheService
) -> AcceptedBody:
    wanted = fitted(request, RunRequest)
    try:
        execution = await service.run(name, wanted.inputs)
    except AwfError as error:
        if error.http_status == 422:
            error.message = f"failed to start execution: {error.message}"
        raise
    return AcceptedBody(Accepted(execution))


def _unloadable(file: WorkflowFile) -> WorkflowInvalid:
    errors = file.loaded.errors
    entries = [ErrorEntry(str(problem.position), problem.message) for problem in errors]
    text = "; ".join(str(problem) for problem in errors)
    return WorkflowInvalid(f"workflow '{file.identifier}' cannot be loaded: {text}", entries=entries)


workflows = Router(
    "/api/workflows",
    route_handlers=[list_workflows, get_workflow, validate_workflow, run_workflow],
    tags=["workflows"],
)
