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
    from awf.cli.options import current
    from awf.cli.project import settings_of
    from awf.cli.show import note, show_rows
    from awf.domain.secrets import MASK, is_secret
    from awf.settings import SETTINGS

    settings = settings_of()
    configuration = read_configuration(settings.config, settings.root)
    absent = "" if settings.config.exists() else " (there is none)"
    if current().format in {"text", "table"}:
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
    show_rows(
        ("setting", "value", "source"),
        rows,
        {
            "project": str(settings.root),
            "file": str(settings.config),
            "settings": [{"setting": key, "value": value, "source": source} for key, value, source in rows],
            "warnings": [str(problem) for problem in configuration.warnings],
        },
    )
    for problem in configuration.warnings:
        note(f"{problem.position}: {problem.severity}: {problem.message}")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or "-"
    return "-" if value is None else str(value)
