"""``awf db``, beside a server and an engine that are at work."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

from acceptance.server import Project


def test_a_store_is_checked_copied_and_compacted_while_it_is_used(project: Project) -> None:
    project.steps("short", "echo hello")
    server = project.serve()
    server.wait(server.run("short"))
    running = server.run("short")

    done = project.awf("db", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok: 2 executions, ")

    done = project.awf("db", "backup", "copy.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert (project.root / "copy.db").stat().st_mode & 0o777 == 0o600
    again = project.awf("db", "backup", "copy.db")
    assert (again.returncode, again.stdout) == (1, "")
    assert "copy.db is there already" in again.stderr

    done = project.awf("db", "vacuum")
    assert (done.returncode, done.stderr) == (0, "")
    assert "bytes given back" in done.stdout
    server.wait(running)

    # The copy is a store.
    (project.root / "copy").mkdir()
    shutil.move(project.root / "copy.db", project.root / "copy" / "journal.db")
    assert project.awf("db", "check", "--storage", "copy").returncode == 0


def test_a_damaged_store_is_told_with_the_place_and_an_exit_status(project: Project) -> None:
    project.steps("short", "echo hello")
    with project.serve() as server:
        execution = server.run("short")
        server.wait(execution)
    assert project.awf("stop").returncode == 0
    with closing(sqlite3.connect(project.storage / "journal.db")) as db:
        db.execute("DELETE FROM events WHERE seq = 3")
        db.commit()
    done = project.awf("db", "check")
    assert done.returncode == 4
    assert f"execution {execution}: entry 4 follows entry 2 of its journal" in done.stdout
    assert done.stderr.startswith("awf: the store is damaged: put back a copy")


def test_where_there_is_no_store_nothing_is_made(project: Project) -> None:
    for arguments in (["check"], ["backup", "copy.db"], ["vacuum"]):
        done = project.awf("db", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no journal.db in" in done.stderr
    assert not project.storage.exists()
