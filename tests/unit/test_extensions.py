"""Plug-ins, good and bad, as entry points of this process."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from awf.domain.extensions import ExtensionBroken, Kind
from awf.domain.load import Loaded, load_workflow
from awf.domain.schema import language_schema
from awf.domain.workflow import OperationState
from awf.extensions import GROUPS, Installed, _found, installed
from awf.plugin import API_VERSION, Parameter, Signature


class Thing:
    """An operation or a state type."""

    api_version = API_VERSION

    def __init__(self, name: str = "a.b", *parameters: Parameter) -> None:
        self.signature = Signature(
            name, "Does it.", parameters or (Parameter("n", "integer", required=True),)
        )

    async def perform(self, inputs: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return inputs


class Voice:
    """A provider."""

    api_version = API_VERSION
    name = "voice"

    def check(self, request: Any) -> list[str]:
        return []

    async def ask(self, request: Any, say: Any) -> Any: ...


def changed(thing: Any, **more: Any) -> Any:
    for name, value in more.items():
        setattr(thing, name, value)
    return thing


def _leaves() -> None:
    sys.exit(3)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    found = ModuleType("some_plugin")
    monkeypatch.setitem(sys.modules, "some_plugin", found)
    return found


def plugins(module: ModuleType, *things: tuple[Kind, str, Any]) -> Installed:
    found: dict[Kind, list[EntryPoint]] = {kind: [] for kind in GROUPS}
    for number, (kind, name, thing) in enumerate(things):
        setattr(module, f"it{number}", thing)
        found[kind].append(EntryPoint(name, f"some_plugin:it{number}", GROUPS[kind]))
    return Installed(lambda: found)


def test_what_is_promised_is_loaded_when_it_is_asked_for(module: ModuleType) -> None:
    made: list[str] = []

    class Counted(Thing):
        def __init__(self) -> None:
            made.append("one")
            super().__init__()

    state = Thing("waits", Parameter("path", required=True))
    found = plugins(
        module, ("operation", "a.b", Counted), ("state", "waits", state), ("provider", "voice", Voice)
    )
    assert (found.names("operation"), found.names("state"), found.names("provider")) == (
        ["a.b"],
        ["waits"],
        ["voice"],
    )
    assert made == []
    for _ in range(2):
        signature = found.signature("operation", "a.b")
        assert signature is not None
        assert signature.name == "a.b"
    assert made == ["one"]
    assert found.has_provider("voice")
    assert not found.has_provider("other")
    assert not found.takes_tools("voice")
    assert found.signature("state", "other") is None
    assert found.broken() == []


@pytest.mark.parametrize(
    ("kind", "name", "thing", "reason"),
    [
        ("operation", "a.b", changed(Thing(), api_version=None), "has no api_version; this awf has 1"),
        ("operation", "a.b", changed(Thing(), api_version=2), "is made for version 2 of the plug-in API; this awf has 1"),
        ("operation", "a.b", changed(Thing(), signature="x"), "must have a signature (a Signature) and an async perform"),
        ("operation", "a.b", changed(Thing(), perform=None), "must have a signature (a Signature) and an async perform"),
        ("operation", "a.c", Thing(), "the name of its signature is 'a.b', not 'a.c'"),
        ("operation", "a.b", lambda: 1, "has no api_version"),
        ("operation", "a.b", type("T", (), {"__init__": lambda _: 1 // 0}), "ZeroDivisionError: integer division or modulo by zero"),
        ("operation", "a.b", type("T", (), {"__init__": lambda _: _leaves()}), "SystemExit: 3"),
        ("state", "waits", Thing("waits", Parameter("retry")), "every state has the key 'retry' already"),
        ("provider", "voice", changed(Voice(), name="x"), "its name is 'x', not 'voice'"),
        ("provider", "voice", changed(Thing(), name="voice"), "is no provider: it has neither program, install"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_hides_nothing(
    module: ModuleType, caplog: pytest.LogCaptureFixture, kind: Kind, name: str, thing: Any, reason: str
) -> None:
    found = plugins(module, (kind, name, thing), ("operation", "fine.one", Thing("fine.one")))
    with pytest.raises(ExtensionBroken) as broken:
        found.load(kind, name)
    assert reason in str(broken.value)
    assert [(plugin.name, told) for plugin, told in found.broken()] == [(name, str(broken.value))]
    assert name not in found.usable(kind)
    assert reason in caplog.text
    assert list(found.usable("operation")) == ["fine.one"]


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("operation", "http.request", "awf has one of that name itself"),
        ("provider", "claude", "awf has one of that name itself"),
        ("state", "step", "awf has one of that name itself"),
        ("operation", "plain", "its name must be PLUGIN.OPERATION, in lower case"),
        ("state", "a.b", "its name must be one word, in lower case"),
        ("state", "Upper", "its name must be one word, in lower case"),
    ],
)
def test_names_that_cannot_be(module: ModuleType, kind: Kind, name: str, reason: str) -> None:
    found = plugins(module, (kind, name, Thing(name)))
    assert found.names(kind) == []
    ((plugin, told),) = found.broken()
    assert (plugin.name, reason in told) == (name, True)


def test_a_module_that_is_not_there(module: ModuleType) -> None:
    del module
    point = EntryPoint("a.b", "no_such_module:it", GROUPS["operation"])
    found = Installed(lambda: {"operation": [point, point]})
    told = [reason for _, reason in found.broken()]
    assert told == [
        "no_such_module:it: no_such_module:it has one of that name",
        "no_such_module:it: no_such_module:it cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'",
    ]


def test_a_package_whose_metadata_is_damaged_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, content in (
        ("bad", b"[awf.operations]\n\xff = x:y\n"),
        ("good", b"[awf.operations]\ngood.one = some_plugin:It\n"),
    ):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Installed(_found).names("operation") == ["good.one"]
    assert "the entry points of a package cannot be read" in caplog.text


def test_nothing_is_looked_for_until_somebody_asks() -> None:
    Installed(lambda: pytest.fail("nobody asked"))
    assert installed() is installed()


# In workflow files

TAIL = "\n  b: {type: terminal}\n"


def load(state: str, found: Installed) -> Loaded:
    text = f"name: w\nstates:\n  initial: a\n  a: {{on_success: b, {state}}}{TAIL}"
    return load_workflow(text, "w.yaml", "w", extensions=found)


def some(module: ModuleType) -> Installed:
    waits = Thing("waits", Parameter("path", required=True), Parameter("least", "integer"))
    return plugins(
        module,
        ("operation", "a.b", Thing()),
        ("operation", "bad.one", changed(Thing("bad.one"), api_version=9)),
        ("state", "waits", waits),
        ("state", "broken", changed(Thing("broken"), api_version=9)),
        ("provider", "voice", Voice()),
        ("provider", "mute", 5),
    )


def test_a_state_of_a_plugins_type(module: ModuleType) -> None:
    result = load(
        "type: Waits, path: '{{env.X}}', timeout: 5s, retry: {max_attempts: 2}, on_crash: fail", some(module)
    )
    assert result.problems == ()
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, OperationState)
    assert (state.operation, state.timeout, state.on_crash, list(state.inputs)) == (
        "waits",
        5.0,
        "fail",
        ["path"],
    )


@pytest.mark.parametrize(
    ("state", "message", "severity"),
    [
        ("type: operation, operation: a.b, inputs: {n: x}", """a.b: n: cannot convert "x" to integer (w.yaml:4:67)""", "warning"),
        ("type: operation, operation: a.c, inputs: {n: 1}", "unknown operation 'a.c' (did you mean 'a.b'?) (w.yaml:4:50)", "warning"),
        ("type: operation, operation: bad.one", "operation 'bad.one' cannot be used: some_plugin:it1: some_plugin:it1 is made for version 9 of the plug-in API; this awf has 1 (w.yaml:4:50)", "warning"),
        ("type: agent, prompt: p, provider: mute", "agent config: provider 'mute' cannot be used: some_plugin:it5: some_plugin:it5 has no api_version; this awf has 1 (w.yaml:4:56)", "warning"),
        ("type: agent, prompt: p, provider: voise", "agent config: unknown provider 'voise' (did you mean 'voice'?) (w.yaml:4:56)", "warning"),
        ("type: agent, prompt: p, provider: voice, mcp_proxy: {enable: true}", "agent config: mcp_proxy: provider 'voice' cannot be given tools by awf, so the step will fail (w.yaml:4:63)", "warning"),
        ("type: agent, prompt: p, provider: mute, mcp_proxy: {enable: true}", "agent config: provider 'mute' cannot be used: some_plugin:it5: some_plugin:it5 has no api_version; this awf has 1 (w.yaml:4:56)", "warning"),
        ("type: waits", "path is required (w.yaml:4:3)", "error"),
        ("type: waits, path: p, least: x", """least: cannot convert "x" to integer (w.yaml:4:51)""", "error"),
        ("type: waits, path: p, lest: 1", "unknown key 'lest' (did you mean 'least'?) (w.yaml:4:44)", "warning"),
        ("type: waits, path: p, command: x", "key 'command' has no effect here (w.yaml:4:44)", "warning"),
        ("type: wait", "unknown type 'wait' (did you mean 'waits'?) (w.yaml:4:28)", "error"),
        ("type: broken", "type 'broken' cannot be used: some_plugin:it3: some_plugin:it3 is made for version 9 of the plug-in API; this awf has 1 (w.yaml:4:28)", "error"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file(module: ModuleType, state: str, message: str, severity: str) -> None:
    problems = [each for each in load(state, some(module)).problems if each.severity == severity]
    assert [str(problem) for problem in problems] == [f"state 'a': {message}"]


@pytest.mark.parametrize(
    ("provider", "able"),
    [
        (changed(Voice(), uses_tools=True), True),
        (changed(Voice(), uses_mcp=True), False),
        (changed(Voice(), ask=None, uses_mcp=True), False),
    ],
)
def test_a_provider_that_takes_tools_is_not_warned_of(module: ModuleType, provider: Any, able: bool) -> None:
    found = plugins(module, ("provider", "voice", provider))
    problems = load("type: agent, prompt: p, provider: voice, mcp_proxy: {enable: true}", found).problems
    assert (problems == ()) is able


def test_the_schema_has_what_plugins_add(module: ModuleType) -> None:
    from jsonschema import Draft202012Validator

    found = some(module)
    signatures = [[each.signature for each in found.usable(kind).values()] for kind in ("operation", "state")]
    schema = language_schema(*signatures)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    def valid(**state: Any) -> bool:
        return validator.is_valid({"name": "w", "states": {"initial": "a", "a": state}})

    assert valid(type="operation", operation="a.b", inputs={"n": "{{x}}"})
    assert valid(type="operation", operation="a.b", inputs={"n": "12"})
    assert not valid(type="operation", operation="a.b", inputs={"n": "x"})
    assert not valid(type="operation", operation="a.b", inputs={})
    assert not valid(type="operation", operation="a.b", inputs={"n": 1, "m": 1})
    assert valid(type="waits", path="p", least=1, timeout="5s", on_success="a")
    assert not valid(type="waits", least=1)
    assert not valid(type="waits", path="p", least="x")
    assert not valid(type="broken", n=1)
