"""Operations as tools: what a call does, and what is left of one that is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awf.domain.signatures import Parameter, Signature
from awf.runners.mcp.configuration import Configuration
from awf.runners.mcp.tools import OperationTools
from awf.runners.operations.port import OperationContext
from awf.runners.operations.programs import Programs
from awf.testing.clock import FakeClock


class Waits:
    """Starts a program that says its id and does not end."""

    signature = Signature("sample.wait", "Wait.", (Parameter("file", required=True),))

    def __init__(self) -> None:
        self.attempts: list[str] = []

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        self.attempts.append(context.attempt_id)
        script = 'echo $$ >"$1.new"; mv "$1.new" "$1"; exec sleep 600'
        await Programs(5.0).run(["/bin/sh", "-c", script, "sh", inputs["file"]], context)
        return {}


def test_a_cancelled_call_leaves_no_program_and_the_agent_alone(tmp_path: Path) -> None:
    file, waits = tmp_path / "pid", Waits()
    configuration = Configuration(
        root=str(tmp_path),
        operations=("sample.wait", "sample.gone"),
        execution="e",
        workflow="w",
        state="s",
        attempt_id="agent",
        working_dir=str(tmp_path),
        environ={"PATH": "/usr/bin:/bin"},
    )

    async def inside() -> None:
        tools = OperationTools({"sample.wait": waits, "sample.other": waits}, configuration, FakeClock())
        assert [tool["name"] for tool in tools.listed()] == ["sample.wait"]
        assert "sample.other" not in tools
        call = asyncio.ensure_future(tools.call("sample.wait", {"file": str(file)}))
        while not file.exists():
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait({call})
        assert call.cancelled()

    asyncio.run(inside())
    assert not Path("/proc", file.read_text().strip()).exists()
    assert waits.attempts == ["agent/1"]
