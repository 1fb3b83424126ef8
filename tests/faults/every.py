"""The crash matrix at every single append of an execution, before and after it becomes durable: ``python -m faults.every``."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.matrix import Case, Matrix

SIDE_BY_SIDE = 3
KINDS = ("everything", "failing", "sleeping")


def play(root: Path, kinds: tuple[str, ...] = KINDS) -> int:
    """All of them, over several storage directories side by side; how many deaths there were."""
    cases = []
    for kind in kinds:
        directory = root / f"count-{kind}"
        directory.mkdir()
        matrix = Matrix(directory, [])
        try:
            most = matrix.facts(kind)
        finally:
            matrix.close()
        cases += [
            Case(kind, (f"append.{when}#{n}",)) for n in range(1, most + 1) for when in ("before", "after")
        ]
    matrices = []
    try:
        for number in range(SIDE_BY_SIDE):
            directory = root / str(number)
            directory.mkdir()
            matrices.append(Matrix(directory, cases[number::SIDE_BY_SIDE], strict=False))
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for played in [pool.submit(matrix.play) for matrix in matrices]:
                played.result()
    finally:
        for matrix in matrices:
            matrix.close()
    return sum(matrix.deaths for matrix in matrices)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="awf-every-") as directory:
        deaths = play(Path(directory))
    print(f"every append: {deaths} deaths, each execution came to what it comes to undisturbed")
    if not deaths:
        sys.exit("every append: no death came")


if __name__ == "__main__":
    main()
