"""One ``kill -9`` at each kind of place of the real engine and the real server (``make chaos`` does every single one)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults.matrix import CASES, Matrix

PARTS = 4
SIDE_BY_SIDE = 2


@pytest.mark.parametrize("part", range(PARTS))
def test_a_death_at_any_kind_of_place_changes_nothing_of_what_an_execution_comes_to(
    part: int, tmp_path: Path
) -> None:
    cases, matrices = CASES[part::PARTS], []
    # Each matrix plays each of its kinds undisturbed once: neighbours are of one kind.
    share = -(-len(cases) // SIDE_BY_SIDE)
    try:
        for number in range(SIDE_BY_SIDE):
            root = tmp_path / str(number)
            root.mkdir()
            matrices.append(Matrix(root, cases[number * share : (number + 1) * share]))
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for played in [pool.submit(matrix.play) for matrix in matrices]:
                played.result()
    finally:
        for matrix in matrices:
            matrix.close()
    assert sum(matrix.deaths for matrix in matrices) == sum(len(case.points) for case in cases)
