"""The statements: one per file under ``queries``, named by what it does."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_QUERIES = Path(__file__).with_name("queries")


@cache
def statement(name: str) -> str:
    """The text of ``queries/<name>.sql``."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
