"""The ``awf`` command. Subcommands are imported when they are called, so that the others start at once."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from awf import __version__
from awf.errors import AwfError, UserError

COMMANDS = {
    "config": "Show the settings, and where they come from.",
    "db": "Check, copy and compact the database of a storage directory.",
    "list": "List the workflows that can be run.",
    "run": "Run a workflow here, in the foreground.",
    "schema": "Print the JSON Schema of workflow files.",
    "serve": "Run the HTTP server.",
    "stop": "Stop the servers and engines of a storage directory.",
    "validate": "Check a workflow, by name or by path.",
}


class LazyGroup(click.Group):
    """A group whose commands live in ``awf.cli.<name>``, one per file, as ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module("awf.cli." + cmd_name)
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="awf")
def awf() -> None:
    """Run YAML state machines, durably, and drive them over HTTP."""


def main(arguments: list[str] | None = None) -> Any:
    """Entry point. An error ends with one paragraph on standard error and the exit status of its class."""
    click.UsageError.exit_code = UserError.exit_status
    try:
        return awf.main(arguments, prog_name="awf", standalone_mode=True)
    except AwfError as error:
        click.echo(f"awf: {error.message}", err=True)
        sys.exit(error.exit_status)
