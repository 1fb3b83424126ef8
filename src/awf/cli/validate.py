"""``awf validate``."""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.argument("workflow", metavar="NAME|PACK/NAME|PATH")
def command(workflow: str) -> None:
    """Check a workflow and show everything that is wrong with it.

    \b
    Examples:
      awf validate deploy-app
      awf validate my-pack/deploy-app
      awf validate ./drafts/release.yaml
    """
    from awf.catalog import Catalog
    from awf.cli.project import settings_of, workflow_file
    from awf.engine.linking import link
    from awf.errors import WorkflowInvalid

    settings = settings_of()
    catalog = Catalog(settings.root, os.environ, settings.storage)
    file = workflow_file(catalog, workflow)
    linked = link(file, catalog)
    for problem in linked.problems:
        click.echo(f"{problem.position}: {problem.severity}: {problem.message} [{problem.code}]")
    errors, warnings = len(linked.errors), len(linked.warnings)
    if errors:
        click.echo(f"{file.identifier}: {errors} error{'s' * (errors != 1)}", err=True)
        sys.exit(WorkflowInvalid.exit_status)
    click.echo(
        f"{file.identifier}: valid" + (f", {warnings} warning{'s' * (warnings != 1)}" if warnings else "")
    )
