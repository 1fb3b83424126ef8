"""``retry:`` of a state."""

from __future__ import annotations

import math
from typing import Literal

from awf.domain.fields import INVALID_VALUE, MISSING_FIELD, Fields
from awf.domain.language import BACKOFFS, RETRY
from awf.domain.nodes import ScalarNode
from awf.domain.workflow import Retry

NEVER_APPLIES = "WORKFLOW.VALIDATION.RETRY"
_MOST_ATTEMPTS = 1_000_000


def read_retry(fields: Fields) -> Retry | None:
    """None where there is none, or none that can be understood."""
    inner = fields.nested("retry", RETRY, "a map with max_attempts")
    if inner is None:
        return None
    attempts = _attempts(inner)
    retry = Retry(
        max_attempts=attempts or 1,
        initial=inner.seconds("initial_delay"),
        maximum=inner.seconds("max_delay"),
        backoff=_backoff(inner),
        multiplier=_bounded(inner, "multiplier", 2.0, math.inf, "multiplier must be >= 0"),
        jitter=_bounded(inner, "jitter", 0.0, 1.0, "jitter must be between 0.0 and 1.0"),
        exit_codes=_exit_codes(inner),
    )
    if attempts is None:
        return None
    _warn_if_idle(inner, retry)
    return retry


def _attempts(retry: Fields) -> int | None:
    node = retry.value("max_attempts")
    if node is None:
        place = (
            retry.node.entries["max_attempts"].key if "max_attempts" in retry.node.entries else retry.place
        )
        retry.error(place, MISSING_FIELD, "max_attempts must be >= 1")
    elif isinstance(node, ScalarNode) and type(node.value) is int and node.value < 1:
        retry.invalid(node, "max_attempts must be >= 1")
    else:
        return retry.integer("max_attempts", 1, _MOST_ATTEMPTS)
    return None


def _backoff(retry: Fields) -> Literal["constant", "linear", "exponential"]:
    given = retry.choice(
        "backoff",
        BACKOFFS,
        lambda text: f"invalid backoff strategy '{text}': must be one of {', '.join(BACKOFFS)}",
    )
    match given:
        case "linear" | "exponential":
            return given
        case _:
            return "constant"


def _bounded(retry: Fields, key: str, default: float, most: float, refusal: str) -> float:
    number = retry.number(key)
    if number is None:
        return default
    if not (0 <= number <= most and math.isfinite(number)):
        retry.error(retry.node.entries[key].value.position, INVALID_VALUE, refusal)
        return default
    return float(number)


def _exit_codes(retry: Fields) -> tuple[int, ...]:
    wanted = "a list of exit codes"
    found = []
    for node in retry.items("retryable_exit_codes", wanted):
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, int) and not isinstance(value, bool):
            found.append(value)
        else:
            retry.mismatch(node, "'retryable_exit_codes'", wanted)
    return tuple(found)


def _warn_if_idle(retry: Fields, found: Retry) -> None:
    entries = retry.node.entries
    if found.max_attempts == 1:
        place = entries["max_attempts"].value.position
        retry.warn(place, NEVER_APPLIES, "can never apply: with max_attempts 1 nothing is tried again")
    elif found.exit_codes and not any(1 <= code <= 255 for code in found.exit_codes):
        place = entries["retryable_exit_codes"].value.position
        retry.warn(place, NEVER_APPLIES, "can never apply: no failure has one of these exit codes")
