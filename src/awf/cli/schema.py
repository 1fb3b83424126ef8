"""``awf schema``."""

from __future__ import annotations

import json

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of workflow files, for editors; with what installed plug-ins add.

    \b
    Example:
      awf schema > awf.schema.json
      # and at the top of a workflow: yaml-language-server: $schema=../../awf.schema.json
    """
    from awf.domain.schema import language_schema
    from awf.extensions import installed

    operations = [each.signature for each in installed().usable("operation").values()]
    states = [each.signature for each in installed().usable("state").values()]
    click.echo(json.dumps(language_schema(operations, states), indent=2, ensure_ascii=False))
