"""``awf schema``."""

from __future__ import annotations

import json

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of workflow files, for editors.

    \b
    Example:
      awf schema > awf.schema.json
      # and at the top of a workflow: yaml-language-server: $schema=../../awf.schema.json
    """
    from awf.domain.schema import language_schema

    click.echo(json.dumps(language_schema(), indent=2, ensure_ascii=False))
