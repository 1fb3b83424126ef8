from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from awf.domain.outcomes import Cancelled, Failed, Succeeded
from awf.domain.signatures import Parameter, Signature
from awf.engine.cancel import Cancel
from awf.engine.ports import StepContext
from awf.journal.events import OperationCall
from awf.runners.operations.port import OperationContext, OperationFailed
from awf.runners.operations.runner import OperationRunner
from awf.testing.builders import step_started
from awf.testing.clock import FakeClock


@dataclass
class Fixed:
    """An operation that does what a test says."""

    act: Callable[[Mapping[str, Any]], Any]
    signature: Signature = field(default=Signature("do.it", "", (Parameter("n", "integer", required=True),)))
    seen: list[OperationContext] = field(default_factory=list)

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        self.seen.append(context)
        result = self.act(inputs)
        if isinstance(result, asyncio.Event):
            try:
                await asyncio.Event().wait()
            finally:
                result.set()
        outputs: Mapping[str, Any] = result
        return outputs


def run(
    operation: Fixed, inputs: Mapping[str, Any], *, name: str = "do.it", cancelled: bool = False, **fact: Any
) -> Any:
    async def inside() -> Any:
        cancel = Cancel()
        if cancelled:
            cancel.set()
        runner = OperationRunner({"do.it": operation}, FakeClock())
        started = step_started(
            kind="operation", operation=OperationCall(name=name, inputs=dict(inputs)), **fact
        )
        context = StepContext("one", "line", {}, {"HOME": "/h"}, "/project")
        return await runner.run(started, context, lambda *_: None, cancel)

    return asyncio.run(inside())


def test_outputs_are_the_response_and_as_json_the_output() -> None:
    operation = Fixed(lambda inputs: {"twice": inputs["n"] * 2, "text": "é"})
    outcome = run(operation, {"n": "21"})
    assert isinstance(outcome, Succeeded)
    assert outcome.product is not None
    assert outcome.product.response == {"twice": 42, "text": "é"}
    assert outcome.product.output == '{"twice":42,"text":"é"}'
    assert (operation.seen[0].state, operation.seen[0].working_dir) == ("build", "/project")


def _broken(_: Mapping[str, Any]) -> Any:
    raise OperationFailed("the server said no")


def _faulty(_: Mapping[str, Any]) -> Any:
    raise KeyError("oops")


def _leaves(_: Mapping[str, Any]) -> Any:
    raise SystemExit(3)


def _gives_up(_: Mapping[str, Any]) -> Any:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("act", "inputs", "name", "error", "code"),
    [
        (_leaves, {"n": 1}, "do.it", "do.it: internal error of the operation: SystemExit: 3", 1),
        (_gives_up, {"n": 1}, "do.it", "do.it: it gave up by itself", 1),
        (_broken, {"n": 1}, "do.it", "do.it: the server said no", 1),
        (_faulty, {"n": 1}, "do.it", "do.it: internal error of the operation: KeyError: 'oops'", 1),
        (
            lambda _: {"x": object()},
            {"n": 1},
            "do.it",
            "do.it: internal error of the operation: TypeError",
            1,
        ),
        (
            lambda _: {"x": "\ud800"},
            {"n": 1},
            "do.it",
            "do.it: internal error of the operation: UnicodeEnc",
            1,
        ),
        (_broken, {"m": 1}, "do.it", "do.it: n is required\ndo.it: unknown input 'm'", 1),
        (_broken, {"n": 1}, "do.its", "operation 'do.its' not found (did you mean 'do.it'?)", 127),
    ],
)
def test_every_failure_is_one_of_the_step(
    act: Callable[[Mapping[str, Any]], Any], inputs: dict[str, Any], name: str, error: str, code: int
) -> None:
    outcome = run(Fixed(act), inputs, name=name)
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith(error)
    assert outcome.exit_code == code


def test_a_wait_that_cannot_be_is_not_kept() -> None:
    def later(_: Mapping[str, Any]) -> Any:
        raise OperationFailed("not now", retry_after="5")  # type: ignore[arg-type]

    assert run(Fixed(later), {"n": 1}).retry_after is None


def test_a_timeout_and_a_cancel_leave_nothing_running() -> None:
    for more, expected in (
        ({"timeout": 0.01}, Failed("timeout exceeded (10ms)", 124)),
        ({"cancelled": True}, Cancelled()),
    ):
        over = Cancel()
        assert run(Fixed(lambda _, over=over: over), {"n": 1}, **more) == expected
        assert over.is_set() or more == {"cancelled": True}


def test_the_log_says_where_a_fault_is_and_not_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    def leaks(_: Mapping[str, Any]) -> Any:
        secret = "s3cret" + "-value"  # not to be found in the source line that the log shows
        raise ValueError(secret)

    assert "s3cret-value" in run(Fixed(leaks), {"n": 1}).error  # masked when it is recorded
    assert "s3cret-value" not in caplog.text
    assert "ValueError" in caplog.text
    assert "in leaks" in caplog.text


def test_an_operation_that_does_not_end_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awf.runners.exits.LONGEST_END", 0.05)

    class Stubborn(Fixed):
        async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
            over = Cancel()
            asyncio.get_running_loop().call_later(0.2, over.set)
            while not over.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await over.wait()
            return {}

    outcome = run(Stubborn(dict), {"n": 1}, timeout=0.01)
    assert outcome == Failed("timeout exceeded (10ms)", 124)


def test_what_a_dead_engine_left_is_ended() -> None:
    env = {**os.environ, "AWF_ATTEMPT_ID": "attempt-of-the-dead"}
    left = subprocess.Popen(["sleep", "60"], env=env, start_new_session=True)
    asyncio.run(OperationRunner({}, FakeClock(), 0.2).end_leftovers(["attempt-of-the-dead"]))
    assert left.wait(30) == -15
