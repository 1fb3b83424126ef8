"""How long to wait before the next attempt (workflow language, section "Retry"). Pure; chance is passed in."""

from __future__ import annotations

from awf.domain.workflow import Retry


def retry_delay(retry: Retry | None, attempt: int, exit_code: int, chance: float) -> float | None:
    """Seconds between attempt number ``attempt``, which failed with ``exit_code``, and the next; None where none follows.

    constant: initial; linear: initial * attempt; exponential: initial * multiplier ** (attempt - 1). Jitter spreads it by
    up to ``jitter`` times itself, up or down, as ``chance`` (0 to 1) says; ``maximum`` caps the result.
    """
    if retry is None or attempt >= retry.max_attempts:
        return None
    if retry.exit_codes and exit_code not in retry.exit_codes:
        return None
    delay = retry.initial
    if retry.backoff == "linear":
        delay *= attempt
    elif retry.backoff == "exponential":
        delay = _power(delay, retry.multiplier, attempt - 1)
    if retry.maximum > 0:
        delay = min(delay, retry.maximum)
    delay += delay * retry.jitter * (2 * chance - 1)
    if retry.maximum > 0:
        delay = min(delay, retry.maximum)
    return max(0.0, delay)


def _power(initial: float, multiplier: float, exponent: int) -> float:
    try:
        return float(initial * multiplier**exponent)
    except OverflowError:
        return float("inf") if initial else 0.0
