"""What people want of executions, each told once to whoever runs the execution."""

from __future__ import annotations

import msgspec

from awf.engine.stimuli import Cancel, Respond
from awf.journal.store import Intent, Store


class Intents:
    """The intents of one store, as one engine passes them on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[int, str] = {}

    async def untold(self) -> list[Intent]:
        """Those that have not been passed on, oldest first."""
        intents = await self._store.intents()
        present = {intent.id for intent in intents}
        self._told = {id: execution for id, execution in self._told.items() if id in present}
        return [intent for intent in intents if intent.id not in self._told]

    def tell(self, intent: Intent) -> None:
        """It has been passed on."""
        self._told[intent.id] = intent.execution

    def forget(self, execution: str) -> None:
        """Nobody runs the execution any more: what it has not folded in is to be passed on again."""
        self._told = {id: other for id, other in self._told.items() if other != execution}


def marked_cancel(execution: str, now: int) -> Intent:
    """The intent that a cancel mark stands for, which could not be written."""
    return Intent(id=0, execution=execution, kind="cancel", data=None, at=now)


def stimulus_of(intent: Intent) -> Cancel | Respond:
    """What an intent asks of the execution."""
    return Cancel() if intent.kind == "cancel" else msgspec.convert(intent.data, Respond)
