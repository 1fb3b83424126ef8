"""``awf operations``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from awf.cli.candidates import operation_names

if TYPE_CHECKING:
    from awf.domain.signatures import Parameter, Signature


@click.command()
@click.argument("name", metavar="[NAME]", required=False, shell_complete=operation_names)
def command(name: str | None) -> None:
    """List what `type: operation` can do, or show one operation with its inputs and outputs.

    Operations and state types of plug-ins are there too; what is wrong with a plug-in is said.

    \b
    Examples:
      awf operations
      awf operations http.request
      awf operations -f json
    """
    from awf.cli.show import note, show_rows

    found, sources = known_operations()
    if name is not None:
        return _show(name, found, sources)
    values = [_value(signature, sources) for signature in found.values()]
    rows = [
        (signature.name, sources[signature.name], _needs(signature.parameters), signature.description)
        for signature in found.values()
    ]
    show_rows(("name", "from", "inputs", "description"), rows, values)
    for plugin, reason in _broken():
        note(f"{plugin} cannot be used: {reason}")
    return None


def known_operations() -> tuple[dict[str, Signature], dict[str, str]]:
    """Signatures, and where each comes from, by name."""
    from awf.domain.extensions import ExtensionBroken
    from awf.domain.operations import OPERATIONS
    from awf.extensions import installed

    found, sources = dict(OPERATIONS), dict.fromkeys(OPERATIONS, "awf")
    for plugin in installed().plugins():
        if plugin.kind == "provider":
            continue
        try:
            signature = installed().signature(plugin.kind, plugin.name)
        except ExtensionBroken:
            continue
        if signature is not None:
            found[plugin.name] = signature
            sources[plugin.name] = plugin.package + (" (state type)" if plugin.kind == "state" else "")
    return found, sources


def _broken() -> list[tuple[str, str]]:
    from awf.extensions import installed

    return [(f"{plugin.kind} '{plugin.name}'", reason) for plugin, reason in installed().broken()]


def _show(name: str, found: Mapping[str, Signature], sources: Mapping[str, str]) -> None:
    from awf.cli.show import show_record
    from awf.domain.suggest import did_you_mean
    from awf.errors import RequestInvalid

    signature = found.get(name)
    if signature is None:
        for plugin, reason in _broken():
            if plugin.endswith(f"'{name}'"):
                raise RequestInvalid(f"{plugin} cannot be used: {reason}")
        raise RequestInvalid(
            f"there is no operation '{name}'{did_you_mean(name, found)}",
            remedy="`awf operations` for all of them",
        )
    pairs = {
        "name": name,
        "from": sources[name],
        "description": signature.description,
        "inputs": _listed((each.name, _described(each)) for each in signature.parameters),
        "outputs": _listed(signature.outputs.items()),
    }
    show_record(pairs, _value(signature, sources), name=name)


def _needs(parameters: Iterable[Parameter]) -> str:
    """The names of inputs, optional ones in brackets."""
    return ", ".join(each.name if each.required else f"[{each.name}]" for each in parameters)


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    lines = list(pairs)
    width = max((len(name) for name, _ in lines), default=0)
    return "\n".join(f"{name.ljust(width)}  {text}" for name, text in lines)


def _described(parameter: Parameter) -> str:
    notes = [parameter.type, *(("required",) if parameter.required else ())]
    if parameter.choices:
        notes.append("one of " + ", ".join(map(str, parameter.choices)))
    if parameter.default not in {None, ""}:
        notes.append(f"default {parameter.default}")
    return f"{parameter.description} ({'; '.join(notes)})"


def _value(signature: Signature, sources: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": signature.name,
        "from": sources[signature.name],
        "description": signature.description,
        "inputs": [
            {
                "name": each.name,
                "type": each.type,
                "description": each.description,
                "required": each.required,
                "default": each.default,
                "choices": list(each.choices),
            }
            for each in signature.parameters
        ],
        "outputs": dict(signature.outputs),
    }
