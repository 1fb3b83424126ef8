"""``awf run``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from awf.cli.candidates import files, inputs, states, workflows
from awf.cli.given import ask_missing, collect_inputs
from awf.cli.options import chosen_server, current
from awf.cli.show import show_line
from awf.errors import RequestInvalid, SystemFault

if TYPE_CHECKING:
    from awf.cli.view import Shown
    from awf.engine.ports import WorkflowFile
    from awf.settings import Settings


class RunCommand(click.Command):
    """Its help also shows the inputs of the workflow that is named beside ``--help``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[__name__] = list(args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        given, _, _ = self.make_parser(ctx).parse_args(list(ctx.meta.get(__name__, ())))
        name = given.get("workflow")
        if not isinstance(name, str):
            return
        if (server := chosen_server()) is not None:
            _format_inputs_there(server, name, formatter)
        else:
            from awf.cli.inputs import format_file
            from awf.cli.project import named_workflow

            format_file(named_workflow(name), formatter)


@click.command(cls=RunCommand)
@click.argument("workflow", metavar="NAME|PACK/NAME|PATH", shell_complete=workflows)
@click.option(
    "-i",
    "--input",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=inputs,
    help="An input; repeatable. VALUE can be @prompts/NAME: the text of a prompt file.",
)
@click.option(
    "--inputs",
    "source",
    metavar="FILE|-",
    shell_complete=files,
    help="A file with a JSON object of inputs; - reads stdin.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["streaming", "buffered", "silent"]),
    help="When steps' output is shown: as it comes, when the step has ended, not at all (default: a live view on a "
    "terminal, streaming elsewhere).",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--interactive", is_flag=True, help="Stop before steps, and ask what to do.")
@click.option(
    "-b",
    "--breakpoint",
    "breakpoints",
    multiple=True,
    metavar="STEP",
    shell_complete=states,
    help="With --interactive: stop before this step only; repeatable.",
)
@click.option(
    "-s",
    "--step",
    metavar="STEP",
    shell_complete=states,
    help="Run this one step by itself, without a record; see --mock.",
)
@click.option(
    "-m",
    "--mock",
    "mocks",
    multiple=True,
    metavar="states.STEP.FIELD=VALUE",
    help="With --step: what an earlier step has left (output, stderr, exit_code); repeatable.",
)
@click.option("--detach", is_flag=True, help="Leave it to an engine in the background; print its id.")
def command(
    workflow: str,
    pairs: tuple[str, ...],
    source: str | None,
    output: Shown | None,
    breakpoints: tuple[str, ...],
    step: str | None,
    mocks: tuple[str, ...],
    *,
    dry_run: bool,
    interactive: bool,
    detach: bool,
) -> None:
    """Run a workflow here, in the foreground, and show what it does.

    The execution is recorded like any other: a server over the same storage shows it, streams it and can cancel it. If
    this process dies, an engine takes the execution over. Ctrl-C cancels it; a second one ends its processes at once.

    Required inputs that nothing gives are asked for on a terminal, and so is what a step waits for. `awf run NAME --help`
    also shows the inputs of that workflow.

    The exit status is 0, the exit code that the workflow's terminal or inline failure names, 3 for another failure, or
    130 after a cancel; 1, 2 and 4 say why nothing was started.

    With --server the workflow of that name runs there, and is watched here; Ctrl-C cancels it.

    \b
    Examples:
      awf run deploy-app -i environment=staging
      awf run ./drafts/release.yaml --inputs inputs.json
      awf run code-review -i file=main.go -i prompt=@prompts/review.md
      awf run deploy-app --interactive -b deploy
      awf run deploy-app --step deploy -m states.build.output=app.tar
      awf run deploy-app --server http://build:2511
    """
    from awf.cli.project import named_workflow, settings_of
    from awf.compose import prepare_process

    _check_together(interactive, breakpoints, step, mocks, dry_run=dry_run, detach=detach)
    if (server := chosen_server()) is not None:
        _check_remote(interactive=interactive, step=step is not None, dry_run=dry_run)
        inputs = collect_inputs(pairs, source, settings_of().root)
        sys.exit(asyncio.run(_there(server, workflow, inputs, output, detach=detach)))
    settings = settings_of()
    inputs = collect_inputs(pairs, source, settings.root)
    file = named_workflow(workflow)
    if breakpoints and file.loaded.workflow is not None:
        from awf.cli.breakpoints import check_names

        check_names(breakpoints, file.loaded.workflow)
    prepare_process()
    if dry_run:
        from awf.cli.dryrun import show_plan

        return show_plan(settings, file, inputs)
    inputs = _complete(settings, file, inputs)
    if step is not None:
        from awf.cli.single import run_step

        sys.exit(asyncio.run(run_step(settings, file, inputs, step, mocks, output)))
    if detach:
        execution_id = asyncio.run(_detached(settings, file, inputs))
        show_line(execution_id, {"execution_id": execution_id}, name=execution_id)
        return None
    from awf.cli.foreground import Manner, run_here

    sys.exit(asyncio.run(run_here(settings, file, inputs, Manner(output, interactive, breakpoints))))


def _check_together(
    interactive: bool,
    breakpoints: tuple[str, ...],
    step: str | None,
    mocks: tuple[str, ...],
    *,
    dry_run: bool,
    detach: bool,
) -> None:
    """Raises RequestInvalid for options that mean nothing together."""
    if breakpoints and not interactive:
        raise RequestInvalid("--breakpoint needs --interactive")
    if mocks and step is None:
        raise RequestInvalid("--mock needs --step")
    modes = {
        "--dry-run": dry_run,
        "--interactive": interactive,
        "--step": step is not None,
        "--detach": detach,
    }
    chosen = [name for name, given in modes.items() if given]
    if len(chosen) > 1:
        raise RequestInvalid(f"{' and '.join(chosen)} do not go together")
    if interactive and not sys.stdin.isatty():
        raise RequestInvalid("--interactive needs a terminal to ask at")


def _complete(settings: Settings, file: WorkflowFile, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs, with what is missing asked for where somebody can be asked."""
    from awf.catalog.configuration import read_configuration
    from awf.cli.prompt import at_terminal

    workflow = file.loaded.workflow
    if workflow is None or not at_terminal() or current().format not in {"text", "table"}:
        return inputs
    defaults = read_configuration(settings.config, settings.root).inputs
    return ask_missing(workflow, inputs, defaults, settings.working_dir)


def _check_remote(**here: bool) -> None:
    """Raises RequestInvalid for what needs the workflow and its engine on this machine."""
    for name, given in here.items():
        if given:
            option = name.replace("_", "-")
            raise RequestInvalid(
                f"--{option} works on this machine only, not with a server (--server, AWF_SERVER)"
            )


async def _there(
    server: str, workflow: str, inputs: dict[str, Any], output: Shown | None, *, detach: bool
) -> int:
    from awf.cli.afar import start_there, watch_there
    from awf.cli.remote import RemoteAccess

    async with RemoteAccess(server) as access:
        execution = await start_there(access, workflow, inputs)
        if detach:
            show_line(execution, {"execution_id": execution}, name=execution)
            return 0
        return await watch_there(access, execution, output)


def _format_inputs_there(server: str, workflow: str, formatter: click.HelpFormatter) -> None:
    from awf.cli.given import declared_inputs
    from awf.cli.inputs import format_inputs

    try:
        document = asyncio.run(_document(server, workflow))
    except SystemFault as error:
        # The rest of the help needs no server.
        with formatter.section(f"Inputs of {workflow}"):
            formatter.write_text(error.message)
    else:
        format_inputs(workflow, document.get("description") or "", declared_inputs(document), formatter)


async def _document(server: str, workflow: str) -> dict[str, Any]:
    from awf.cli.remote import RemoteAccess

    async with RemoteAccess(server) as access:
        return await access.workflow(workflow)


async def _detached(settings: Settings, file: WorkflowFile, inputs: dict[str, Any]) -> str:
    from awf.cli.local import LocalAccess

    async with LocalAccess(settings) as access:
        return await access.run_file(file, inputs)
