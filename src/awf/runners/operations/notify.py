"""``notify.send``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from awf.domain.signatures import Signature
from awf.domain.signatures.notify import BACKENDS, NOTIFY_SEND
from awf.runners.operations.port import OperationContext, OperationFailed
from awf.runners.operations.programs import CannotStart, Programs
from awf.runners.operations.web import Web, WebFailed

TIMEOUT = 30.0
"""Seconds for a webhook."""

_URGENCY = {"low": "low", "default": "normal", "high": "critical"}
_SCRIPT = (
    "on run argv",
    "display notification (item 1 of argv) with title (item 2 of argv)",
    "end run",
)


class NotifySend(Struct, frozen=True):
    """See ``awf.runners.operations.port.Operation``. ``backend``: of the configuration; empty: none."""

    web: Web
    programs: Programs
    backend: str = ""
    platform: str = sys.platform
    signature: Signature = NOTIFY_SEND

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Send it. With ``AWF_TEST_MODE=1`` everything is checked and nothing is sent. Raises OperationFailed."""
        backend = inputs.get("backend") or self.backend
        if not backend:
            raise OperationFailed("no backend specified and no default backend configured")
        if backend not in BACKENDS:
            raise OperationFailed(f"notify.default_backend must be one of: {', '.join(BACKENDS)}")
        if backend == "webhook" and not inputs.get("webhook_url"):
            raise OperationFailed("webhook_url is required for the webhook backend")
        response = ""
        if context.environ.get("AWF_TEST_MODE") != "1":
            if backend == "webhook":
                response = await self._post(inputs)
            else:
                await self._show(inputs, context)
        return {"backend": backend, "status": "sent", "response": response}

    async def _post(self, inputs: Mapping[str, Any]) -> str:
        said = {name: inputs[name] for name in ("title", "message", "priority", "metadata") if name in inputs}
        try:
            reply = await self.web.send(
                "POST",
                inputs["webhook_url"],
                headers={"Content-Type": "application/json"},
                content=json.dumps(said, ensure_ascii=False).encode(),
                timeout=TIMEOUT,
            )
        except WebFailed as error:
            raise OperationFailed(f"webhook: {error}") from error
        if not 200 <= reply.status < 300:
            raise OperationFailed(f"webhook: status {reply.status}", retry_after=reply.retry_after)
        return reply.text

    async def _show(self, inputs: Mapping[str, Any], context: OperationContext) -> None:
        title, message = inputs["title"], inputs["message"]
        if self.platform == "darwin":
            lines = [part for line in _SCRIPT for part in ("-e", line)]
            argv = ["osascript", *lines, "--", message, title]
        else:
            argv = ["notify-send", f"--urgency={_URGENCY[inputs['priority']]}", "--", title, message]
        program = self.programs.find(argv[0], context)
        if program is None:
            raise OperationFailed(
                f"desktop: '{argv[0]}' is not installed, or not in PATH (on Debian and Ubuntu: apt install libnotify-bin)"
                if self.platform != "darwin"
                else f"desktop: '{argv[0]}' is not in PATH"
            )
        try:
            ended = await self.programs.run([program, *argv[1:]], context)
        except CannotStart as error:
            raise OperationFailed(f"desktop: {error}") from error
        if ended.code != 0:
            raise OperationFailed(f"desktop: {argv[0]}: {ended.stderr.strip() or f'exit code {ended.code}'}")
