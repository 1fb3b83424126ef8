"""The error tree.

::

    AwfError                        code                              exit  HTTP
    ├── UserError                                                      1    400
    │   ├── RequestInvalid          USER.REQUEST.INVALID               1    400
    │   ├── WorkflowNotFound        USER.FACADE.WORKFLOW_NOT_FOUND     1    404
    │   │   └── PackNotFound        USER.FACADE.PACK_NOT_FOUND         1    404
    │   ├── ExecutionNotFound       USER.FACADE.EXECUTION_NOT_FOUND    1    404
    │   ├── NotResumable            USER.FACADE.NOT_RESUMABLE          1    404
    │   ├── ResumePointInvalid      USER.INPUT.RESUME_POINT            1    422
    │   ├── NotWaiting              USER.FACADE.NOT_WAITING            1    409
    │   ├── AnswerInvalid           USER.INPUT.ANSWER                  1    422
    │   ├── InputsInvalid           USER.INPUT.VALIDATION_FAILED       1    422
    │   └── SettingsInvalid         USER.INPUT.SETTINGS                1    400
    ├── WorkflowError                                                  2    422
    │   ├── PackInvalid             WORKFLOW.PACK.INVALID              2    422
    │   └── WorkflowInvalid         WORKFLOW.VALIDATION.FAILED         2    422
    ├── ExecutionError                                                 3    500
    │   ├── StillRunning            EXECUTION.WAIT.STILL_RUNNING       3    500
    │   ├── ReplayDiverged          EXECUTION.REPLAY.DIVERGED          3    500
    │   └── OwnershipLost           EXECUTION.OWNERSHIP.LOST           3    409
    └── SystemFault                                                    4    500
        ├── StoreUnavailable        SYSTEM.STORE.UNAVAILABLE           4    503
        ├── StoreIncompatible       SYSTEM.STORE.INCOMPATIBLE          4    500
        ├── AddressInUse            SYSTEM.NET.ADDRESS_IN_USE          4    500
        ├── ServerUnreachable       SYSTEM.NET.UNREACHABLE             4    502
        ├── NotAnAwfServer          SYSTEM.NET.NOT_AWF                 4    502
        └── ServerDraining          SYSTEM.SERVER.DRAINING             4    503

The HTTP layer has codes of its own for requests that reach no handler: ``USER.REQUEST.FORBIDDEN`` (403), ``NOT_FOUND``
(404), ``METHOD_NOT_ALLOWED`` (405), ``TOO_LARGE`` (413), ``UNSUPPORTED_MEDIA_TYPE`` (415).

The first level says whose fault it is: the caller's, the workflow file's, the running workflow's, the machine's.
Every class carries a stable ``code``, the exit status of a command that ends with it, the HTTP status of a response that
does, and a ``remedy``: what to try, for people at a terminal, which a single error can say better. ``entries`` holds the single findings where there is more than one thing to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class ErrorEntry(Struct, frozen=True):
    """One finding of an error that has several: where it is (a field, a file position, a header) and what is wrong."""

    location: str
    message: str


class AwfError(Exception):
    """Base of every error that awf raises on purpose; anything else is a bug."""

    code = "SYSTEM.INTERNAL.UNMAPPED"
    exit_status = 4
    http_status = 500
    remedy = ""

    def __init__(
        self, message: str, *, entries: Sequence[ErrorEntry] = (), remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.entries = tuple(entries)
        if remedy is not None:
            self.remedy = remedy


class UserError(AwfError):
    """What the caller asked for cannot be understood or does not exist."""

    code = "USER.REQUEST.INVALID"
    exit_status = 1
    http_status = 400
    remedy = ""


class RequestInvalid(UserError):
    """A request or an argument that cannot be understood."""

    remedy = ""


class WorkflowNotFound(UserError):
    """No workflow of that name in any source."""

    code = "USER.FACADE.WORKFLOW_NOT_FOUND"
    http_status = 404
    remedy = "`awf list` for the workflows that can be named; a file is named by its path"

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(message or f"workflow not found: {name}")
        self.name = name


class PackNotFound(WorkflowNotFound):
    """No pack of that name is installed."""

    code = "USER.FACADE.PACK_NOT_FOUND"
    remedy = "`awf workflow list` for the packs that are installed, or `awf workflow install`"

    def __init__(self, name: str) -> None:
        pack = name.partition("/")[0]
        super().__init__(name, f"workflow not found: {name} (no pack '{pack}' is installed)")


class ExecutionNotFound(UserError):
    """No execution of that id is kept."""

    code = "USER.FACADE.EXECUTION_NOT_FOUND"
    http_status = 404
    remedy = "`awf status` for the latest executions, or another storage directory (`--storage`)"

    def __init__(self, execution: str) -> None:
        super().__init__(f"execution not found: {execution}")
        self.execution = execution


class NotResumable(UserError):
    """The execution is unknown, or not in a state from which it can be resumed."""

    code = "USER.FACADE.NOT_RESUMABLE"
    http_status = 404
    remedy = "`awf resume --list` for what can be resumed: failed and cancelled executions"

    def __init__(self, execution: str) -> None:
        super().__init__(f"execution not found or cannot be resumed: {execution}")
        self.execution = execution


class ResumePointInvalid(UserError):
    """``from_step`` names no step of the execution."""

    code = "USER.INPUT.RESUME_POINT"
    http_status = 422
    remedy = "`awf status EXECUTION` for its steps"


class NotWaiting(UserError):
    """Nothing in the execution waits for a person (any more)."""

    code = "USER.FACADE.NOT_WAITING"
    http_status = 409
    remedy = "`awf status EXECUTION` for what it waits for, if it does"

    def __init__(self, execution: str, more: str = "") -> None:
        super().__init__(f"nothing waits for an answer: {execution}{more}")
        self.execution = execution


class AnswerInvalid(UserError):
    """An answer that is none of the choices, or that does not say which of several questions it is about."""

    code = "USER.INPUT.ANSWER"
    http_status = 422
    remedy = "`awf status EXECUTION` for the question and its choices"


class InputsInvalid(UserError):
    """The inputs of a run do not satisfy what the workflow declares."""

    code = "USER.INPUT.VALIDATION_FAILED"
    http_status = 422
    remedy = "`awf run WORKFLOW --help` for the inputs of a workflow"


class SettingsInvalid(UserError):
    """A setting in the configuration file, the environment or the arguments is not usable."""

    code = "USER.INPUT.SETTINGS"
    remedy = "`awf config show` for the settings that count, and where they come from"


class WorkflowError(AwfError):
    """The workflow file is at fault."""

    code = "WORKFLOW.ERROR"
    exit_status = 2
    http_status = 422
    remedy = "`awf validate` for everything that is wrong with a file"


class PackInvalid(WorkflowError):
    """A pack that cannot be installed."""

    code = "WORKFLOW.PACK.INVALID"
    remedy = "the pack's author, or a corrected copy of it"


class WorkflowInvalid(WorkflowError):
    """A workflow that cannot be loaded or does not validate; ``entries`` holds every error of the file."""

    code = "WORKFLOW.VALIDATION.FAILED"
    remedy = "`awf validate` for everything that is wrong with a file"


class ExecutionError(AwfError):
    """A running workflow is at fault."""

    code = "EXECUTION.ERROR"
    exit_status = 3
    remedy = "`awf status EXECUTION` for the step that failed, `awf resume EXECUTION` to go on from there"


class StillRunning(ExecutionError):
    """An execution is not over within the time that its caller wanted to wait; it goes on."""

    code = "EXECUTION.WAIT.STILL_RUNNING"
    remedy = "`awf status EXECUTION` for how it goes on"


class ReplayDiverged(ExecutionError):
    """A journal does not fit the state it is replayed into: never expected, never ignored."""

    code = "EXECUTION.REPLAY.DIVERGED"
    remedy = "`awf db check` to look for damage, `awf db backup` to keep what there is"


class OwnershipLost(ExecutionError):
    """The execution has another owner by now; whoever gets this must drop it and write nothing more."""

    code = "EXECUTION.OWNERSHIP.LOST"
    http_status = 409
    remedy = "again: another engine goes on with the execution"


class SystemFault(AwfError):
    """The machine is at fault: disk, network, permissions."""

    code = "SYSTEM.ERROR"
    remedy = "to look at the disk, the permissions and the network of this machine"


class GraphvizMissing(SystemFault):
    """Graphviz, which draws SVG, is not installed."""

    remedy = "to install it, or `--type dot` or `--type mermaid`"

    def __init__(self, message: str = "SVG needs Graphviz, whose program `dot` is not on the PATH") -> None:
        super().__init__(message)


class StoreUnavailable(SystemFault):
    """Nothing can be made durable now (disk full, read-only, no permission); trying again later can succeed."""

    code = "SYSTEM.STORE.UNAVAILABLE"
    http_status = 503
    remedy = "to free disk space, and to look at the permissions of the storage directory; then again"


class StoreIncompatible(SystemFault):
    """The store was written by a newer awf, or is not a store."""

    code = "SYSTEM.STORE.INCOMPATIBLE"
    remedy = "the awf that wrote it, or another storage directory (`--storage`)"


class AddressInUse(SystemFault):
    """The address to listen on is taken."""

    code = "SYSTEM.NET.ADDRESS_IN_USE"
    remedy = "another port (`awf serve --port 8080`), or `awf stop` to stop the server that has it"


class ServerUnreachable(SystemFault):
    """No server answers at an address."""

    code = "SYSTEM.NET.UNREACHABLE"
    http_status = 502
    remedy = "`awf serve` there, or another address (`--server`, AWF_SERVER)"


class NotAnAwfServer(SystemFault):
    """Something answers at an address, and it is not a server of awf."""

    code = "SYSTEM.NET.NOT_AWF"
    http_status = 502
    remedy = "another address (`--server`, AWF_SERVER)"


class ServerDraining(SystemFault):
    """The server is shutting down."""

    code = "SYSTEM.SERVER.DRAINING"
    http_status = 503
    remedy = "again in some seconds, when the next server runs"
