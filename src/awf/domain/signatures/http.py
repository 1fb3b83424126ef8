"""``http.request``."""

from __future__ import annotations

from awf.domain.signatures import Parameter, Signature

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")

TIMEOUT = 30.0
"""Seconds for a whole exchange that says nothing else."""

_TEXT = "is required and must be a non-empty string"

HTTP_REQUEST = Signature(
    "http.request",
    "Send an HTTP request. Any status is a success, unless it is listed as retryable.",
    (
        Parameter(
            "url",
            description="Where to: http:// or https://.",
            required=True,
            demand=_TEXT,
            pattern="[Hh][Tt][Tt][Pp][Ss]?://",
            refusal="url must start with http:// or https://",
        ),
        Parameter("method", description="The method.", required=True, demand=_TEXT, choices=METHODS),
        Parameter("headers", "object", "Header fields by name."),
        Parameter("body", "any", "The body: a text, or a value that is sent as JSON."),
        Parameter(
            "timeout", "number", "Seconds for the whole exchange; 0: no limit.", default=TIMEOUT, minimum=0
        ),
        Parameter(
            "retryable_status_codes",
            "array",
            "Status codes that fail the attempt, so that the step's retry sends it again.",
            items="integer",
        ),
    ),
    {
        "status_code": "The status, a number.",
        "body": "The body as text, up to 10 MiB.",
        "json": "The body's value where it is JSON of up to 1 MiB; else null.",
        "headers": "Header fields by name, as in Content-Type.",
        "body_truncated": "Whether the body is longer than what is kept of it.",
    },
)
