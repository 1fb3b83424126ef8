"""A workflow as loaded: frozen, checked, every value with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from msgspec import Struct, field

from awf.domain.expressions import Expression
from awf.domain.problems import Position
from awf.domain.templates import Template

InputType: TypeAlias = Literal["string", "integer", "boolean", "number", "array", "object"]
Strategy: TypeAlias = Literal["all_succeed", "any_succeed", "best_effort"]
OnCrash: TypeAlias = Literal["rerun", "fail", "skip", "ask"]


class Rules(Struct, frozen=True):
    """``validation:`` of an input. None and empty mean: no rule."""

    pattern: str | None = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    file_exists: bool = False
    file_extension: tuple[str, ...] = ()


class Input(Struct, frozen=True):
    """A declared input. ``default`` None means none; a default satisfies ``required``. ``secret`` None: by its name."""

    name: str
    type: InputType
    position: Position
    description: str = ""
    required: bool = False
    default: Any = None
    secret: bool | None = None
    rules: Rules = field(default_factory=Rules)


class Output(Struct, frozen=True):
    """A declared output of a workflow: ``name`` and the value of ``source`` (``states.X.Output``)."""

    name: str
    source: Expression
    position: Position


class Transition(Struct, frozen=True):
    """``when`` None matches always."""

    goto: str
    when: Expression | None
    position: Position


class InlineFailure(Struct, frozen=True):
    """``on_failure: {message, status}``: ends the execution as failed with that exit code."""

    message: Template
    status: int
    position: Position


class Routing(Struct, frozen=True):
    """Where to go after a state, in the order of evaluation: transitions, ``continue_on_error``, then the targets.

    ``on_complete`` is a loop's own name for ``on_success``, ``on_approve`` an approval's; both come before it.
    ``on_reject`` and ``on_timeout`` are those of an approval, and come before ``on_failure``.
    """

    on_success: str | None = None
    on_failure: str | InlineFailure | None = None
    transitions: tuple[Transition, ...] = ()
    continue_on_error: bool = False
    on_complete: str | None = None
    on_approve: str | None = None
    on_reject: str | InlineFailure | None = None
    on_timeout: str | InlineFailure | None = None

    @property
    def after_success(self) -> str | None:
        """Where to go after a success, if it says so."""
        return self.on_complete or self.on_approve or self.on_success

    @property
    def after_failures(self) -> tuple[str | InlineFailure, ...]:
        """What it has for failures of all kinds."""
        return tuple(each for each in (self.on_reject, self.on_timeout, self.on_failure) if each is not None)


class Retry(Struct, frozen=True):
    """Attempt n is followed, after a delay, by attempt n + 1 while n < ``max_attempts`` and the failure is retryable
    (``exit_codes`` empty: any). Delays in seconds; ``maximum`` 0: no cap; ``jitter`` from 0 to 1."""

    max_attempts: int
    initial: float = 0.0
    maximum: float = 0.0
    backoff: Literal["constant", "linear", "exponential"] = "constant"
    multiplier: float = 2.0
    jitter: float = 0.0
    exit_codes: tuple[int, ...] = ()


class HookAction(Struct, frozen=True):
    """One of ``log`` and ``command`` is set. ``escaping`` False: values in the command are code."""

    position: Position
    log: Template | None = None
    command: Template | None = None
    escaping: bool = True


class Hooks(Struct, frozen=True):
    """Actions around a state."""

    pre: tuple[HookAction, ...] = ()
    post: tuple[HookAction, ...] = ()


class WorkflowHooks(Struct, frozen=True):
    """Actions around a workflow."""

    start: tuple[HookAction, ...] = ()
    end: tuple[HookAction, ...] = ()
    error: tuple[HookAction, ...] = ()
    cancel: tuple[HookAction, ...] = ()


class Budget(Struct, frozen=True):
    """What may be spent: tokens, US dollars, seconds; None: any. ``fails``: nobody is asked when it is used up."""

    tokens: int | None = None
    cost: float | None = None
    duration: float | None = None
    fails: bool = False


class Executable(Struct, frozen=True, kw_only=True):
    """What every state that does something has. ``timeout`` in seconds, or a template that renders to a duration; it
    holds for each attempt."""

    name: str
    position: Position
    description: str = ""
    timeout: float | Template | None = None
    routing: Routing = field(default_factory=Routing)
    retry: Retry | None = None
    hooks: Hooks = field(default_factory=Hooks)
    budget: Budget | None = None


class LeafState(Executable, frozen=True, kw_only=True):
    """What every state has that does something itself. ``on_crash``: what becomes of an attempt that was in flight when
    its engine died or was told to stop."""

    on_crash: OnCrash = "rerun"


class StepState(LeafState, frozen=True, kw_only=True):
    """``type: step`` (or ``command``). ``escaping`` False: values in the command are code. ``script``: ``command`` is
    the content of a script file, run as a program where it begins with ``#!``; with ``late`` it is the path of one, known
    and read only when the step starts. ``max_output`` is how many bytes of each stream are kept; None: the usual.
    ``detach``: a running attempt outlives its engine, and the next one takes it over."""

    command: Template
    dir: Template | None = None
    env: Mapping[str, Template] = field(default_factory=dict)
    escaping: bool = True
    script: bool = False
    late: bool = False
    max_output: int | None = None
    detach: bool = False
    kind: ClassVar[str] = "step"


class LoopState(Executable, frozen=True, kw_only=True):
    """What both loops have. ``limit`` None: the language's default; a template is a dynamic limit."""

    body: tuple[str, ...]
    limit: int | Template | None = None
    break_when: Expression | None = None
    kind: ClassVar[str] = "loop"


class ForEachState(LoopState, frozen=True, kw_only=True):
    """``type: for_each``. ``items`` is a template of text, or a list whose strings are templates."""

    items: Template | tuple[Any, ...]
    kind: ClassVar[str] = "for_each"


class WhileState(LoopState, frozen=True, kw_only=True):
    """``type: while``."""

    condition: Expression
    kind: ClassVar[str] = "while"


class ParallelState(Executable, frozen=True, kw_only=True):
    """``type: parallel``. ``max_concurrent`` 0: no limit."""

    branches: tuple[str, ...]
    strategy: Strategy = "all_succeed"
    max_concurrent: int = 0
    kind: ClassVar[str] = "parallel"


class CallState(Executable, frozen=True, kw_only=True):
    """``type: call_workflow``. ``inputs``: strings are templates, other values stay typed. ``outputs`` maps an output of
    the child to the name under which ``Response`` has it."""

    workflow: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    kind: ClassVar[str] = "call_workflow"


class Skill(Struct, frozen=True):
    """A skill's name and its text."""

    position: Position
    name: str
    text: str


class Conversation(Struct, frozen=True):
    """``conversation:`` of an agent: its session is kept; ``continue_from`` names the state whose session goes on."""

    continue_from: str | None = None


class McpProxy(Struct, frozen=True):
    """Tools for an agent: by plugin the operations it may use, and whether its own tools are replaced."""

    intercept_builtins: bool = True
    plugin_tools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class AgentState(LeafState, frozen=True, kw_only=True):
    """``type: agent``. One of ``prompt`` and ``prompt_file`` is set; a prompt file whose path is known at load is read
    then, and is the ``prompt``. ``role`` is the text of a role, or a template of its name or path. Strings in ``options`` are templates, other values stay typed. ``dir`` and ``env`` are those
    of its process. ``mcp_proxy`` None: off."""

    provider: Template
    prompt: Template | None = None
    prompt_file: Template | None = None
    mode: Literal["single", "conversation"] = "single"
    system_prompt: Template | None = None
    role: str | Template = ""
    skills: tuple[Skill, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    dir: Template | None = None
    env: Mapping[str, Template] = field(default_factory=dict)
    output_format: Literal["", "text", "json"] = ""
    conversation: Conversation | None = None
    mcp_proxy: McpProxy | None = None
    kind: ClassVar[str] = "agent"


class OperationState(LeafState, frozen=True, kw_only=True):
    """``type: operation``. ``inputs``: strings are templates, other values stay typed."""

    operation: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    kind: ClassVar[str] = "operation"


class ApprovalState(Executable, frozen=True, kw_only=True):
    """``type: approval``: asks a person; has no process. ``timeout`` is how long it waits for the answer."""

    message: Template
    kind: ClassVar[str] = "approval"


class TerminalState(Struct, frozen=True, kw_only=True):
    """``type: terminal``. ``exit_code`` None: 0 for success, 1 for failure."""

    name: str
    position: Position
    status: Literal["success", "failure"] = "success"
    message: Template | None = None
    exit_code: int | None = None
    description: str = ""
    kind: ClassVar[str] = "terminal"


State: TypeAlias = (
    StepState
    | ForEachState
    | WhileState
    | ParallelState
    | CallState
    | AgentState
    | OperationState
    | ApprovalState
    | TerminalState
)


class Workflow(Struct, frozen=True):
    """``identifier`` is what people call it by (the file stem); ``name`` is the document's own. ``states`` keeps the
    order of the file."""

    identifier: str
    name: str
    file: str
    initial: str
    states: Mapping[str, State]
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    hooks: WorkflowHooks = field(default_factory=WorkflowHooks)
    budget: Budget | None = None
    version: str = ""
    description: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
