"""Sizes as workflow files write them: ``1048576`` (bytes), ``512KB``, ``10MB``."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def parse_size(text: str) -> int:
    """The bytes that ``text`` means; K, M and G are powers of 1024. Raises ValueError, whose text says what is wrong."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise ValueError(f"invalid size: {shown} (write 1048576, 512KB or 10MB)")
    return int(float(found[1]) * _FACTORS[found[2].lower()])
