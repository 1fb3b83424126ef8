"""The real server and the real engine with faults in them, which environment variables choose.

``AWF_TESTING_CRASH``: crash points, separated by commas (``awf.testing.crash``). ``AWF_TESTING_FAULTS``: faults of the
store (``awf.testing.faults``). Started as ``python -m awf.testing.serve`` with the arguments of ``awf serve``; the
engines that this server starts are ``python -m awf.testing.engine``, over the same environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from awf import compose
from awf.engine.ports import Clock, StepRunner
from awf.journal.store import Store
from awf.runners.attempts import Attempts
from awf.settings import Settings
from awf.testing.crash import Crashes, CrashingRunner, Point, crashing_store
from awf.testing.faults import Faults, failing


def prepare() -> None:
    """Put the faults that the environment names into what ``awf.compose`` picks, for this process and the engines it
    starts. Call it before a command is imported. Raises ValueError for a fault that cannot be read."""
    points = [Point.parse(text) for text in os.environ.get("AWF_TESTING_CRASH", "").split(",") if text]
    faults = Faults.parse(os.environ.get("AWF_TESTING_FAULTS", ""))
    open_store, build_runners = compose.open_store, compose.build_runners
    opened: list[Crashes] = []

    def faulty_store(settings: Settings, *, create: bool = True) -> Store:
        store = open_store(settings, create=create)
        opened.append(Crashes(points, settings.storage, store))
        return crashing_store(failing(store, faults), opened[-1])

    def faulty_runners(settings: Settings, clock: Clock, attempts: Attempts) -> Mapping[str, StepRunner]:
        runners = build_runners(settings, clock, attempts)
        return {kind: CrashingRunner(runner, opened[-1]) for kind, runner in runners.items()}

    compose.open_store = faulty_store
    compose.build_runners = faulty_runners
    compose.ENGINE_MODULE = "awf.testing.engine"
