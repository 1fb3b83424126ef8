"""``awf diagram``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from awf.cli.candidates import states, workflows
from awf.errors import GraphvizMissing, RequestInvalid, SystemFault

if TYPE_CHECKING:
    from awf.domain.diagram import Direction

_BY_EXTENSION = {
    ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid", ".svg": "svg",
}  # fmt: skip

PATIENCE = 60
"""Seconds in which Graphviz must have drawn it."""


@click.command()
@click.argument("workflow", metavar="NAME|PACK/NAME|PATH", shell_complete=workflows)
@click.option(
    "-t",
    "--type",
    "kind",
    type=click.Choice(["dot", "mermaid", "svg"]),
    help="What is written (default: by the extension of --output, else dot). svg needs Graphviz.",
)
@click.option(
    "--direction",
    type=click.Choice(["TB", "LR", "BT", "RL"]),
    default="TB",
    show_default=True,
    help="Where the graph grows to: from top to bottom, left to right, or back.",
)
@click.option(
    "--highlight",
    multiple=True,
    metavar="STEP",
    shell_complete=states,
    help="Fill this step with a colour; repeatable.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to a file."
)
def command(
    workflow: str, kind: str | None, direction: Direction, highlight: tuple[str, ...], output: Path | None
) -> None:
    """Draw the graph of a workflow, as DOT (for Graphviz), Mermaid, or SVG.

    \b
    Examples:
      awf diagram deploy-app --output deploy.svg
      awf diagram deploy-app --type mermaid --direction LR
      awf diagram deploy-app --highlight deploy | dot -Tpng > deploy.png
    """
    from awf.cli.project import named_workflow
    from awf.domain.diagram import dot, mermaid
    from awf.domain.suggest import did_you_mean
    from awf.errors import ErrorEntry, WorkflowInvalid

    file = named_workflow(workflow)
    found = file.loaded.workflow
    if found is None:
        entries = [ErrorEntry(str(problem.position), problem.message) for problem in file.loaded.errors]
        text = "; ".join(map(str, file.loaded.errors))
        raise WorkflowInvalid(f"workflow '{file.identifier}' is invalid: {text}", entries=entries)
    for name in highlight:
        if name not in found.states:
            raise RequestInvalid(
                f"--highlight: no step '{name}'{did_you_mean(name, found.states)}",
                remedy=f"one of {', '.join(found.states)}",
            )
    if kind is None:
        kind = _BY_EXTENSION.get(output.suffix.lower(), "dot") if output else "dot"
    text = (mermaid if kind == "mermaid" else dot)(found, direction, highlight)
    if kind == "mermaid" and output is not None and output.suffix == ".md":
        text = f"```mermaid\n{text}```\n"
    if kind == "svg":
        text = _drawn(text)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _drawn(text: str) -> str:
    """DOT as SVG. Raises SystemFault."""
    program = shutil.which("dot")
    if program is None:
        raise GraphvizMissing
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=text, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise SystemFault(f"Graphviz has not drawn the graph within {PATIENCE} s") from None
    if done.returncode:
        raise SystemFault(f"Graphviz cannot draw the graph: {done.stderr.strip()}")
    return done.stdout
