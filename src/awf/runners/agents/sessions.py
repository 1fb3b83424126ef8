"""What a step's record keeps of a tool's session: the tool's own name of it, and what is needed to go on with it. Pure.

As text: ``ID``, or ``ID?told=DIGEST&used=INPUT,CACHED,OUTPUT``.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs

from msgspec import Struct, field

from awf.domain.outcomes import Usage


class Session(Struct, frozen=True, kw_only=True):
    """``id`` is the tool's. ``told`` stands for the system prompt that it has had with a prompt, where the tool has no
    other way. ``used``: what it has cost so far, where the tool only counts the whole."""

    id: str = ""
    told: str = ""
    used: Usage = field(default_factory=Usage)

    @classmethod
    def read(cls, text: str) -> Session:
        """What ``str`` has written. An id that would be taken for an option is none."""
        name, _, rest = text.partition("?")
        if not name or name.startswith("-") or "\0" in name:
            return cls()
        fields = parse_qs(rest)
        counts = fields.get("used", [""])[0].split(",")
        used = Usage()
        if len(counts) == 3 and all(count.isdecimal() and len(count) <= 18 for count in counts):
            given, cached, made = map(int, counts)
            used = Usage(input=given, cached=cached, output=made)
        return cls(id=name, told=fields.get("told", [""])[0], used=used)

    def __str__(self) -> str:
        fields = [f"told={self.told}"] if self.told else []
        if self.used != Usage():
            fields.append(f"used={self.used.input},{self.used.cached},{self.used.output}")
        return f"{self.id}?{'&'.join(fields)}" if self.id and fields else self.id


def digest(system_prompt: str) -> str:
    """Stands for a system prompt; empty for none."""
    data = system_prompt.encode(errors="replace")
    return hashlib.sha256(data).hexdigest()[:16] if system_prompt else ""
