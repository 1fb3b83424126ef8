"""The options that every command takes, before its name or after it: ``awf -f json list`` is ``awf list -f json``.

``share`` gives them to a command that has been loaded; what was said last counts. A command's own short option wins over a
shared one: ``awf logs -f`` follows.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click

Format: TypeAlias = Literal["text", "json", "table", "quiet"]
REMOTE = frozenset({
    "cancel", "events", "history", "list", "logs", "respond", "resume", "run", "status", "transcript", "validate",
})  # fmt: skip
"""The commands that can speak to a server elsewhere."""
SHARED = (
    "Every command also takes -f text|json|table|quiet, -q, -v, --no-color and --storage; see `awf --help`."
)
FORMATS: tuple[Format, ...] = ("text", "json", "table", "quiet")


class Options:
    """What the shared options say. ``color`` False: no colours, whatever the terminal can. ``verbose``: tell more.
    ``server``: the URL of the server to speak to, instead of the store here."""

    def __init__(self, *, storage: Path | None = None, server: str | None = None) -> None:
        self.format: Format = "text"
        self.color = True
        self.verbose = False
        self.storage = storage
        self.server = server

    @property
    def quiet(self) -> bool:
        """Only what programs want: ids and names, no notes."""
        return self.format == "quiet"


def current() -> Options:
    """The options of the command that runs; the defaults outside of one."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Options) if context is not None else None
    return found if found is not None else Options()


def shared() -> list[click.Option]:
    """The options, new ones for every command that takes them."""
    return [
        click.Option(
            ["-f", "--format"],
            type=click.Choice(FORMATS),
            help="How results are shown: text, json for programs, table with a frame, quiet for names and ids alone.",
            **_noted("format"),
        ),
        click.Option(["-q", "--quiet"], is_flag=True, help="The same as --format quiet.", **_noted("quiet")),
        click.Option(
            ["--no-color"], is_flag=True, help="No colours; so does NO_COLOR.", **_noted("no_color")
        ),
        click.Option(["-v", "--verbose"], is_flag=True, help="Tell more.", **_noted("verbose")),
        click.Option(
            ["--storage"],
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Storage directory (default: .awf/storage in the project; AWF_STORAGE).",
            **_noted("storage"),
        ),
        click.Option(
            ["--server"],
            metavar="URL",
            help="Speak to the server there, not to the storage here (AWF_SERVER).",
            **_noted("server"),
        ),
    ]


def chosen_server() -> str | None:
    """The URL of the server that the command is to speak to; None for the storage here. What the command line says wins over
    the environment. Raises RequestInvalid where it says both."""
    options = current()
    if options.server is None:
        return None if options.storage is not None else os.environ.get("AWF_SERVER") or None
    from awf.errors import RequestInvalid

    if not options.server:
        raise RequestInvalid("--server needs the URL of a server, as in --server http://localhost:2511")
    if options.storage is not None:
        raise RequestInvalid("--server and --storage do not go together: a server has its own storage")
    return options.server


def again() -> str:
    """``awf`` with the ``--server`` or ``--storage`` of this command line, for the commands that it suggests."""
    import shlex

    options = current()
    if options.server:
        return f"awf --server {shlex.quote(options.server)}"
    return f"awf --storage {shlex.quote(str(options.storage))}" if options.storage is not None else "awf"


def share(command: click.Command, *, remote: bool) -> click.Command:
    """Give a loaded command, and those below it, the shared options that it does not have; ``remote`` ones ``--server`` too.
    Twice is safe."""
    taken = {name for option in command.params for name in option.opts}
    for option in shared():
        if option.name == "server" and not remote:
            continue
        if not taken.intersection(name for name in option.opts if name.startswith("--")):
            option.opts = [name for name in option.opts if name not in taken]
            option.hidden = True
            command.params.append(option)
    command.epilog = command.epilog or SHARED
    if isinstance(command, click.Group):
        for below in command.commands.values():
            share(below, remote=remote)
    return command


def _noted(name: str) -> dict[str, Any]:
    """How an option is kept: in the one :class:`Options` of the call, and early, so that errors are shown as asked."""

    def note(context: click.Context, _: click.Parameter, value: Any) -> None:
        options = context.ensure_object(Options)
        if name == "no_color":
            options.color = options.color and not value and not os.environ.get("NO_COLOR")
            if not options.color:
                context.color = False
        elif name == "quiet":
            options.format = "quiet" if value else options.format
        elif value:
            setattr(options, name, value)

    return {"callback": note, "expose_value": False, "is_eager": True}
