"""An operation: ``operation: sample.count_words``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awf.plugin import OperationContext, OperationFailed, Parameter, Signature


class CountWords:
    """Counts the words of a text; fails where there are too few."""

    api_version = 1
    signature = Signature(
        "sample.count_words",
        "Count the words of a text.",
        (
            Parameter("text", description="The text.", required=True),
            Parameter("least", "integer", "Fail where there are fewer.", default=0, minimum=0),
        ),
        {"words": "How many there are.", "longest": "The longest."},
    )

    async def perform(self, inputs: Mapping[str, Any], context: OperationContext) -> Mapping[str, Any]:
        """Count them."""
        del context
        words = inputs["text"].split()
        if len(words) < inputs["least"]:
            raise OperationFailed(f"only {len(words)} words")
        return {"words": len(words), "longest": max(words, key=len, default="")}
