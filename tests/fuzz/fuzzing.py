"""How the fuzz targets run: briefly by default, for ``AWF_FUZZ_SECONDS`` each where that is set."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

Made = TypeVar("Made")

EXAMPLES = 300
SECONDS = float(os.environ.get("AWF_FUZZ_SECONDS", "0"))
MOST_SECONDS = 2.0
"""Of processor time, for one input of a few kilobytes."""


def fuzz(inputs: SearchStrategy[Made], target: Callable[[Made], object]) -> None:
    """Feed inputs to a target: it raises nothing, and each takes a bounded time."""

    def timed(made: Made) -> None:
        before = time.thread_time()
        target(made)
        took = time.thread_time() - before
        assert took < MOST_SECONDS, f"took {took:.1f} s"

    run = settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )(given(inputs)(timed))
    end = time.monotonic() + SECONDS
    run()
    while time.monotonic() < end:
        run()
