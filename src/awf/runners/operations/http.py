"""``http.request``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from awf.domain.inputs import coerce
from awf.domain.signatures import Signature
from awf.domain.signatures.http import HTTP_REQUEST
from awf.runners.operations.port import OperationContext, OperationFailed
from awf.runners.operations.web import Web, WebFailed


class HttpRequest(Struct, frozen=True):
    """See ``awf.runners.operations.port.Operation``."""

    web: Web
    signature: Signature = HTTP_REQUEST

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Send the request. Raises OperationFailed."""
        del context
        headers = _fields(inputs.get("headers", {}))
        content, is_json = _content(inputs.get("body"))
        if is_json and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        try:
            reply = await self.web.send(
                inputs["method"],
                inputs["url"],
                headers=headers,
                content=content,
                timeout=inputs["timeout"] or None,
            )
        except WebFailed as error:
            raise OperationFailed(f"HTTP request failed: {error}") from error
        outputs = {
            "status_code": reply.status,
            "body": reply.text,
            "json": reply.json,
            "headers": dict(reply.headers),
            "body_truncated": reply.truncated,
        }
        if reply.status in inputs.get("retryable_status_codes", ()):
            raise OperationFailed(
                f"retryable status code {reply.status}", outputs=outputs, retry_after=reply.retry_after
            )
        return outputs


def _fields(given: Mapping[str, Any]) -> dict[str, str]:
    """Header fields as texts; one that is null is left out. Raises OperationFailed."""
    fields = {}
    for name, value in given.items():
        if isinstance(value, (dict, list)):
            raise OperationFailed(f"headers: the value of '{name}' must be a text")
        if value is not None:
            fields[name] = coerce("string", value)
    return fields


def _content(body: Any) -> tuple[bytes, bool]:
    """The bytes of a body, and whether they are JSON that was a value."""
    if body is None:
        return b"", False
    if isinstance(body, str):
        return body.encode(), False
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), True
