"""``awf workflow``: packs, installed and removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awf.cli.candidates import files, pack_names

if TYPE_CHECKING:
    from awf.catalog.installing import Installed
    from awf.catalog.packs import Pack


@click.group()
def command() -> None:
    """Install, list and remove packs: workflows that belong together, called PACK/NAME.

    \b
    Example:
      awf workflow install ./my-pack
    """


@command.command()
@click.argument("source", metavar="DIRECTORY|ARCHIVE|GIT-URL", shell_complete=files)
@click.option("--ref", default="", metavar="NAME", help="A branch or tag, of a git repository.")
@click.option("--path", "subdirectory", default="", metavar="DIR", help="Where in the source the pack lies.")
@click.option("--force", is_flag=True, help="Replace an installed pack of its name.")
@click.option("--global", "for_user", is_flag=True, help="For all projects of the user, not for this one.")
def install(source: str, ref: str, subdirectory: str, *, force: bool, for_user: bool) -> None:
    """Install a pack: from a directory, an archive (.zip, .tar, .tar.gz …) or a git repository.

    It is checked first: only regular files, within its own directory, at most 10,000 and 100 MiB. A checksum is kept, by
    which `awf workflow info` says whether the files are still those that were installed.

    \b
    Examples:
      awf workflow install ./packs/release
      awf workflow install release-1.2.0.tar.gz --force
      awf workflow install https://example.com/packs.git --ref v1.2.0 --path release
    """
    from awf.catalog.installing import install
    from awf.cli.show import note

    done = install(source, _directory(for_user=for_user), ref=ref, subdirectory=subdirectory, force=force)
    _show(done)
    note(f"`awf list` shows its workflows, as {done.name}/NAME")


@command.command("list")
def list_() -> None:
    """List the installed packs.

    \b
    Example:
      awf workflow list
    """
    from awf.cli.show import show_rows

    found = [(pack, _installed(pack)) for pack in known_packs()]
    rows = [
        (
            pack.name,
            known.version,
            str(len(pack.listed())),
            "yes" if pack.enabled else "no",
            _whole(known),
            known.source.get("repository", str(known.root)),
        )
        for pack, known in found
    ]
    columns = ("name", "version", "workflows", "enabled", "files", "source")
    show_rows(columns, rows, [_value(pack, known) for pack, known in found], empty="no packs are installed")


@command.command()
@click.argument("name", shell_complete=pack_names)
def info(name: str) -> None:
    """Show what is known of an installed pack, and what is wrong with it.

    \b
    Example:
      awf workflow info release
    """
    from awf.cli.show import note, show_record
    from awf.errors import PackNotFound

    pack = next((pack for pack in known_packs() if pack.name == name), None)
    if pack is None:
        raise PackNotFound(name)
    known = _installed(pack)
    show_record(
        {
            "name": pack.name,
            "version": known.version,
            "description": pack.manifest.description,
            "directory": pack.root,
            "enabled": "yes" if pack.enabled else "no",
            "workflows": "\n".join(f"{pack.name}/{each}" for each in pack.listed()),
            "source": known.source.get("repository", ""),
            "ref": known.source.get("ref", ""),
            "commit": known.source.get("commit", ""),
            "checksum": known.source.get("checksum", ""),
            "files": _whole(known),
        },
        _value(pack, known),
        name=pack.name,
    )
    for problem in pack.problems:
        note(str(problem))


@command.command()
@click.argument("name", shell_complete=pack_names)
@click.option(
    "--global", "for_user", is_flag=True, help="The one for all projects of the user, not this one's."
)
def remove(name: str, *, for_user: bool) -> None:
    """Remove an installed pack, with its files. Executions of its workflows go on: they have pinned them.

    \b
    Example:
      awf workflow remove release
    """
    from awf.catalog.installing import remove
    from awf.cli.show import show_line

    place = remove(name, _directory(for_user=for_user))
    show_line(f"removed {place}", {"name": name, "directory": str(place)}, name=name)


def _directory(*, for_user: bool) -> Path:
    from awf.catalog.sources import data_directory
    from awf.cli.project import settings_of

    if for_user:
        return data_directory(os.environ) / "workflow-packs"
    return settings_of().root / ".awf" / "workflow-packs"


def known_packs() -> list[Pack]:
    """The packs of this project and of the user, also those that are switched off."""
    from awf.catalog import Catalog
    from awf.cli.project import settings_of

    settings = settings_of()
    return Catalog(settings.root, os.environ, settings.storage).packs()


def _installed(pack: Pack) -> Installed:
    from awf.catalog.installing import installed

    return installed(Path(pack.root))


def _whole(known: Installed) -> str:
    return {True: "as installed", False: "changed since", None: ""}[known.unchanged]


def _show(known: Installed) -> None:
    from awf.cli.show import show_record

    pairs = {"pack": known.name, "version": known.version, "directory": str(known.root), **known.source}
    pairs.pop("kind", None)
    value = {
        "name": known.name,
        "version": known.version,
        "directory": str(known.root),
        "source": known.source,
    }
    show_record(pairs, value, name=known.name)


def _value(pack: Pack, known: Installed) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": known.version,
        "description": pack.manifest.description,
        "directory": pack.root,
        "enabled": pack.enabled,
        "workflows": [f"{pack.name}/{each}" for each in pack.listed()],
        "source": known.source,
        "unchanged": known.unchanged,
        "problems": [str(problem) for problem in pack.problems],
    }
