"""``awf respond``."""

from __future__ import annotations

import asyncio

import click

from awf.cli.candidates import executions, waiting_steps
from awf.cli.prompt import Prompter, at_terminal
from awf.errors import NotWaiting, RequestInvalid


@click.command()
@click.argument("execution", metavar="EXECUTION", shell_complete=executions("waiting"))
@click.argument("response", metavar="ANSWER", required=False)
@click.option("--comment", default="", help="Something for the record.")
@click.option(
    "--path", metavar="STEP", shell_complete=waiting_steps, help="Which step is answered, where several wait."
)
def command(execution: str, response: str | None, comment: str, path: str | None) -> None:
    """Answer what a step of an execution waits for. Without an ANSWER the question is asked here, on a terminal.

    \b
    Examples:
      awf respond 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf respond 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e approve --comment "looks good"
    """
    asyncio.run(_respond(execution, response, comment, path))


async def _respond(execution: str, response: str | None, comment: str, path: str | None) -> None:
    from awf.cli.access import open_access
    from awf.cli.show import show_line

    async with open_access() as access:
        if response is None:
            waiting = (await access.execution(execution)).waiting or []
            asked = next((each for each in waiting if path in {None, each.path}), None)
            if asked is None:
                raise NotWaiting(execution)
            if not at_terminal():
                raise RequestInvalid(f"give an answer: {asked.path} asks: {asked.prompt}")
            response, path = await Prompter().ask(f"{asked.path}: {asked.prompt}", asked.choices), asked.path
            if response is None:
                raise click.Abort
        await access.respond(execution, response, comment=comment, path=path)
    show_line(f"answered: {response}", {"execution_id": execution, "response": response})
