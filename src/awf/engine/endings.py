"""How an attempt ended, as a fact: what it made and said without secret values, and what it cost. Pure."""

from __future__ import annotations

from typing import Any

from awf.domain.outcomes import Cancelled, Failed, Outcome, Product, Succeeded, Written
from awf.engine.budgets import priced
from awf.engine.flow import Flow
from awf.engine.state import CANCELLED, Activity
from awf.journal.events import StepCompleted, StepFailed
from awf.journal.text import whole_text

LONGEST_COMPLAINT = 4096
"""Characters of stderr that become a step's error."""


def ended_fact(flow: Flow, activity: Activity, outcome: Outcome) -> StepCompleted | StepFailed:
    """The fact that an attempt in flight ended like this."""
    written = outcome.written
    where: dict[str, Any] = {
        **activity.place,
        "exit_code": outcome.exit_code,
        "duration": outcome.duration,
        "stdout_bytes": written.stdout_bytes,
        "stderr_bytes": written.stderr_bytes,
        "stdout_tail": written.stdout_tail,
        "stderr_tail": written.stderr_tail,
        "provider": activity.provider,
    }
    match outcome:
        case Succeeded(product=product):
            return StepCompleted(**where, **_masked(flow, activity, product, written))
        case Failed(error=error, product=product):
            stderr = written.stderr_tail or "".join(activity.written["stderr"])
            complaint = stderr.strip()[-LONGEST_COMPLAINT:]
            made = _masked(flow, activity, product, written)
            known = {name: made[name] for name in ("output", "session", "usage") if name in made}
            error = flow.sealer.mask(error) or complaint or f"exit code {outcome.exit_code}"
            return StepFailed(error=error, **where, **known)
        case Cancelled(product=product):
            usage = None if product is None else priced(flow, activity, product.usage)
            return StepFailed(error=CANCELLED, **where, usage=usage)


def _masked(flow: Flow, activity: Activity, product: Product | None, written: Written) -> dict[str, Any]:
    """What a step made, without secret values, under the names of StepCompleted. An output that is just what has been
    written is not recorded once more."""
    if product is None:
        return {}
    sealer = flow.sealer
    output = sealer.mask(product.output)
    known = whole_text("".join(activity.written["stdout"]), written.stdout_bytes, written.stdout_tail)
    return {
        "output": "" if output == known else output,
        "response": sealer.masked(product.response),
        "json": sealer.masked(product.json),
        "session": sealer.mask(product.session),
        "usage": priced(flow, activity, product.usage),
    }
