"""The client of the HTTP API, for Python programs: ``Client``, and ``AsyncClient`` for asyncio.

::

    from awf.client import Client

    with Client("http://localhost:2511") as client:
        execution = client.run("hello", {"who": "world"})
        for event in client.events(execution):
            print(event.name, event.step or "")
        print(client.execution(execution).status)
"""

from awf.client.asynchronous import AsyncClient
from awf.client.blocking import Client
from awf.client.problems import RemoteError
from awf.client.results import (
    Event,
    Execution,
    ExecutionDetail,
    HistoryEntry,
    Page,
    Statistics,
    Step,
    StepOutput,
    Usage,
    Validation,
    Waiting,
    WorkflowSummary,
)

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "Execution",
    "ExecutionDetail",
    "HistoryEntry",
    "Page",
    "RemoteError",
    "Statistics",
    "Step",
    "StepOutput",
    "Usage",
    "Validation",
    "Waiting",
    "WorkflowSummary",
]
