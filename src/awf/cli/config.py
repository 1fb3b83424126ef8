"""``awf config``."""

from __future__ import annotations

import json

import click


@click.group()
def command() -> None:
    """Look at the configuration.

    \b
    Example:
      awf config show
    """


@command.command()
def show() -> None:
    """Show every setting with its value and where it comes from, and what is wrong with the file.

    \b
    Example:
      awf config show
    """
    from awf.catalog.configuration import OTHERS, read_configuration
    from awf.cli.project import settings_of
    from awf.domain.secrets import MASK, is_secret
    from awf.settings import SETTINGS

    settings = settings_of()
    configuration = read_configuration(settings.config, settings.root)
    absent = "" if settings.config.exists() else " (there is none)"
    click.echo(f"project: {settings.root}\nfile:    {settings.config}{absent}\n")
    rows = [
        (setting.key, _shown(getattr(settings, setting.name)), settings.sources.get(setting.name, "default"))
        for setting in SETTINGS
    ]
    for key in OTHERS:
        source = f"{settings.config}: {key}" if key in configuration.others else "default"
        rows.append((key, configuration.others.get(key, "-"), source))
    for name, value in configuration.inputs.items():
        shown = MASK if is_secret(name) else json.dumps(value, ensure_ascii=False)
        rows.append((f"inputs.{name}", shown, f"{settings.config}: inputs.{name}"))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for key, value, source in rows:
        click.echo(f"{key.ljust(widths[0])}  {value.ljust(widths[1])}  {source}")
    for problem in configuration.warnings:
        click.echo(f"{problem.position}: {problem.severity}: {problem.message}", err=True)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or "-"
    return "-" if value is None else str(value)
