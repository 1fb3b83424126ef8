"""Steps, agents and files can say what moves the cursor of a terminal, colours it or renames it: where awf tells of them, in its
own lines, that is left out."""

from __future__ import annotations

import re

_CONTROLS = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]"


def visible(text: str) -> str:
    """Text without what a terminal obeys instead of showing it; line feeds and tabs stay."""
    return text if text.isprintable() else re.sub(_CONTROLS, "", text)
