"""How long the command line takes to say something."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.context import Context
from bench.figures import Figure

WORKFLOWS = Path(__file__).parents[2] / ".awf" / "workflows"
"""Those of this checkout, which the README and the pages run."""


def measure(context: Context) -> Iterator[Figure]:
    """The installed command, in a project of the README's workflows, in turns with an interpreter that does nothing. Nothing is
    kept from one list to the next: each reads and checks every file, as the first does."""
    rounds = context.many(25, 9)
    project = context.directory("cli")
    shutil.copytree(WORKFLOWS, project / ".awf" / "workflows")
    awf = str(Path(sys.executable).with_name("awf"))
    commands = {
        "awf --version": ([awf, "--version"], 80.0),
        "awf list": ([awf, "list"], 150.0),
    }
    bare: list[float] = []
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for command, _ in commands.values():
        _time(command, project, context.environ)
    for _ in range(rounds):
        bare.append(_time([sys.executable, "-c", "pass"], project, context.environ))
        for name, (command, _) in commands.items():
            spent[name].append(_time(command, project, context.environ))
    for name, (_, limit) in commands.items():
        yield Figure(
            what=name,
            value=median(spent[name]),
            unit="ms",
            floor=median(bare),
            floor_is="python -c pass",
            limit=limit,
            of=f"median of {rounds}",
        )


def _time(command: Sequence[str], directory: Path, environ: Mapping[str, str]) -> float:
    """Milliseconds from the start of a command to its end."""
    began = time.perf_counter()
    subprocess.run(command, cwd=directory, env=dict(environ), stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000
