"""A state type: ``type: wait_for_file``. Like an operation, with keys of its own in the place of inputs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awf.plugin import OperationContext, OperationFailed, Parameter, Signature

PAUSE = 0.05
"""Seconds between looks."""


class WaitForFile:
    """Waits until a file is there; ``timeout`` of the state bounds it."""

    api_version = 1
    signature = Signature(
        "wait_for_file",
        "Wait until a file is there.",
        (
            Parameter("path", description="The file, from the working directory.", required=True),
            Parameter("holds", description="Fail where it does not hold this text.", default=""),
        ),
        {"path": "Its whole path.", "text": "What it holds, without space around it."},
    )

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Wait for it. A timeout or a cancel is a CancelledError out of the sleep: there is nothing to tidy up."""
        path = Path(context.working_dir, inputs["path"])
        while not path.is_file():  # noqa: ASYNC110 - nothing tells when a file comes
            await asyncio.sleep(PAUSE)
        text = await asyncio.to_thread(path.read_text, "utf-8", "replace")
        if inputs["holds"] not in text:
            raise OperationFailed(f"{path.name} does not hold {inputs['holds']!r}")
        return {"path": str(path), "text": text.strip()}
