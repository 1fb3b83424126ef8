"""What a provider of agents is to the runner. Third parties implement this too.

A provider turns a :class:`Request` into an :class:`Answer`, saying on the way what happens. There are two kinds: a
:class:`CommandLineProvider` says how its tool is started and reads what the tool writes; the runner starts the process,
so that cancelling, time limits and taking over after a crash are the same for all. A :class:`RemoteProvider` asks a
service itself. Both are made once and used many times, also at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct, field

from awf.domain.outcomes import Usage
from awf.engine.ports import Afford, unlimited
from awf.journal.messages import Block, Message, Role, TextBlock, ToolResult, ToolUse, Turn
from awf.runners.mcp.server import Tools

__all__ = [
    "Answer",
    "Block",
    "BudgetUsedUp",
    "CommandLineProvider",
    "Event",
    "Invocation",
    "McpServer",
    "Message",
    "Parser",
    "Provider",
    "ProviderFailed",
    "RemoteProvider",
    "Request",
    "Role",
    "Spent",
    "Text",
    "TextBlock",
    "ToolResult",
    "ToolUse",
    "Tools",
    "Turn",
    "Usage",
]


class ProviderFailed(Exception):
    """No answer; the text is the step's error, without the provider's name. ``exit_code`` is the step's. ``retry_after``:
    seconds after which the service wants to be asked again. ``usage``: what it has cost all the same. ``permanent``: to ask
    again is of no use (the key is wrong, say), so that the step's ``retry`` does not apply."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: int = 1,
        retry_after: float | None = None,
        usage: Usage | None = None,
        permanent: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.retry_after = retry_after
        self.usage = usage
        self.permanent = permanent


class BudgetUsedUp(ProviderFailed):
    """``Request.afford`` says that the request must not go on. Raised between two rounds: the next attempt goes on with what was
    called."""


class McpServer(Struct, frozen=True, kw_only=True):
    """An MCP server that the agent's tool is to start and to speak to by standard input and output. The agent may use its
    tools without asking. ``env``: variables that it gets besides its environment. ``directory`` is the attempt's own,
    where the files of the Invocation are. ``tools`` are the names of those that it has. ``exclusive``: the agent has no others,
    and no other servers."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    directory: str
    exclusive: bool
    tools: tuple[str, ...] = ()
    name: str = "awf"


class Request(Struct, frozen=True, kw_only=True):
    """What an agent is asked. ``options`` are the state's, rendered (``model`` among them). ``session``: the provider's own
    name of a conversation to go on with; empty: a new one. ``turns``: what was said in it, for providers that keep none
    (``system_prompt`` is this request's, and holds for all of it). Without ``session`` and ``turns`` it begins here.
    ``environ`` is the environment of the attempt, ``working_dir`` its directory. Where a state has an ``mcp_proxy``: ``mcp`` is
    where a command-line tool gets its tools from, and ``tools`` are those of an agent behind a service; ``called``: what
    earlier attempts have called of them since the prompt, and what that gave; ``afford``: may this one go on, having cost so
    much by now?"""

    prompt: str
    system_prompt: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    session: str = ""
    turns: Sequence[Turn] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    mcp: McpServer | None = None
    tools: Tools | None = None
    called: Sequence[Message] = ()
    afford: Afford = unlimited

    @property
    def model(self) -> str:
        """The model that is asked for; empty: the provider's own choice."""
        return str(self.options.get("model") or "")


class Text(Struct, frozen=True):
    """A piece of the answer, as it comes. All pieces together are what people watch."""

    text: str


class Spent(Struct, frozen=True):
    """What the request has cost so far, all of it. It counts where the request does not come to its end."""

    usage: Usage


Event: TypeAlias = Text | Message | Spent


class Answer(Struct, frozen=True, kw_only=True):
    """The end of a request that went well. ``usage`` None: nobody counted. ``cost``: US dollars, where the provider says
    it."""

    text: str
    session: str = ""
    usage: Usage | None = None
    cost: float | None = None


class Invocation(Struct, frozen=True, kw_only=True):
    """How a tool is started: the program and its arguments, what it reads from standard input (None: nothing), and
    variables that it gets besides its environment. Prompts over 64 KiB never go into ``argv``. ``files``: what is written for
    it, by name, into the directory of ``Request.mcp``, for nobody but us; ``links``: what links there lead to, by name. Names
    may have directories. All that is gone when the attempt is over; what links lead to is not."""

    argv: tuple[str, ...]
    stdin: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


class Parser(Protocol):
    """Reads what one run of a tool writes to standard output, line by line. What it returns follows from the lines
    alone, so that reading them again from the beginning gives the same."""

    def feed(self, line: str) -> Sequence[Event]:
        """One line, without its end. Never raises: what is no event of the tool is kept as plain text."""
        ...

    def finish(self, exit_code: int, stderr: str) -> Answer:
        """The tool has ended. Raises ProviderFailed, with what the tool said."""
        ...


class CommandLineProvider(Protocol):
    """An agent behind a command-line tool. One that heeds ``Request.mcp`` says so with ``uses_mcp = True``; the others are
    not asked where a state has an ``mcp_proxy``. ``no_session``, where it has one, is what its tool says of a session that it does not
    have (any more): the request is then made again without it, with the ``turns``."""

    name: str
    """As in ``provider:``."""

    program: str
    """The tool's executable."""

    install: str
    """How to get it, for people: a command."""

    def check(self, request: Request) -> list[str]:
        """Everything that is wrong with the model and the options of a request."""
        ...

    def invocation(self, request: Request) -> Invocation:
        """How to start the tool for a request that has been checked."""
        ...

    def parser(self, request: Request) -> Parser:
        """A reader of its output."""
        ...


@runtime_checkable
class RemoteProvider(Protocol):
    """An agent behind a network service. One that offers ``Request.tools`` to the agent, and calls them for it, says so with
    ``uses_tools = True``; the others are not asked where a state has an ``mcp_proxy``."""

    name: str
    """As in ``provider:``."""

    def check(self, request: Request) -> list[str]:
        """Everything that is wrong with the model and the options of a request."""
        ...

    async def ask(self, request: Request, say: Callable[[Event], None]) -> Answer:
        """Ask, and say what happens meanwhile. It is cancelled (CancelledError) at a timeout or a cancel and must leave
        nothing open. Raises ProviderFailed."""
        ...


Provider: TypeAlias = CommandLineProvider | RemoteProvider
