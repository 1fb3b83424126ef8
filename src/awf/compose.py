"""The only place that picks concrete stores, runners, dispatch and catalog.

What a function needs is imported when it is called: a command that lists files must not load an engine.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import logging
import os
import resource
import stat
import sys
import time
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from awf import __version__
from awf.settings import Settings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from awf.dispatch.wakeups import Role, Wakeups
    from awf.domain.workflow import Budget
    from awf.engine.engine import Engine
    from awf.engine.pinned import Definitions
    from awf.engine.ports import Catalog, Clock, StepRunner
    from awf.engine.presence import Member, Presence
    from awf.engine.service import Service
    from awf.journal.store import Store
    from awf.runners.agents.port import Provider
    from awf.runners.attempts import Attempts
    from awf.runners.operations.destinations import AllowedHosts
    from awf.runners.operations.port import Operation
    from awf.stores.sqlite.check import Check


log = logging.getLogger("awf")

ENGINE_START = 15.0
"""Seconds within which a new engine must live."""

LARGEST_LOG = 10 * 1024 * 1024
"""Bytes above which the engines' log is set aside when the next engine starts."""

FILES_PER_STEP = 4
"""Descriptors that the engine holds for a running step: two pipes, a pidfd, and one to spare."""

ENGINE_MODULE = "awf.cli.engine"
"""The module that an engine process runs; the test kit puts one with faults in its place."""

RESERVED_FILES = 40
"""Descriptors for everything else: the store, the loop, sockets, and what starting a process takes for a moment."""

SWITCH_INTERVAL = 0.0001
"""Seconds after which a thread that computes lets another go on. With Python's default of 5 ms a busy event loop keeps
the store's writer from its next transaction, and then everybody waits for it (measured: seconds)."""


def prepare_process() -> None:
    """Settings of the interpreter that every process with a store wants."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    # It writes the URL of every request to the log, and a URL may hold a secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def spare_the_collector() -> None:
    """Call when a process has loaded what it needs: the garbage collector then leaves all that alone, and looks less
    often at the rest (measured under load: half the 99th percentile of a request)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


class Layout(Struct, frozen=True):
    """Where things lie in a storage directory."""

    storage: Path

    @property
    def engines(self) -> Path:
        """Presence of engines."""
        return self.storage / "engines"

    @property
    def attempts(self) -> Path:
        """What detached attempts write."""
        return self.storage / "attempts"

    @property
    def servers(self) -> Path:
        """Presence of servers."""
        return self.storage / "servers"

    @property
    def engine_log(self) -> Path:
        """What engines write to their standard error."""
        return self.storage / "engine.log"


def open_store(settings: Settings, *, create: bool = True) -> Store:
    """The store of a storage directory. Without ``create`` it must be there: what a server has removed from under it, its
    engine does not replace with an empty one. Raises StoreUnavailable, StoreIncompatible, RequestInvalid."""
    from awf.stores.sqlite.store import SqliteStore

    return SqliteStore.open(settings.storage, durability=settings.durability, create=create)


def has_store(settings: Settings) -> bool:
    """Whether there is a store in the storage directory; looks at nothing but names. Raises StoreUnavailable where that
    is no directory, or closed to us."""
    try:
        return stat.S_ISREG((settings.storage / "journal.db").stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        from awf.stores.sqlite.faults import unavailable

        raise unavailable(settings.storage, error) from None


def check_store(settings: Settings) -> Check:
    """Look for damage in the store. Raises RequestInvalid, StoreUnavailable, StoreIncompatible."""
    from awf.stores.sqlite.check import check

    return check(settings.storage)


def backup_store(settings: Settings, target: Path) -> int:
    """Copy the store to a file; its bytes. Raises RequestInvalid, StoreUnavailable."""
    from awf.stores.sqlite.care import backup

    return backup(settings.storage, target)


def vacuum_store(settings: Settings) -> tuple[int, int]:
    """Give the store's free space back; its bytes before and after. Raises RequestInvalid, StoreUnavailable."""
    from awf.stores.sqlite.care import vacuum

    return vacuum(settings.storage)


def open_catalog(settings: Settings) -> Catalog:
    """The catalog of a project."""
    from awf.catalog import Catalog as Files

    return Files(settings.root, os.environ, settings.storage)


VOLATILE = frozenset(
    {"_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES", "INVOCATION_ID", "JOURNAL_STREAM", "WINDOWID"}
)
"""Variables that differ from start to start and mean nothing to a step."""


def engine_fingerprint(settings: Settings) -> str:
    """Stands for the settings and the environment that an engine started now would have."""
    from awf.catalog.configuration import read_configuration
    from awf.extensions import installed

    plugins = [(plugin.kind, plugin.name, plugin.package) for plugin in installed().plugins()]
    configuration = read_configuration(settings.config, settings.root)
    others, prices = sorted(configuration.others.items()), sorted(configuration.prices.items())
    chosen = (
        (settings.slots, settings.shell, settings.grace, settings.max_transitions, settings.durability),
        (settings.retention_days, settings.retention_records, settings.http_allow_hosts, others),
        (settings.max_tokens_total, settings.max_cost_usd, settings.max_duration, settings.on_budget, prices),
        plugins,
    )
    environment = sorted(item for item in _engine_environment().items() if item[0] not in VOLATILE)
    return hashlib.sha256(repr((chosen, str(settings.root), environment)).encode()).hexdigest()[:16]


def _engine_environment() -> dict[str, str]:
    environment = dict(os.environ)
    if environment.get("AWF_CONFIG_PATH"):
        # The engine works in the root, which need not be where the path is relative to.
        environment["AWF_CONFIG_PATH"] = os.path.abspath(environment["AWF_CONFIG_PATH"])  # noqa: PTH100
    return environment


def new_member(clock: Clock, directory: Path, fingerprint: str = "", *, foreground: bool = False) -> Member:
    """Who we are, to the other processes of the store: the newest in ``directory``, whatever the clock says."""
    from awf.engine.presence import Member, living

    started_at = max([clock.now(), *(member.started_at + 1 for member in living(directory))])
    return Member(
        id=uuid.uuid4().hex,
        pid=os.getpid(),
        version=__version__,
        started_at=started_at,
        fingerprint=fingerprint,
        foreground=foreground,
    )


def build_service(settings: Settings, store: Store, wakeups: Wakeups) -> Service:
    """The facade over one store; ``wakeups`` is the server's end."""
    from awf.catalog.configuration import read_configuration
    from awf.catalog.sources import own_directories
    from awf.domain.secrets import secret_variables
    from awf.engine.clock import SystemClock
    from awf.engine.presence import is_alive
    from awf.engine.service import Place, Service, Signals

    engines = Layout(settings.storage).engines
    return Service(
        store=store,
        catalog=open_catalog(settings),
        clock=SystemClock(),
        signals=Signals(
            wake=lambda: wakeups.notify("engine"),
            mark_cancel=wakeups.mark_cancel,
            alive=lambda owner: is_alive(engines, owner),
        ),
        place=Place(
            root=str(settings.root),
            working_dir=str(settings.working_dir),
            directories=own_directories(os.environ),
            inputs=read_configuration(settings.config, settings.root).inputs,
            secrets=secret_variables(os.environ),
        ),
    )


def open_wakeups(settings: Settings, member: Member, role: Role) -> Wakeups:
    """Our end of the wake-ups of a storage directory."""
    from awf.dispatch.wakeups import Wakeups, runtime_directory

    directory = runtime_directory(settings.storage)
    if directory is None:
        log.warning("no private runtime directory: processes poll each other instead of waking each other")
    return Wakeups(directory, role, member.id)


def open_attempts(settings: Settings, member: Member) -> Attempts:
    """What an engine keeps of attempts for the one after it."""
    from awf.runners.attempts import Attempts
    from awf.runners.notes import Notes

    layout = Layout(settings.storage)
    return Attempts(layout.attempts, Notes(layout.engines, member.id))


def build_runners(settings: Settings, clock: Clock, attempts: Attempts) -> Mapping[str, StepRunner]:
    """What performs steps, by kind."""
    from awf.runners.agents.proxy import Proxy
    from awf.runners.agents.runner import AgentRunner
    from awf.runners.operations.runner import OperationRunner
    from awf.runners.shell import ShellRunner, choose_shell

    shell = choose_shell(settings.shell, os.environ.get("SHELL"))
    operations = build_operations(settings)
    proxy = Proxy(operations, settings.root, _of_operations(settings))
    return {
        "step": ShellRunner(shell, settings.grace, clock, attempts),
        "agent": AgentRunner(build_providers(), settings.grace, clock, attempts, proxy),
        "operation": OperationRunner(operations, clock, settings.grace),
    }


def _of_operations(settings: Settings) -> dict[str, Any]:
    """The settings that operations depend on, as ``load_settings`` takes them."""
    return {
        "storage": str(settings.storage),
        "grace": settings.grace,
        "http_allow_hosts": list(settings.http_allow_hosts),
    }


def build_providers() -> Mapping[str, Provider]:
    """The providers of agents that there are, by name."""
    from awf.extensions import installed
    from awf.runners.agents import registry

    return {**registry.build_providers(), **installed().usable("provider")}


def build_operations(settings: Settings) -> Mapping[str, Operation]:
    """The operations that there are, by name, and the state types of plug-ins. A plug-in that is broken is logged."""
    from awf.catalog.configuration import read_configuration
    from awf.extensions import installed
    from awf.runners.operations.github.operations import github_operations
    from awf.runners.operations.http import HttpRequest
    from awf.runners.operations.notify import NotifySend
    from awf.runners.operations.programs import Programs
    from awf.runners.operations.web import Web

    web, programs = Web(_allowed_hosts(settings)), Programs(settings.grace)
    others = read_configuration(settings.config, settings.root).others
    notify = NotifySend(web, programs, others.get("notify.default_backend", ""))
    operations: list[Operation] = [HttpRequest(web), notify, *github_operations(web, programs)]
    plugins = installed().usable("operation") | installed().usable("state")
    return {operation.signature.name: operation for operation in operations} | plugins


def _allowed_hosts(settings: Settings) -> AllowedHosts | None:
    from awf.runners.operations.destinations import AllowedHosts

    return AllowedHosts(settings.http_allow_hosts) if settings.http_allow_hosts else None


def build_engine(
    settings: Settings,
    store: Store,
    wakeups: Wakeups,
    presence: Presence,
    *,
    appended: Callable[[], None] | None = None,
    around: Callable[[StepRunner], StepRunner] | None = None,
    definitions: Definitions | None = None,
    stays: bool = False,
) -> Engine:
    """An engine over one store, holding ``presence``. ``appended`` is called after every append; None: the servers are
    woken. ``around`` puts something around every runner. ``definitions`` says what the pinned workflows are; None: what was
    pinned. ``stays``: it lives also while there is nothing to do."""
    from awf.catalog.configuration import read_configuration
    from awf.engine.clock import SystemClock
    from awf.engine.engine import Engine, EngineSettings
    from awf.engine.retention import Retention
    from awf.runners.agents.runner import tools

    layout, clock = Layout(settings.storage), SystemClock()
    attempts = open_attempts(settings, presence.member)
    runners = build_runners(settings, clock, attempts)
    if around is not None:
        runners = {kind: around(runner) for kind, runner in runners.items()}
    return Engine(
        store=store,
        runners=runners,
        attempts=attempts,
        clock=clock,
        settings=EngineSettings(
            slots=_affordable(settings.slots),
            engines=layout.engines,
            servers=layout.servers,
            stays=stays,
            max_transitions=settings.max_transitions,
            retention=Retention(settings.retention_days, settings.retention_records),
            tools=tools(build_providers()),
            budget=_budget(settings),
            prices=read_configuration(settings.config, settings.root).prices,
        ),
        presence=presence,
        marks=wakeups,
        appended=appended or (lambda: wakeups.notify("server")),
        environ=os.environ,
        definitions=definitions,
    )


def _budget(settings: Settings) -> Budget | None:
    """What every execution may spend; None: anything."""
    from awf.domain.workflow import Budget

    limits = settings.max_tokens_total or None, settings.max_cost_usd or None, settings.max_duration or None
    return Budget(*limits, fails=settings.on_budget == "fail") if any(limits) else None


def kill_attempts(attempts: Collection[str]) -> None:
    """End the processes of these attempts at once, without asking them first."""
    from awf.runners.processes import kill

    kill(attempts)


def ensure_engine(settings: Settings) -> None:
    """See to it that an engine lives that takes on work; blocks until it does. Raises SystemFault where none starts."""
    import subprocess

    from awf.engine.presence import exclusive, newest
    from awf.errors import SystemFault

    engines = Layout(settings.storage).engines
    engines.mkdir(mode=0o700, exist_ok=True)
    with exclusive(engines / "spawn") as won:
        if not won or newest(engines) is not None:
            return
        child = spawn_engine(settings)
        deadline = time.monotonic() + ENGINE_START
        while newest(engines) is None:
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemFault(f"the engine does not start; see {Layout(settings.storage).engine_log}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.02)


def _affordable(slots: int) -> int:
    """No more slots than there are file descriptors for."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(1, (limit - RESERVED_FILES) // FILES_PER_STEP)
    if slots > most:
        log.warning("%d slots need more open files than the limit of %d allows: using %d", slots, limit, most)
    return min(slots, most)


def spawn_engine(settings: Settings) -> subprocess.Popen[bytes]:
    """Start an engine process for this storage directory, in a session of its own."""
    import subprocess

    layout = Layout(settings.storage)
    with contextlib.suppress(OSError):
        if layout.engine_log.stat().st_size > LARGEST_LOG:
            layout.engine_log.replace(layout.engine_log.with_suffix(".log.1"))
    output = os.open(layout.engine_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [
                sys.executable,
                "-P",  # the project's own files are not modules of ours
                "-m",
                ENGINE_MODULE,
                "--root",
                str(settings.root),
                "--storage",
                str(settings.storage),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=settings.root,
            env=_engine_environment(),
            start_new_session=True,
        )
    finally:
        os.close(output)
