"""Values are data, never code, in every shell that steps may run in: none may be missing here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shells.corpus import differences
from shells.properties import PROPERTIES, Property
from shells.running import EVERY_SHELL

EXAMPLES = 100


@pytest.fixture(params=EVERY_SHELL)
def shell(request: pytest.FixtureRequest) -> str:
    assert shutil.which(request.param), f"{request.param} is not installed; tests/system/setup.sh does that"
    return request.param


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_values_of_any_text_are_data(holds: Property, shell: str) -> None:
    holds(shell, EXAMPLES)


def test_commands_do_the_same_with_harmless_values_as_with_pasted_text(shell: str, tmp_path: Path) -> None:
    assert differences(shell, tmp_path) == []
