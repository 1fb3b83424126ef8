"""``/api/workflows``. ``run`` and ``validate`` are reserved as second segments."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get, post
from litestar.params import FromPath
from msgspec import UNSET

from awf.engine.ports import WorkflowFile
from awf.engine.service import Service
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

_SCOPE = """`source` is the name of a pack, or where else to look, and in no other: `local` (the project), `global` (the
user's configuration) or `env` (`AWF_WORKFLOWS_PATH`)."""
_FIRST = ("name", "version", "description", "inputs", "states")


@get("/", operation_id="listWorkflows", summary="List workflows", responses=problems())
async def list_workflows(service: TheService) -> WorkflowsBody:
    files = await service.workflows()
    return WorkflowsBody(WorkflowList([workflow_summary(file) for file in files]))


@get("/{name:str}", operation_id="getWorkflow", summary="Get workflow details", responses=problems(404, 422))
async def get_workflow(name: FromPath[str], service: TheService) -> WorkflowBody:
    return await _details(name, service)


@post(
    "/{name:str}/validate",
    status_code=200,
    operation_id="validateWorkflow",
    summary="Validate workflow",
    responses=problems(404),
)
async def validate_workflow(name: FromPath[str], service: TheService) -> ValidationBody:
    return await _validation(name, service)


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
    return await _run(name, request, service)


@get(
    "/{source:str}/{name:str}",
    operation_id="getScopedWorkflow",
    summary="Get workflow details, of a pack or of one source",
    description=_SCOPE,
    responses=problems(404, 422),
)
async def get_scoped_workflow(
    source: FromPath[str], name: FromPath[str], service: TheService
) -> WorkflowBody:
    return await _details(f"{source}/{name}", service)


@post(
    "/{source:str}/{name:str}/validate",
    status_code=200,
    operation_id="validateScopedWorkflow",
    summary="Validate workflow, of a pack or of one source",
    description=_SCOPE,
    responses=problems(404),
)
async def validate_scoped_workflow(
    source: FromPath[str], name: FromPath[str], service: TheService
) -> ValidationBody:
    return await _validation(f"{source}/{name}", service)


@post(
    "/{source:str}/{name:str}/run",
    status_code=202,
    operation_id="runScopedWorkflow",
    summary="Run workflow, of a pack or of one source",
    description=_SCOPE,
    operation_class=RunOperation,
    responses=problems(404, 422),
)
async def run_scoped_workflow(
    source: FromPath[str], name: FromPath[str], request: Request[Any, Any, Any], service: TheService
) -> AcceptedBody:
    return await _run(f"{source}/{name}", request, service)


async def _details(identifier: str, service: Service) -> WorkflowBody:
    file = await service.workflow(identifier)
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


async def _validation(identifier: str, service: Service) -> ValidationBody:
    linked = await service.linked(await service.workflow(identifier))
    return ValidationBody(
        Validation(
            errors=[str(problem) for problem in linked.errors],
            warnings=[str(problem) for problem in linked.warnings] or UNSET,
        )
    )


async def _run(identifier: str, request: Request[Any, Any, Any], service: Service) -> AcceptedBody:
    wanted = fitted(request, RunRequest)
    try:
        execution = await service.run(identifier, wanted.inputs)
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
    route_handlers=[
        list_workflows,
        get_workflow,
        validate_workflow,
        run_workflow,
        get_scoped_workflow,
        validate_scoped_workflow,
        run_scoped_workflow,
    ],
    tags=["workflows"],
)
