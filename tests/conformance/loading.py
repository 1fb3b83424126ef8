"""Loads a workflow file of a small project as ``awf validate`` does, and shows what is said about it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from awf.catalog import Catalog
from awf.engine.linking import Linked, link
from awf.engine.ports import WorkflowFile
from awf.errors import WorkflowNotFound

DONE = "\n  done: {type: terminal}\n"


def checked(files: Mapping[str, str], name: str, environ: Mapping[str, str] | None = None) -> Linked:
    """What ``awf validate NAME`` says in a project with these files."""
    with tempfile.TemporaryDirectory(prefix="awf-conformance-") as directory:
        root = Path(directory)
        catalog = Catalog(written(root, files), environment(root, environ))
        return link(catalog.find(name), catalog)


def found(
    files: Mapping[str, str], name: str, environ: Mapping[str, str] | None = None
) -> WorkflowFile | None:
    """What the catalog finds under ``name`` in a project with these files; None where there is no such workflow."""
    with tempfile.TemporaryDirectory(prefix="awf-conformance-") as directory:
        root = Path(directory)
        catalog = Catalog(written(root, files), environment(root, environ))
        try:
            return catalog.find(name)
        except WorkflowNotFound:
            return None


def listed(files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> dict[str, WorkflowFile]:
    """Everything that ``awf list`` shows, by identifier."""
    with tempfile.TemporaryDirectory(prefix="awf-conformance-") as directory:
        root = Path(directory)
        catalog = Catalog(written(root, files), environment(root, environ))
        return {file.identifier: file for file in catalog.names()}


def written(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files below ``root``."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
    return root


def environment(root: Path, environ: Mapping[str, str] | None) -> dict[str, str]:
    """Variables for a catalog: ``$ROOT`` in their values stands for the project."""
    given = {name: value.replace("$ROOT", str(root)) for name, value in (environ or {}).items()}
    return {"HOME": str(root / "home"), **given}


def said(text: str, files: Mapping[str, str] | None = None) -> list[str]:
    """``severity line:column message`` of everything that is said about a workflow file, in order."""
    path = ".awf/workflows/main.yaml"
    linked = checked({path: text, **(files or {})}, "main")
    place = f"{path}:"
    return [
        f"{problem.severity} {str(problem.position).removeprefix(place)} {problem.message}"
        for problem in linked.problems
    ]
