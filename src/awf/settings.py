"""Settings: configuration file < environment < arguments; None means unset in every source.

Defaults are applied once, at the end, into one frozen object. Where they come from:

=====================  ===========================  =========================  ==================================
setting                ``.awf/config.yaml``         environment                default
=====================  ===========================  =========================  ==================================
``storage``            ``storage.path``             ``AWF_STORAGE``            ``.awf/storage`` in the project root
``durability``         ``storage.durability``       ``AWF_DURABILITY``         ``full`` (or ``fast``)
``host``               ``server.host``              ``AWF_HOST``               ``127.0.0.1``
``port``               ``server.port``              ``AWF_PORT``               ``2511``
``allow_hosts``        ``server.allow_host``        ``AWF_ALLOW_HOST``         none
``allow_origins``      ``server.allow_origin``      ``AWF_ALLOW_ORIGIN``       none
``http_allow_hosts``   ``http.allow_host``          ``AWF_HTTP_ALLOW_HOST``    any
``slots``              ``engine.slots``             ``AWF_SLOTS``              4 per core, at least 16
``shell``              ``engine.shell``             ``AWF_SHELL``              ``$SHELL`` if it is a known one, else ``/bin/sh``
``grace``              ``engine.grace``             ``AWF_GRACE``              5 (seconds from SIGTERM to SIGKILL)
``max_transitions``    ``engine.max_transitions``   ``AWF_MAX_TRANSITIONS``    10000
``retention_days``     ``retention.days``           ``AWF_RETENTION_DAYS``     30 (0: for ever)
``retention_records``  ``retention.records``        ``AWF_RETENTION_RECORDS``  100000 (0: all)
``max_tokens_total``   ``budget.max_tokens_total``  ``AWF_MAX_TOKENS_TOTAL``   0 (no limit), of every execution
``max_cost_usd``       ``budget.max_cost_usd``      ``AWF_MAX_COST_USD``       0 (no limit), of every execution
``max_duration``       ``budget.max_duration``      ``AWF_MAX_DURATION``       0 (no limit; seconds), of every execution
``on_budget``          ``budget.on_budget``         ``AWF_ON_BUDGET``          ``ask`` (or ``fail``)
=====================  ===========================  =========================  ==================================

Lists in the environment are separated by commas.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct, field

from awf.errors import SettingsInvalid

N = TypeVar("N", int, float)

CONFIG_FILE = Path(".awf", "config.yaml")


_HOST = re.compile(r"(\*\.)?[^\s/:@?#%*\[\]]+")
_ORIGIN = re.compile(r"https?://[^/\s?#@]+")


class Setting(Struct, frozen=True):
    """``name`` is that of the field in :class:`Settings`, ``key`` its section and name in the configuration file,
    ``variable`` its name in the environment."""

    name: str
    key: str
    variable: str


SETTINGS = (
    Setting("storage", "storage.path", "AWF_STORAGE"),
    Setting("durability", "storage.durability", "AWF_DURABILITY"),
    Setting("host", "server.host", "AWF_HOST"),
    Setting("port", "server.port", "AWF_PORT"),
    Setting("allow_hosts", "server.allow_host", "AWF_ALLOW_HOST"),
    Setting("allow_origins", "server.allow_origin", "AWF_ALLOW_ORIGIN"),
    Setting("http_allow_hosts", "http.allow_host", "AWF_HTTP_ALLOW_HOST"),
    Setting("slots", "engine.slots", "AWF_SLOTS"),
    Setting("shell", "engine.shell", "AWF_SHELL"),
    Setting("grace", "engine.grace", "AWF_GRACE"),
    Setting("max_transitions", "engine.max_transitions", "AWF_MAX_TRANSITIONS"),
    Setting("retention_days", "retention.days", "AWF_RETENTION_DAYS"),
    Setting("retention_records", "retention.records", "AWF_RETENTION_RECORDS"),
    Setting("max_tokens_total", "budget.max_tokens_total", "AWF_MAX_TOKENS_TOTAL"),
    Setting("max_cost_usd", "budget.max_cost_usd", "AWF_MAX_COST_USD"),
    Setting("max_duration", "budget.max_duration", "AWF_MAX_DURATION"),
    Setting("on_budget", "budget.on_budget", "AWF_ON_BUDGET"),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings(Struct, frozen=True):
    """See the module's docstring. ``root`` is the project's root, ``working_dir`` where commands run, ``config`` the
    configuration file, if there is one. ``sources`` says by name where a value comes from that is not the default."""

    root: Path
    working_dir: Path
    config: Path
    storage: Path
    durability: Literal["full", "fast"]
    host: str
    port: int
    allow_hosts: tuple[str, ...]
    allow_origins: tuple[str, ...]
    http_allow_hosts: tuple[str, ...]
    slots: int
    shell: str | None
    grace: float
    max_transitions: int
    retention_days: int
    retention_records: int
    max_tokens_total: int
    max_cost_usd: float
    max_duration: float
    on_budget: Literal["ask", "fail"]
    sources: Mapping[str, str] = field(default_factory=dict)


def load_settings(root: Path, environ: Mapping[str, str], arguments: Mapping[str, Any]) -> Settings:
    """Settings of the project at ``root``. ``arguments`` are by setting name; None means not given.

    Raises SettingsInvalid naming the source of what is wrong.
    """
    named = environ.get("AWF_CONFIG_PATH")
    config = Path(named or root / CONFIG_FILE)
    read = _Sources((config, _content(config, named=bool(named))), environ, arguments)
    storage = Path(read.text("storage") or root / ".awf" / "storage").expanduser()
    durability = read.choice("durability", "full", "fast")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shell = read.text("shell")
    if shell is not None and not (Path(shell).is_file() and os.access(shell, os.X_OK)):
        raise SettingsInvalid(
            f"{read.found['shell']}: {shell!r} is not an executable file; give an absolute path"
        )
    return Settings(
        root=root,
        working_dir=Path.cwd(),
        config=config,
        storage=storage if storage.is_absolute() else Path.cwd() / storage,
        durability=durability,  # type: ignore[arg-type]
        host=read.text("host") or "127.0.0.1",
        port=read.whole("port", 0, 65535, 2511),
        allow_hosts=read.texts("allow_hosts"),
        allow_origins=_origins(read),
        http_allow_hosts=_hosts(read),
        slots=read.whole("slots", 1, 100_000, max(16, 4 * cores)),
        shell=shell,
        grace=read.amount("grace", 3600, 5.0, " seconds"),
        max_transitions=read.whole("max_transitions", 1, 10_000_000, 10_000),
        retention_days=read.whole("retention_days", 0, 36_500, 30),
        retention_records=read.whole("retention_records", 0, 1_000_000_000, 100_000),
        max_tokens_total=read.whole("max_tokens_total", 0, 10**15, 0),
        max_cost_usd=read.amount("max_cost_usd", 1_000_000_000, 0.0),
        max_duration=read.amount("max_duration", 1_000_000_000, 0.0, " seconds"),
        on_budget=read.choice("on_budget", "ask", "fail"),  # type: ignore[arg-type]
        sources=read.found,
    )


def _origins(read: _Sources) -> tuple[str, ...]:
    origins = read.texts("allow_origins")
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsInvalid(
                f"{read.found['allow_origins']}: {origin!r} is not an origin such as http://localhost:3000"
            )
    return origins


def _hosts(read: _Sources) -> tuple[str, ...]:
    hosts = read.texts("http_allow_hosts")
    if hosts:
        import ipaddress  # every command reads settings, and few name hosts
    for host in hosts:
        try:
            ipaddress.ip_network(host.strip("[]"), strict=False)
        except ValueError:
            if not _HOST.fullmatch(host):
                raise SettingsInvalid(
                    f"{read.found['http_allow_hosts']}: {host!r} is neither a name such as api.example.com or "
                    f"*.example.com, nor an address or a network such as 10.0.0.0/8"
                ) from None
    return hosts


def _content(path: Path, *, named: bool) -> dict[str, Any]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if named:
            raise SettingsInvalid(
                f"config error: AWF_CONFIG_PATH names {path}, which does not exist"
            ) from None
        return {}
    except OSError as error:
        raise SettingsInvalid(
            f"config error: cannot read {path}: {error.strerror}",
            remedy="a file there that can be read, or none",
        ) from error
    content = _parsed(path, text)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsInvalid(f"config error: {path}: the top level must be a map")
    return content


def _parsed(path: Path, text: bytes) -> Any:
    import yaml

    place, why = str(path), ""
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark, why = error.problem_mark, error.problem or ""
        place += f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    except RecursionError:
        why = "it is nested too deeply"
    except (yaml.YAMLError, ValueError) as error:
        why = str(error).partition("\n")[0]
    raise SettingsInvalid(f"config error: parse: {place}: {why}", remedy="to mend the YAML there")


class _Sources(Struct):
    """Reads settings by name, and notes in ``found`` where each value came from."""

    file: tuple[Path, dict[str, Any]]
    environ: Mapping[str, str]
    arguments: Mapping[str, Any]
    found: dict[str, str] = field(default_factory=dict)

    def _given(self, name: str) -> Iterator[tuple[Any, str]]:
        """Every source that has a value, with what to call it in a message, the weakest first. Readers check all of
        them and keep the last: what is wrong is told at the start, also where an argument replaces it for now."""
        path, content = self.file
        setting = _BY_NAME[name]
        section, leaf = setting.key.split(".")
        part = content.get(section)
        if part is not None and not isinstance(part, dict):
            raise SettingsInvalid(f"config error: {path}: {section} must be a map")
        if (value := (part or {}).get(leaf)) is not None:
            self.found[name] = f"{path}: {setting.key}"
            yield value, self.found[name]
        if value := self.environ.get(setting.variable):
            self.found[name] = setting.variable
            yield value, self.found[name]
        if (value := self.arguments.get(name)) not in (None, ()):
            self.found[name] = f"--{name.removesuffix('s').replace('_', '-')}"
            yield value, self.found[name]

    def text(self, name: str) -> str | None:
        found = None
        for value, source in self._given(name):
            if not isinstance(value, (str, Path)) or not str(value):
                raise SettingsInvalid(f"{source}: {value!r} is not a text")
            found = str(value)
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for value, source in self._given(name):
            if isinstance(value, str):
                found = tuple(part.strip() for part in value.split(",") if part.strip())
            elif isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
                found = tuple(value)
            else:
                raise SettingsInvalid(f"{source}: {value!r} is not a list of texts")
        return found

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        found = default
        for value, source in self._given(name):
            found = _number(value, source, int)
            if not low <= found <= high:
                raise SettingsInvalid(f"{source}: {found} is not between {low} and {high}")
        return found

    def amount(self, name: str, most: int, default: float, unit: str = "") -> float:
        found = default
        for value, source in self._given(name):
            found = _number(value, source, float)
            if not 0 <= found <= most:
                raise SettingsInvalid(f"{source}: {found} is not between 0 and {most}{unit}")
        return found

    def choice(self, name: str, *choices: str) -> str:
        """The first is the default."""
        found = choices[0]
        for value, source in self._given(name):
            if value not in choices:
                raise SettingsInvalid(f"{source}: {value!r} is not one of {', '.join(choices)}")
            found = value
        return found


def _number(value: Any, source: str, kind: Callable[[Any], N]) -> N:
    try:
        if isinstance(value, bool):
            raise TypeError
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        raise SettingsInvalid(f"{source}: {value!r} is not a number") from None
