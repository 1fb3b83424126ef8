"""What all facts of the journal have in common."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Json: TypeAlias = Any
Stream: TypeAlias = Literal["stdout", "stderr"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all facts. The journal's type name of a fact is its ``tag``."""
