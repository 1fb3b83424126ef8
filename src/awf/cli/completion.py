"""``awf completion``: what makes shells ask for the candidates of :mod:`awf.cli.candidates`."""

from __future__ import annotations

import itertools
from typing import ClassVar

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

_BREAKS = {"=", ":"}
_OFFERED = "COMPREPLY+=($value)\n"
_NO_SPACE_AFTER_KEY = f"{_OFFERED}            [[ $value == *= ]] && compopt -o nospace\n"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete commands, options, workflows, executions, steps, inputs, packs and codes.

    \b
    Examples:
      awf completion bash > ~/.local/share/bash-completion/completions/awf
      awf completion zsh > "${fpath[1]}/_awf"
      awf completion fish > ~/.config/fish/completions/awf.fish
    """
    from awf.cli.main import awf

    found = get_completion_class(shell)
    assert found is not None
    complete = found(awf, {}, "awf", "_AWF_COMPLETE")
    click.echo(complete.source_template % complete.source_vars())


class KeysInBash(BashComplete):
    """Bash takes ``KEY=VALUE`` for three words, ``http://host`` too, and puts a space behind what it has completed."""

    source_template: ClassVar[str] = BashComplete.source_template.replace(_OFFERED, _NO_SPACE_AFTER_KEY)
    _key = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words, with the parts of ``KEY=VALUE`` together."""
        before, incomplete = super().get_completion_args()
        *words, last = _joined([*before, incomplete])
        self._key = last if incomplete in _BREAKS else last.removesuffix(incomplete)
        return words, last

    def format_completion(self, item: CompletionItem) -> str:
        """A candidate, without what bash takes for words before it."""
        return f"{item.type},{item.value.removeprefix(self._key)}"


def without_open_option(command: click.Command, words: list[str]) -> list[str]:
    """Words without a last one that is an option whose value is being typed: click would understand none of them."""
    for option in command.params:
        if words and words[-1] in option.opts and isinstance(option, click.Option) and not option.is_flag:
            return words[:-1]
    return words


def _joined(words: list[str]) -> list[str]:
    """Words, with ``KEY=VALUE`` and URLs as one; ``--option=VALUE`` is left to click."""
    joined = words[:1]
    for before, word in itertools.pairwise(words):
        begins = word in _BREAKS and not before.startswith("-")
        goes_on = word and before in _BREAKS and joined[-1].endswith(before) and joined[-1] != before
        if begins or goes_on:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


class AutoloadedInZsh(ZshComplete):
    """Zsh runs the whole file each time, but in the place of ``loadautofunc`` the first time alone."""

    source_template: ClassVar[str] = ZshComplete.source_template.replace(
        "$zsh_eval_context[-1] == loadautofunc", "$funcstack[1] == _%(prog_name)s"
    )


add_completion_class(KeysInBash)
add_completion_class(AutoloadedInZsh)
