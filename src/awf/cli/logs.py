"""``awf logs``."""

from __future__ import annotations

import asyncio

import click

from awf.cli.candidates import executions, steps_of_execution


@click.command()
@click.argument("execution", metavar="EXECUTION", shell_complete=executions())
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, to the end of the execution.")
@click.option(
    "-s",
    "--step",
    "steps",
    multiple=True,
    metavar="STEP",
    shell_complete=steps_of_execution,
    help="Only of this step; repeatable.",
)
@click.option("--stream", type=click.Choice(["stdout", "stderr"]), help="Only this stream.")
def command(execution: str, steps: tuple[str, ...], stream: str | None, *, follow: bool) -> None:
    """Show what the steps of an execution have written, in the order in which they wrote it.

    With --format json one line per piece of output. (-f alone follows here; `awf -f json logs` or --format sets the format.)

    \b
    Examples:
      awf logs 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e
      awf logs 2f6c1a8e-5a1d-4a58-b7b5-0d8a4f6c8f1e --follow --step build
    """
    asyncio.run(_logs(execution, frozenset(steps), stream, follow=follow))


async def _logs(execution: str, steps: frozenset[str], stream: str | None, *, follow: bool) -> None:
    import contextlib
    import json

    from awf.cli.access import open_access
    from awf.cli.options import current
    from awf.cli.outlet import Outlet
    from awf.domain.suggest import did_you_mean
    from awf.errors import RequestInvalid

    options = current()
    outlet, headed = Outlet(), ""
    begun: set[str] = set()
    async with (
        open_access() as access,
        contextlib.aclosing(access.events(execution, follow=follow)) as events,
    ):
        async for event in events:
            data = event.data
            if event.name == "step.started":
                begun.update((event.path, data["step_name"]))
            if event.name != "output" or (stream and data["stream"] != stream):
                continue
            if steps and not steps.intersection((event.path, data["step_name"])):
                continue
            if options.format == "json":
                click.echo(json.dumps({"step": event.path, **data}, ensure_ascii=False))
                continue
            if event.path != headed and options.format in {"text", "table"}:
                # On standard error, so that standard output holds the steps' words alone.
                outlet.line(click.style(f"== {event.path}", bold=True))
                headed = event.path
            outlet.pass_on(data["output"], err=data["stream"] == "stderr")
            if data.get("truncated"):
                outlet.line(f"== {event.path} wrote more than is kept here")
    for step in sorted(steps - begun):
        raise RequestInvalid(f"no step '{step}' has run in execution {execution}{did_you_mean(step, begun)}")
