"""``notify.send``."""

from __future__ import annotations

from awf.domain.signatures import Parameter, Signature

BACKENDS = ("desktop", "webhook")

NOTIFY_SEND = Signature(
    "notify.send",
    "Tell somebody, on the desktop or through a webhook.",
    (
        Parameter("message", description="What to say.", required=True),
        Parameter(
            "backend", description="How; else notify.default_backend of the configuration.", choices=BACKENDS
        ),
        Parameter("title", description="The title.", default="AWF Workflow"),
        Parameter(
            "priority",
            description="How urgent it is.",
            default="default",
            choices=("low", "default", "high"),
            refusal='invalid priority "{value}" (must be: low, default, high)',
        ),
        Parameter(
            "webhook_url",
            description="Where a webhook posts {title, message, priority, metadata} to, as JSON.",
            pattern="[Hh][Tt][Tt][Pp][Ss]?://",
            refusal="webhook_url must start with http:// or https://",
        ),
        Parameter("metadata", "object", "Further values for a webhook."),
    ),
    {
        "backend": "The backend that was used.",
        "status": "sent.",
        "response": "The body of the webhook's response, as text.",
    },
)
