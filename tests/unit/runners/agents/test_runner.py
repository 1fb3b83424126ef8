"""Providers that do not keep to what they promise: every fault is a failure of the step that can be recorded."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from awf.domain.outcomes import Failed, Outcome, Succeeded, Usage
from awf.engine.cancel import Cancel
from awf.engine.clock import SystemClock
from awf.engine.ports import StepContext
from awf.journal.events import AgentCall
from awf.runners import starting
from awf.runners.agents.port import Answer, Invocation, ProviderFailed, Request
from awf.runners.agents.runner import AgentRunner
from awf.runners.attempts import AttemptFiles, Attempts
from awf.runners.notes import Notes
from awf.testing.agents import ScriptedService, ScriptedTool
from awf.testing.builders import step_started
from awf.testing.clock import FakeClock


def ask(tmp_path: Path, end: Any, **fields: Any) -> Outcome:
    """Ask a service that returns or raises this."""

    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        if isinstance(end, BaseException):
            raise end
        return end

    async def inside() -> Outcome:
        attempts = Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", "one"))
        runner = AgentRunner({"service": ScriptedService(reply)}, 0.1, FakeClock(), attempts)
        fact = step_started(kind="agent", agent=AgentCall(provider="service", prompt="Hi"), **fields)
        context = StepContext("one", "line", {}, {"PATH": "/bin"}, str(tmp_path))
        return await runner.run(fact, context, lambda *_: None, Cancel())

    outcome = asyncio.run(inside())
    msgspec.json.encode(outcome)
    return outcome


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (ProviderFailed("\ud800 x"), "service: \ufffd x"),
        (ProviderFailed("  "), "service: it failed and did not say why"),
        (asyncio.CancelledError(), "service: it gave up by itself"),
        (ValueError("oops"), "internal error of provider 'service': ValueError('oops')"),
        (SystemExit(3), "internal error of provider 'service': RuntimeError('SystemExit(3)')"),
    ],
)
def test_every_end_is_a_failure_with_a_text(tmp_path: Path, end: Any, error: str) -> None:
    outcome = ask(tmp_path, end)
    assert isinstance(outcome, Failed)
    assert outcome.error == error


def test_a_failure_is_bounded_and_keeps_what_it_cost(tmp_path: Path) -> None:
    outcome = ask(tmp_path, ProviderFailed("x" * 10**6, exit_code=7, usage=Usage(input=-5, output=10**30)))
    assert isinstance(outcome, Failed)
    assert len(outcome.error) < 70_000
    assert outcome.exit_code == 7
    assert outcome.product is not None
    assert outcome.product.usage == Usage(input=0, output=10**12)


@pytest.mark.parametrize("wait", ["5", -1, float("nan"), True])
def test_a_wait_and_an_exit_code_that_cannot_be_are_not_kept(tmp_path: Path, wait: Any) -> None:
    outcome = ask(tmp_path, ProviderFailed("no", exit_code="7", retry_after=wait))  # type: ignore[arg-type]
    assert isinstance(outcome, Failed)
    assert (outcome.exit_code, outcome.retry_after) == (1, None)


@pytest.mark.parametrize(
    "usage",
    [Usage(input="many"), Usage(input=1, cost="dear"), Usage(output=None)],  # type: ignore[arg-type]
)
def test_counts_that_are_no_numbers_are_the_providers_fault(tmp_path: Path, usage: Usage) -> None:
    for end in (Answer(text="x", usage=usage), ProviderFailed("no", usage=usage)):
        outcome = ask(tmp_path, end)
        assert isinstance(outcome, Failed)
        assert outcome.error.startswith("internal error of provider 'service': ")


def test_counts_are_whole_numbers(tmp_path: Path) -> None:
    outcome = ask(tmp_path, Answer(text="x", usage=Usage(input=1.5, output=True)))  # type: ignore[arg-type]
    assert isinstance(outcome, Succeeded)
    assert outcome.product is not None
    usage = outcome.product.usage
    assert usage is not None
    assert msgspec.json.decode(msgspec.json.encode(usage), type=Usage) == Usage(input=1, output=1)


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_counts_that_cannot_be_are_not_kept(tmp_path: Path, cost: float) -> None:
    outcome = ask(tmp_path, Answer(text="x", usage=Usage(input=1), cost=cost, session="s" * 10_000))
    assert isinstance(outcome, Succeeded)
    assert outcome.product is not None
    assert (outcome.product.usage, len(outcome.product.session)) == (Usage(input=1), 4096)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    outcome = ask(tmp_path, Answer(text="x"), dir="nowhere")
    assert isinstance(outcome, Failed)
    assert (outcome.error, outcome.exit_code) == (
        f"working directory does not exist: {tmp_path}/nowhere",
        126,
    )


def test_turns_that_are_not_there_cannot_be_continued(tmp_path: Path) -> None:
    call = AgentCall(provider="service", prompt="Hi", continue_from="before")

    async def inside() -> Outcome:
        attempts = Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", "one"))

        async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
            raise AssertionError

        runner = AgentRunner({"service": ScriptedService(reply)}, 0.1, FakeClock(), attempts)
        context = StepContext("one", "line", {}, {}, str(tmp_path))
        fact = step_started(kind="agent", agent=call)
        return await runner.run(fact, context, lambda *_: None, Cancel())

    outcome = asyncio.run(inside())
    assert isinstance(outcome, Failed)
    assert outcome.error == (
        'continue_from: step "before" has no conversation turns for HTTP-based provider "service"'
    )


class _Configured(ScriptedTool):
    """Has a file of its own."""

    def invocation(self, request: Request) -> Invocation:
        return replace(super().invocation(request), files={"settings": "{}"})


def test_a_tool_starts_when_there_is_space_for_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, full = AttemptFiles.keep, [True, True]

    def scarce(files: AttemptFiles, name: str, text: str) -> Path:
        if full:
            full.pop()
            raise OSError(errno.ENOSPC, "No space left on device", name)
        return keep(files, name, text)

    monkeypatch.setattr(AttemptFiles, "keep", scarce)
    monkeypatch.setattr(starting, "EXHAUSTED_PAUSE", 0)
    attempts = Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", "one"))
    runner = AgentRunner({"scripted": _Configured()}, 0.1, SystemClock(), attempts)
    call = AgentCall(provider="scripted", prompt="Hi", options={"script": "cat"})
    context = StepContext("one", "line", {}, {"PATH": "/usr/bin:/bin"}, str(tmp_path))
    fact = step_started(kind="agent", agent=call, detach=True)
    outcome = asyncio.run(runner.run(fact, context, lambda *_: None, Cancel()))
    assert isinstance(outcome, Succeeded), outcome
    assert full == []
    assert outcome.product is not None
    assert outcome.product.output == "Hi\n"
