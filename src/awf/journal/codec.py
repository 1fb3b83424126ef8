"""Facts to bytes and back.

A stored fact is its type (the tag), the version of that type's shape, and a JSON object of its fields. A type whose
shape changes incompatibly gets the next version and an upcast from the one before; decoding applies upcasts in
order, so that old journals replay under new code. Fields that are added with a default need no new version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from awf.errors import ReplayDiverged
from awf.journal.events import AnyFact, Fact

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

VERSIONS: dict[str, int] = {}
"""Current version of each type; absent means 1."""

UPCASTS: dict[tuple[str, int], Upcast] = {}
"""``(type, n)`` turns the fields of version n into those of n + 1."""


def tag_of(kind: type[Fact]) -> str:
    """The journal's name of a type of facts."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


_TYPES: dict[str, type[Fact]] = {tag_of(kind): kind for kind in get_args(AnyFact)}
_TAGS: dict[type[Fact], str] = {kind: tag for tag, kind in _TYPES.items()}
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[AnyFact]] = {
    tag: msgspec.json.Decoder(kind) for tag, kind in _TYPES.items()
}


def type_of(fact: Fact) -> str:
    """The journal's name of a fact's type, ``step.started`` say."""
    return _TAGS[type(fact)]


def encode(fact: Fact) -> tuple[str, int, bytes]:
    """``(type, version, body)`` of a fact."""
    tag = _TAGS[type(fact)]
    return tag, VERSIONS.get(tag, 1), _ENCODER.encode(fact)


def decode(tag: str, version: int, body: bytes) -> AnyFact:
    """The fact that was encoded so, under whichever version.

    Raises ReplayDiverged where the type or version is unknown (written by a newer awf) or the body does not fit.
    """
    decoder = _DECODERS.get(tag)
    current = VERSIONS.get(tag, 1)
    if decoder is None or version > current:
        raise ReplayDiverged(
            f"journal entry of unknown type {tag!r} version {version}: written by a newer awf?"
        )
    try:
        if version == current:
            return decoder.decode(body)
        fields = msgspec.json.decode(body)
        for step in range(version, current):
            fields = UPCASTS[tag, step](fields)
        return msgspec.convert(fields, _TYPES[tag])  # type: ignore[return-value]
    except msgspec.MsgspecError as error:
        raise ReplayDiverged(
            f"journal entry of type {tag!r} version {version} cannot be read: {error}"
        ) from error
