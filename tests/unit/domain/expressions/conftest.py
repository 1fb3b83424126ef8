from __future__ import annotations

from typing import Any

import pytest

from awf.domain.expressions import evaluate, parse_expression
from awf.domain.problems import Position

PLACE = Position("flow.yaml", 12, 9)

SCOPE: dict[str, Any] = {
    "inputs": {
        "n": "5",
        "zip": "007",
        "ratio": "0.50",
        "version": "1.10",
        "flag": "True",
        "off": "false",
        "word": "yes",
        "typed": 42,
        "tags": ["red", "blue"],
        "my-name": "dash",
        "key": "name",
        "at": "1",
    },
    "states": {
        "build": {
            "Output": "line one\nready\n\n",
            "Stderr": "warned\r\n",
            "ExitCode": 0,
            "Status": "completed",
            "Response": {"name": "blue", "count": 3},
            "JSON": {"items": [1, 2, 3], "5": "five", "deep": {"list": [{"a": 1}, {"a": 2}]}},
            "TokensUsed": 12,
        },
        "run-tests": {"Output": "", "Stderr": "", "ExitCode": 3, "Status": "failed"},
    },
    "env": {"N": "7", "HOME": "/home/me", "CI": "true"},
    "workflow": {"ID": "wf-1", "Name": "demo"},
    "loop": {"Item": {"id": 4}, "Index": 2, "Index1": 3, "First": False, "Last": True, "Length": 3, "Parent": None},
    "context": {"WorkingDir": "/srv", "User": "me", "Hostname": "box"},
}  # fmt: skip


@pytest.fixture
def value():
    def value_of(source: str, scope: dict[str, Any] = SCOPE) -> Any:
        return evaluate(parse_expression(source, PLACE), scope)

    return value_of
