"""What an engine knows of its process and machine: the source of every ``World``."""

from __future__ import annotations

import getpass
import os
import random
import socket
from collections.abc import Collection, Mapping

from awf.domain.outcomes import Price
from awf.domain.secrets import secret_variables
from awf.domain.workflow import Budget
from awf.engine.files import holders, read_text
from awf.engine.ports import Clock
from awf.engine.stimuli import World


class Machine:
    """``engine`` is the engine's name, ``environ`` the environment that steps and templates get. ``secrets`` are the
    values of secret variables in it, by the names under which they are sealed. ``tools``, ``budget`` and
    ``prices`` as in ``World``."""

    def __init__(
        self,
        engine: str,
        environ: Mapping[str, str],
        clock: Clock,
        max_transitions: int,
        tools: Collection[str] = (),
        budget: Budget | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._engine = engine
        self.environ: Mapping[str, str] = dict(environ)
        self._clock = clock
        self._max_transitions = max_transitions
        self._tools = tools
        self._budget = budget
        self._prices = prices or {}
        self._user = _user()
        self._hostname = socket.gethostname()
        self.secrets = secret_variables(environ)

    def world(self) -> World:
        """The present moment, as the core may see it."""
        return World(
            now=self._clock.now(),
            engine=self._engine,
            environ=self.environ,
            user=self._user,
            hostname=self._hostname,
            max_transitions=self._max_transitions,
            chance=random.random(),  # noqa: S311 - spreads retries, protects nothing
            tools=self._tools,
            budget=self._budget,
            prices=self._prices,
            file_exists=os.path.exists,
            read_file=read_text,
            holders=holders,
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
