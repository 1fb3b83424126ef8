"""The ``awf`` command. Subcommands are imported when they are called, so that the others start at once."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awf import __version__
from awf.cli.options import REMOTE, Options, current, share, shared

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "cancel": "Cancel executions.",
    "completion": "Print what makes a shell complete awf's commands.",
    "config": "Show the settings, and where they come from.",
    "db": "Check, copy and compact the database of a storage directory.",
    "diagram": "Draw the graph of a workflow.",
    "error": "Explain the codes of errors.",
    "events": "Show what has happened to an execution, or watch it.",
    "history": "List finished executions, or count them.",
    "init": "Make an .awf directory here, with a workflow to try.",
    "list": "List the workflows that can be run.",
    "logs": "Show what the steps of an execution have written.",
    "mcp-serve": "Give an agent's tool operations as MCP tools (awf starts it).",
    "operations": "List what operations can do, with their inputs.",
    "respond": "Answer what a step of an execution waits for.",
    "resume": "Go on where a failed or cancelled execution ended.",
    "run": "Run a workflow here, in the foreground.",
    "schema": "Print the JSON Schema of workflow files.",
    "serve": "Run the HTTP server.",
    "status": "Show an execution with its steps, or the latest ones.",
    "stop": "Stop the servers and engines of a storage directory.",
    "transcript": "Show what the agents of an execution were asked and said.",
    "validate": "Check workflows, by name or by path.",
    "worker": "Run an engine here, in the foreground.",
    "workflow": "Install, list and remove packs.",
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
        module = importlib.import_module("awf.cli." + cmd_name.replace("-", "_"))
        command = module.command
        assert isinstance(command, click.Command)
        return share(command, remote=cmd_name in REMOTE)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run what the command line says, or answer a shell that completes it."""
        if "_AWF_COMPLETE" in os.environ:
            importlib.import_module("awf.cli.completion")
        return super().main(*args, **options)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named, and what is left for it."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None
        if ctx.resilient_parsing and command is not None:
            from awf.cli.completion import without_open_option

            rest = without_open_option(command, rest)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run one. Where nobody reads what it shows, it ends without a word."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            from awf.cli.unread import UNREAD, drop_unread

            drop_unread()
            return UNREAD

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands, without importing any; options."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, text in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, params=[*shared()])
@click.version_option(__version__, prog_name="awf")
@click.pass_context
def awf(context: click.Context) -> None:
    """Run YAML state machines, durably, and drive them over HTTP.

    The options below can also stand after the command.

    \b
    Examples:
      awf init
      awf run example
      awf -f json history
      awf --server http://build:2511 run deploy-app
    """
    if current().server is not None and context.invoked_subcommand not in REMOTE:
        from awf.errors import RequestInvalid

        raise RequestInvalid(f"awf {context.invoked_subcommand} works on this machine; it has no --server")


def main(arguments: list[str] | None = None) -> None:
    """Entry point. An error ends with one paragraph on standard error and the exit status of its class."""
    _open_streams()
    given = sys.argv[1:] if arguments is None else arguments
    options = Options()
    try:
        status = awf.main(given, prog_name="awf", standalone_mode=False, obj=options)
    except click.exceptions.NoArgsIsHelpError as error:
        from awf.errors import UserError

        click.echo(error.format_message(), err=True)
        status = UserError.exit_status
    except (KeyboardInterrupt, click.Abort):
        from awf.cli.faults import INTERRUPTED

        click.echo("awf: interrupted", err=True)
        status = INTERRUPTED
    except Exception as error:
        from awf.cli.faults import tell, wants_json

        # The command alone: its arguments may hold secrets.
        command = next((word for word in given if word in COMMANDS), "")
        if isinstance(error, UnicodeError) and (words := [each for each in given if not _is_text(each)]):
            from awf.errors import RequestInvalid

            error = RequestInvalid(f"{words[0]!a} is not valid UTF-8")
        as_json = options.format == "json" or wants_json(given)
        status = tell(error, command=command, as_json=as_json, verbose=options.verbose)
    if arguments is None:
        # The process ends, and its memory with it: looking through that for garbage took a twelfth of `awf list`.
        gc.freeze()
    sys.exit(status if isinstance(status, int) else 0)


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _open_streams() -> None:
    """Lead streams that are closed nowhere: the next file that is opened, a database, would be in their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as we live
