"""``awf mcp-serve``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="What an engine has written for it: which operations, whose they are, and with which settings.",
)
def command(config: Path) -> None:
    """Give operations to the tool of an agent, as an MCP server on standard input and output.

    The engine has it started by the agent's tool where a state has an `mcp_proxy`; it ends with that tool. There is no need to
    start it yourself.

    \b
    Example:
      awf mcp-serve --config .awf/storage/attempts/ID/mcp-serve.json
    """
    import asyncio
    import contextlib
    import logging
    import os
    import sys

    from awf.compose import build_operations, prepare_process
    from awf.engine.clock import SystemClock
    from awf.runners.mcp.configuration import read_configuration
    from awf.runners.mcp.stdio import serve
    from awf.runners.mcp.tools import OperationTools
    from awf.settings import load_settings

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    prepare_process()
    given = read_configuration(config)
    # As in the engine, whatever the agent's tool has made of it.
    os.environ.clear()
    os.environ.update(given.environ)
    with contextlib.suppress(OSError):  # where relative paths in it are meant from
        os.chdir(given.working_dir)
    settings = load_settings(Path(given.root), given.environ, given.settings)
    asyncio.run(serve(OperationTools(build_operations(settings), given, SystemClock())))
