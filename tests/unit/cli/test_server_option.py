"""Which commands speak to a server, and to which."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from awf.cli.access import open_access
from awf.cli.local import LocalAccess
from awf.cli.main import COMMANDS, awf
from awf.cli.options import REMOTE, Options
from awf.cli.remote import RemoteAccess
from awf.errors import RequestInvalid
from unit.cli.conftest import Call


def access(**given: object) -> object:
    """What a command gets whose shared options are these."""
    with click.Context(awf, obj=Options(**given)):  # type: ignore[arg-type]
        return open_access()


def test_the_option_the_environment_and_the_storage_here(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(access(), LocalAccess)
    assert isinstance(access(server="http://there:1"), RemoteAccess)
    monkeypatch.setenv("AWF_SERVER", "http://there:1")
    assert isinstance(access(), RemoteAccess)
    assert isinstance(access(storage=project / "other"), LocalAccess)
    monkeypatch.setenv("AWF_SERVER", "")
    assert isinstance(access(), LocalAccess)
    with pytest.raises(RequestInvalid, match="--server and --storage do not go together"):
        access(server="http://there:1", storage=project / "other")
    with pytest.raises(RequestInvalid, match="--server needs the URL of a server"):
        access(server="")


def test_commands_about_this_machine_have_no_server(call: Call) -> None:
    for name in sorted(COMMANDS.keys() - REMOTE):
        with pytest.raises(RequestInvalid, match=f"awf {name} works on this machine"):
            call("--server", "http://there:1", name)
        shown = call(name, "--server", "http://there:1")
        assert shown.exit_code != 0
        assert "No such option" in shown.output


def test_an_address_that_is_none_is_refused(call: Call) -> None:
    with pytest.raises(RequestInvalid, match="not the URL of a server: 'ftp://x'"):
        call("status", "--server", "ftp://x")


def test_help_needs_no_server(call: Call) -> None:
    shown = call("--server", "http://127.0.0.1:1", "run", "deploy", "--help")
    assert shown.exit_code == 0
    assert "--dry-run" in shown.stdout
    assert "no server answers at http://127.0.0.1:1" in " ".join(shown.stdout.split())
