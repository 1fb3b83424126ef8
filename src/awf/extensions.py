"""What plug-ins add: Python packages that are installed beside awf and say so with entry points.

The group of an entry point says what it is (``GROUPS``), its name is the name in workflows, and it leads to an object, or a
class of one, that ``awf.plugin`` describes. Entry points are looked for once, when somebody asks for something that awf
does not have itself; the code behind one is loaded when a workflow names it. Whatever is wrong with one plug-in is said, and
hides no other.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from awf.domain.agents import PROVIDERS
from awf.domain.extensions import ExtensionBroken, Kind
from awf.domain.kinds import LEAF, STATE_KEYS
from awf.domain.operations import OPERATIONS
from awf.domain.signatures import Signature

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from logging import Logger

API_VERSION = 1
"""What plug-ins are made for: they say ``api_version = 1``. It grows when a plug-in that worked would work no more."""

GROUPS: Mapping[Kind, str] = {
    "operation": "awf.operations",
    "provider": "awf.providers",
    "state": "awf.states",
}

_OWN: Mapping[Kind, Iterable[str]] = {"operation": OPERATIONS, "provider": PROVIDERS, "state": STATE_KEYS}
_NAMES: Mapping[Kind, tuple[re.Pattern[str], str]] = {
    "operation": (re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+"), "PLUGIN.OPERATION, in lower case"),
    "provider": (re.compile(r"[a-z][a-z0-9_-]*"), "one word, in lower case"),
    "state": (re.compile(r"[a-z][a-z0-9_-]*"), "one word, in lower case"),
}
_PROVIDES = (("program", "install", "check", "invocation", "parser"), ("check", "ask"))
"""What the two kinds of providers have."""


class Plugin(Struct, frozen=True):
    """One thing that a package promises. ``package`` is its name and version."""

    kind: Kind
    name: str
    package: str
    point: EntryPoint


class _Broken(Struct, frozen=True):
    """Stands for an object that cannot be used."""

    reason: str


class Installed:
    """The plug-ins among entry points, by group; see ``awf.domain.extensions.Extensions``. ``find`` gives the entry points;
    it is called once, when somebody asks. Safe to use from several threads."""

    def __init__(self, find: Callable[[], Mapping[Kind, Iterable[EntryPoint]]]) -> None:
        self._find = find
        self._lock = threading.RLock()
        self._plugins: dict[tuple[Kind, str], Plugin] | None = None
        self._refused: list[tuple[Plugin, str]] = []
        self._loaded: dict[tuple[Kind, str], Any] = {}

    def names(self, kind: Kind) -> list[str]:
        """See Extensions."""
        return sorted(name for each, name in self._all() if each == kind)

    def plugins(self) -> list[Plugin]:
        """All that can be named, by kind and name."""
        return sorted(self._all().values(), key=lambda plugin: (plugin.kind, plugin.name))

    def signature(self, kind: Literal["operation", "state"], name: str) -> Signature | None:
        """See Extensions."""
        found = self.load(kind, name)
        if found is None:
            return None
        signature: Signature = found.signature
        return signature

    def has_provider(self, name: str) -> bool:
        """See Extensions."""
        return self.load("provider", name) is not None

    def takes_tools(self, name: str) -> bool:
        """See Extensions."""
        provider = self.load("provider", name)
        return bool(getattr(provider, "uses_tools" if hasattr(provider, "ask") else "uses_mcp", False))

    def load(self, kind: Kind, name: str) -> Any:
        """The object of a plug-in, loaded and checked once; None where nothing is called so. Raises ExtensionBroken."""
        plugin = self._all().get((kind, name))
        if plugin is None:
            return None
        with self._lock:
            if (kind, name) not in self._loaded:
                self._loaded[kind, name] = _loaded(plugin)
            found = self._loaded[kind, name]
        if isinstance(found, _Broken):
            raise ExtensionBroken(found.reason)
        return found

    def usable(self, kind: Kind) -> dict[str, Any]:
        """The objects of all plug-ins of a kind that can be used, by name; what is wrong with others is logged."""
        found = {}
        for name in self.names(kind):
            try:
                found[name] = self.load(kind, name)
            except ExtensionBroken as broken:
                _log().warning("%s '%s' cannot be used: %s", kind, name, broken)
        return found

    def broken(self) -> list[tuple[Plugin, str]]:
        """Every plug-in that cannot be used, and why; loads all."""
        plugins = self.plugins()
        found = list(self._refused)
        for plugin in plugins:
            try:
                self.load(plugin.kind, plugin.name)
            except ExtensionBroken as broken:
                found.append((plugin, str(broken)))
        return found

    def _all(self) -> dict[tuple[Kind, str], Plugin]:
        with self._lock:
            if self._plugins is None:
                plugins: dict[tuple[Kind, str], Plugin] = {}
                for kind, points in self._find().items():
                    for plugin in sorted(
                        (_plugin(kind, each) for each in points), key=lambda each: each.package
                    ):
                        self._add(plugin, plugins)
                self._plugins = plugins
            return self._plugins

    def _add(self, plugin: Plugin, plugins: dict[tuple[Kind, str], Plugin]) -> None:
        pattern, form = _NAMES[plugin.kind]
        key = plugin.kind, plugin.name
        if plugin.name in _OWN[plugin.kind]:
            reason = "awf has one of that name itself"
        elif not pattern.fullmatch(plugin.name):
            reason = f"its name must be {form}"
        elif key in plugins:
            reason = f"{plugins[key].package} has one of that name"
        else:
            plugins[key] = plugin
            return
        self._refused.append((plugin, f"{plugin.package}: {reason}"))


@lru_cache(maxsize=1)
def installed() -> Installed:
    """The plug-ins that are installed in this Python."""
    return Installed(_found)


def _found() -> Mapping[Kind, Iterable[EntryPoint]]:
    from importlib.metadata import entry_points

    try:
        points = entry_points()
        return {kind: list(points.select(group=group)) for kind, group in GROUPS.items()}
    except Exception:
        each = _one_by_one()
        return {kind: [point for point in each if point.group == group] for kind, group in GROUPS.items()}


def _one_by_one() -> list[EntryPoint]:
    """The entry points of every package whose metadata can be read, where those of one cannot."""
    from importlib.metadata import distributions

    found: list[EntryPoint] = []
    for package in distributions():
        try:
            found += package.entry_points
        except Exception as error:
            _log().warning(
                "the entry points of a package cannot be read: %s: %s", package.locate_file(""), error
            )
    return found


def _log() -> Logger:
    import logging  # few have something to say, and every list is to be quick

    return logging.getLogger("awf.plugins")


def _plugin(kind: Kind, point: EntryPoint) -> Plugin:
    try:
        package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
    except Exception:
        package = point.value  # its metadata is damaged
    return Plugin(kind, point.name, package, point)


def _loaded(plugin: Plugin) -> Any:
    """The object, or a _Broken."""
    try:
        found = plugin.point.load()
        found = found() if isinstance(found, type) else found
        wrong = _wrong(plugin, found)
    except (Exception, SystemExit) as error:
        _log().debug("%s", plugin, exc_info=True)
        wrong = f"{plugin.point.value} cannot be loaded: {type(error).__name__}: {error}"
    return _Broken(f"{plugin.package}: {wrong}") if wrong else found


def _wrong(plugin: Plugin, found: Any) -> str:
    """What keeps an object from being used; empty where nothing does."""
    version = getattr(found, "api_version", None)
    if version is None:
        return f"{plugin.point.value} has no api_version; this awf has {API_VERSION}"
    if version != API_VERSION:
        return f"{plugin.point.value} is made for version {version!r} of the plug-in API; this awf has {API_VERSION}"
    if plugin.kind == "provider":
        if getattr(found, "name", None) != plugin.name:
            return f"its name is {getattr(found, 'name', None)!r}, not '{plugin.name}'"
        if not any(all(hasattr(found, each) for each in kind) for kind in _PROVIDES):
            return f"{plugin.point.value} is no provider: it has neither {' nor '.join(map(', '.join, _PROVIDES))}"
        return ""
    signature = getattr(found, "signature", None)
    if not isinstance(signature, Signature) or not callable(getattr(found, "perform", None)):
        return f"{plugin.point.value} must have a signature (a Signature) and an async perform"
    if signature.name != plugin.name:
        return f"the name of its signature is '{signature.name}', not '{plugin.name}'"
    taken = [parameter.name for parameter in signature.parameters if parameter.name in LEAF]
    if plugin.kind == "state" and taken:
        return f"every state has the key '{taken[0]}' already"
    return ""
