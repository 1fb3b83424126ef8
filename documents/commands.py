"""The page of the command line, from its commands. ``python -m documents.commands`` writes it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from awf.cli.main import awf
from awf.cli.options import REMOTE, shared

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"

_BEGINNING = """\
# The command line

Made of what `awf COMMAND --help` says, by `make docs`.

A command works in the project that the current directory belongs to: the nearest directory upwards that has `.awf/`, else the
current one. What it runs is in the same storage as what servers run: `awf run` shows up in the API at once, and the other way round.

## Exit status

| status | why |
| --- | --- |
| 0 | it did what it was asked for |
| 1 | the command line, an input or a setting is wrong, or what is named does not exist |
| 2 | a workflow file, or a pack, is wrong |
| 3 | a workflow has failed, unless it says a status of its own |
| 4 | the machine: disk, network, permissions, or a fault in awf itself |
| 130 | it was cancelled, or interrupted |
| 141 | nobody reads what it shows any more (`awf events -f ID \\| head`) |

An error is one paragraph on standard error: what, where (`file:line:col`), what to try; with `-f json` an object with the same, and
with its code. `awf error CODE` explains a code.

## On a terminal

`awf run` and `awf events -f` draw what runs at the bottom, with the time it has taken and the last line it wrote; what is over moves
up, one line each, nested blocks indented. Into a pipe or a file they write plain lines: what steps write to standard output
and standard error there, unchanged, and awf's own lines to standard error. `NO_COLOR` and `--no-color` turn awf's own colours off, not
those that a step writes into a pipe, a file or with `-o`. Ctrl-C once cancels a run gracefully, twice ends its processes at once; it ends the watching alone in `awf events`.

`awf run` goes on to its end also where nobody reads what it shows (`awf run NAME | head`), and has the exit status of the workflow.
"""


def page() -> str:
    """The whole page."""
    parts = [_BEGINNING, "## Options of every command", *_options(shared())]
    parts.append("They can stand before the command or after it.")
    context = click.Context(awf, info_name="awf")
    for name in awf.list_commands(context):
        command = awf.get_command(context, name)
        assert command is not None
        parts += _command(f"awf {name}", command, context, remote=name in REMOTE)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def main() -> None:
    """Write it."""
    PAGE.write_text(page(), encoding="utf-8")


def _command(
    name: str, command: click.Command, above: click.Context, *, remote: bool, level: int = 2
) -> Iterator[str]:
    """A command, and those below it."""
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=above)
    yield f"{'#' * level} {name}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"`{name} {usage}`".replace(" `", "`")
    yield from _paragraphs(command.help or "")
    yield from _options([option for option in command.params if isinstance(option, click.Option)])
    if remote and level == 2:
        yield "Also of a server elsewhere, with `--server URL` or `AWF_SERVER`."
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from _command(f"{name} {below}", found, context, remote=remote, level=level + 1)


def _paragraphs(text: str) -> Iterator[str]:
    """The help of a command: running text, and examples as they are."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            title, _, lines = paragraph.removeprefix("\b").lstrip("\n").partition("\n")
            yield title
            yield f"```text\n{inspect.cleandoc(lines)}\n```"
        else:
            yield _escaped(" ".join(paragraph.split()))


def _options(options: list[click.Option]) -> Iterator[str]:
    """A table of options, without those that every command has."""
    rows = [
        f"| {_names(option)} | {_cell(option.help or '')}{_default(option)} |"
        for option in options
        if not option.hidden
    ]
    if rows:
        yield "\n".join(["| option | meaning |", "| --- | --- |", *rows])


def _names(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_cell(option.make_metavar(click.Context(awf)))}"
    return ", ".join(f"`{name}`" for name in option.opts) + (f" `{value.strip()}`" if value else "")


def _default(option: click.Option) -> str:
    return f" (default: {option.default})" if option.show_default else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _escaped(text: str) -> str:
    """Text outside code in which no letter means anything to Markdown."""
    return re.sub(r"(?<!`)\*(?!`)", r"\\*", text)


if __name__ == "__main__":
    main()
