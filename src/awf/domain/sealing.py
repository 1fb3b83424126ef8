"""Keeping secret values out of everything that is written.

A :class:`Sealer` knows the real values. ``mask`` puts ``***`` in their place, for what people see. ``seal`` puts a
placeholder in their place, for what the journal must keep to run a step again; ``unseal`` puts the values back at the
moment the step starts. A :class:`StreamMask` masks text that comes in pieces, also where a value is cut in two.

Rule (workflow language decisions, "Records, errors, secrets"): values from 8 characters; never a boolean or a plain
number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

MASK = "***"
SHORTEST = 8
_OPEN, _CLOSE = "\ue000", "\ue001"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


def maskable(value: Any) -> bool:
    """Is this secret's value long and distinctive enough to be looked for in text?"""
    return isinstance(value, str) and len(value) >= SHORTEST and not _NUMBER.match(value)


class Sealer:
    """``secrets`` maps a name (``inputs.token``, ``env.API_KEY``) to its real value; what is not maskable is left out.

    False where there is nothing to seal.
    """

    def __init__(self, secrets: Mapping[str, Any]) -> None:
        self._by_name = {name: value for name, value in secrets.items() if maskable(value)}
        # Longest first, so that a secret which contains another is replaced whole.
        self._values = sorted(set(self._by_name.values()), key=lambda value: (-len(value), value))
        self._names = {value: name for name, value in reversed(self._by_name.items())}
        self._find = re.compile("|".join(map(re.escape, self._values))) if self._values else None

    def __bool__(self) -> bool:
        return self._find is not None

    def mask(self, text: str) -> str:
        """``text`` with ``***`` for every secret value."""
        return self._find.sub(MASK, text) if self._find else text

    def seal(self, text: str) -> str:
        """``text`` with a placeholder for every secret value."""
        if self._find is None:
            return text
        return self._find.sub(lambda found: f"{_OPEN}{self._names[found.group()]}{_CLOSE}", text)

    def unseal(self, text: str) -> str:
        """The inverse of ``seal``. A placeholder whose secret is not known (any more) stands as ``***``."""
        if _OPEN not in text:
            return text
        return _PLACEHOLDER.sub(lambda found: self._by_name.get(found.group(1), MASK), text)

    def sealed(self, value: Any) -> Any:
        """A JSON value with every text in it sealed."""
        return _mapped(value, self.seal) if self else value

    def unsealed(self, value: Any) -> Any:
        """The inverse of ``sealed``."""
        return _mapped(value, self.unseal) if self else value

    def stream(self) -> StreamMask:
        """A mask for one stream of one attempt."""
        return StreamMask(self._values, self._find)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(part, change) for part in value]
    if isinstance(value, dict):
        return {name: _mapped(part, change) for name, part in value.items()}
    return value


_PLACEHOLDER = re.compile(f"{_OPEN}((?:inputs|env)\\.[^{_CLOSE}]*){_CLOSE}")


class StreamMask:
    """Masks text in pieces. ``feed`` returns what is safe to show by now, ``close`` the rest."""

    def __init__(self, values: list[str], find: re.Pattern[str] | None) -> None:
        self._values = values
        self._find = find
        self._held = ""

    def feed(self, text: str) -> str:
        """The masked text up to where a secret could be beginning."""
        if self._find is None:
            return text
        text = self._find.sub(MASK, self._held + text)
        keep = self._beginning(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def close(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held

    def _beginning(self, text: str) -> int:
        """The length of the longest end of ``text`` that is a proper beginning of a secret."""
        longest = 0
        for value in self._values:
            for size in range(min(len(value) - 1, len(text)), longest, -1):
                if text.endswith(value[:size]):
                    longest = size
                    break
        return longest
