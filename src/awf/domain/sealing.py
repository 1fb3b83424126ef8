"""Keeping secret values out of everything that is written.

A :class:`Sealer` knows the real values. ``mask`` puts ``***`` in their place, for what people see. ``seal`` puts a
placeholder in their place, for what the journal must keep to run a step again; ``unseal`` puts the values back at the
moment the step starts. A :class:`StreamMask` masks text that comes in pieces, also where a value is cut in two.

Which texts count is said by ``domain.secrets.maskable``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from awf.domain.secrets import MASK, maskable

_OPEN, _CLOSE = "\ue000", "\ue001"
_LITERAL = f"{_OPEN}open{_CLOSE}"
"""Stands in a sealed text for the character that begins placeholders."""


class Sealer:
    """``secrets`` maps a name (``inputs.token``, ``env.API_KEY``) to its real value; of a list or a map, its texts.

    False where there is nothing to seal.
    """

    def __init__(self, secrets: Mapping[str, Any]) -> None:
        self._by_name = {
            f"{name}#{index}": text
            for name, value in secrets.items()
            for index, text in enumerate(maskable([value]))
        }
        self._values = sorted(set(self._by_name.values()), key=lambda text: (-len(text), text))
        self._names = {text: name for name, text in reversed(self._by_name.items())}

    def __bool__(self) -> bool:
        return bool(self._values)

    def mask(self, text: str) -> str:
        """``text`` with ``***`` for every secret value; values that overlap in it vanish together."""
        return _replaced(text, self.spans(text), lambda _: MASK)

    def seal(self, text: str) -> str:
        """``text`` with a placeholder for every secret value. Of values that overlap, the first is replaced. What looks
        like a placeholder in it, because somebody hopes for the value, is kept from being one."""
        if not self._values:
            return text
        text = text.replace(_OPEN, _LITERAL)
        spans: list[tuple[int, int]] = []
        for start, end in self._occurrences(text):
            if not spans or start >= spans[-1][1]:
                spans.append((start, end))
        return _replaced(text, spans, lambda found: f"{_OPEN}{self._names[found]}{_CLOSE}")

    def unseal(self, text: str) -> str:
        """The inverse of ``seal``. A placeholder whose secret is not known (any more) stands as ``***``."""
        if _OPEN not in text:
            return text
        return _PLACEHOLDER.sub(
            lambda found: _OPEN if found.group() == _LITERAL else self._by_name.get(found.group(1), MASK),
            text,
        )

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where secret values stand in a text, in order, overlapping ones as one."""
        merged: list[tuple[int, int]] = []
        for start, end in self._occurrences(text):
            if merged and start < merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return merged

    def beginning(self, text: str) -> int:
        """The length of the longest end of a text that is a proper beginning of a secret value."""
        longest = 0
        for value in self._values:
            at = text.find(value[0], max(0, len(text) - len(value) + 1))
            while 0 <= at < len(text) - longest:
                if value.startswith(text[at:]):
                    longest = len(text) - at
                at = text.find(value[0], at + 1)
        return longest

    def _occurrences(self, text: str) -> list[tuple[int, int]]:
        """Where the values stand, in order; of those that begin at one place, the longest first."""
        found: list[tuple[int, int]] = []
        for value in self._values:
            at = text.find(value)
            while at >= 0:
                found.append((at, at + len(value)))
                at = text.find(value, at + 1)
        return sorted(found, key=lambda span: (span[0], -span[1]))

    def sealed(self, value: Any) -> Any:
        """A JSON value with every text in it sealed."""
        return _mapped(value, self.seal) if self else value

    def unsealed(self, value: Any) -> Any:
        """The inverse of ``sealed``."""
        return _mapped(value, self.unseal) if self else value

    def masked(self, value: Any) -> Any:
        """A JSON value with every text in it masked."""
        return _mapped(value, self.mask) if self else value

    def stream(self) -> StreamMask:
        """A mask for one stream of one attempt."""
        return StreamMask(self)


def inputs_shown(values: Mapping[str, Any], secrets: Collection[str], variables: Sealer) -> dict[str, Any]:
    """Inputs as they may be shown: those that are secrets as ``***``, the others without the texts of these and of
    secret ``variables``."""
    sealer = Sealer({f"inputs.{name}": values[name] for name in secrets})
    return {
        name: MASK if name in secrets else sealer.masked(variables.masked(value))
        for name, value in values.items()
    }


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(part, change) for part in value]
    if isinstance(value, dict):
        return {change(name): _mapped(part, change) for name, part in value.items()}
    return value


_PLACEHOLDER = re.compile(f"{_OPEN}((?:inputs|env)\\.[^{_CLOSE}]*|open){_CLOSE}")


def _replaced(text: str, spans: list[tuple[int, int]], by: Callable[[str], str]) -> str:
    if not spans:
        return text
    pieces: list[str] = []
    end = 0
    for start, stop in spans:
        pieces += (text[end:start], by(text[start:stop]))
        end = stop
    return "".join((*pieces, text[end:]))


class StreamMask:
    """Masks text in pieces. ``feed`` returns what is safe to show by now, ``close`` the rest."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._held = ""

    def feed(self, text: str) -> str:
        """The masked text up to where a secret could be beginning, or one that overlaps such a place."""
        if not self._sealer:
            return text
        text = self._held + text
        cut = len(text) - self._sealer.beginning(text)
        for start, end in self._sealer.spans(text):
            if start < cut < end:
                cut = start
        self._held = text[cut:]
        return self._sealer.mask(text[:cut])

    def close(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return self._sealer.mask(held)
