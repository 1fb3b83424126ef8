"""``kill -9`` in the middle of what is done for the storage itself: removing, giving back space, copying."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from random import Random

import pytest

from acceptance.facts import until, wait_gone
from acceptance.server import Project
from awf.testing.fill import fill

EXECUTIONS = 1500
KEPT = 40


@pytest.fixture
def filled(project: Project) -> Project:
    """A project with many finished executions."""
    fill(project.storage, EXECUTIONS, journals=EXECUTIONS)
    project.steps("short", "true")
    return project


def size(project: Project) -> int:
    return (project.storage / "journal.db").stat().st_size


def entries(project: Project) -> int:
    with closing(sqlite3.connect(project.storage / "journal.db")) as db:
        found: int = db.execute("SELECT count(*) FROM events").fetchone()[0]
    return found


def check(project: Project, *options: str) -> str:
    """What ``awf db check`` says of a sound store."""
    done = project.awf("db", "check", *options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def check_copy(project: Project) -> bool:
    """A copy that has its name is whole. False where there is none."""
    copy = project.root / "copy.db"
    if not copy.exists():
        return False
    place = project.root / "copy"
    place.mkdir()
    copy.rename(place / "journal.db")
    check(project, "--storage", "copy")
    shutil.rmtree(place)
    return True


def test_removing_goes_on_where_it_was_interrupted(filled: Project) -> None:
    before = size(filled)
    server = filled.serve(env={"AWF_RETENTION_DAYS": "0", "AWF_RETENTION_RECORDS": str(KEPT)})

    def left() -> int:
        found: int = server.body("/api/history/stats")["TotalExecutions"]
        return found

    deaths = 0
    while (last := left()) > KEPT:
        if until(lambda last=last: left() < last or left() <= KEPT, "some have been removed") and deaths < 8:
            for engine in filled.engines():
                os.kill(engine, signal.SIGKILL)
                wait_gone(engine)
            deaths += 1
    assert deaths >= 2
    assert left() == KEPT
    until(lambda: entries(filled) == 5 * KEPT, "all parts have gone")
    assert check(filled).startswith(f"ok: {KEPT} executions, {5 * KEPT} entries")
    assert filled.awf("db", "vacuum").returncode == 0
    assert size(filled) < before / 4
    server.wait(server.run("short"))


def test_a_vacuum_or_a_copy_that_is_killed_leaves_a_sound_store_and_no_half_copy(filled: Project) -> None:
    server = filled.serve(env={"AWF_RETENTION_DAYS": "0"})
    chance = Random(5)
    for number in range(6):
        command = ("vacuum",) if number % 2 else ("backup", "copy.db")
        process = filled.start("db", *command)
        with suppress(AssertionError):
            until(lambda process=process: process.poll() is not None, "it ends", chance.uniform(0.1, 0.6))
        process.kill()
        process.communicate()
        server.wait(server.run("short"))
        check_copy(filled)
    assert check(filled).startswith(f"ok: {EXECUTIONS + 6} executions")
    assert filled.awf("db", "backup", "copy.db").returncode == 0
    assert not (filled.root / "copy.db.part").exists()
    assert check_copy(filled)
