"""The inputs that a command line gives."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from awf.errors import RequestInvalid


def collect_inputs(pairs: Iterable[str], source: str | None) -> dict[str, Any]:
    """Inputs by name: those of ``source`` (a file with a JSON object, ``-`` for stdin), and over them ``KEY=VALUE``
    pairs, whose values are texts. Raises RequestInvalid."""
    inputs = {} if source is None else _object(source)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise RequestInvalid(f"--input {pair}: give KEY=VALUE")
        inputs[name.strip()] = value.strip()
    return inputs


def _object(source: str) -> dict[str, Any]:
    shown = "standard input" if source == "-" else source
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise RequestInvalid(f"--inputs {shown}: {error.strerror}") from None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise RequestInvalid(f"--inputs {shown}: is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise RequestInvalid(f"--inputs {shown}: give a JSON object of inputs by name")
    return found
