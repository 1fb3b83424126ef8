"""An engine notes what it starts; the one after it reads that."""

import os
from pathlib import Path

from awf.engine.presence import Member, Presence
from awf.runners.notes import LARGEST, Notes, boot, ticks
from awf.runners.processes import Leader, process


def test_what_one_engine_notes_another_reads(tmp_path: Path) -> None:
    earliest = ticks()
    leader = Notes(tmp_path, "first").started("run.1.1", 4711, earliest)
    assert leader.earliest == earliest <= leader.latest
    assert Notes(tmp_path, "second").leaders(["run.1.1", "run.2.1"]) == [leader]


def test_our_own_start_lies_where_the_clock_says(tmp_path: Path) -> None:
    us = process(os.getpid())
    assert us is not None
    assert us.start <= ticks()


def test_names_of_states_cannot_break_a_line(tmp_path: Path) -> None:
    notes = Notes(tmp_path, "first")
    leader = notes.started("run.a\tb\nc.pre.0.1", 5, 6)
    assert notes.leaders(["run.a\tb\nc.pre.0.1"]) == [leader]
    assert notes.leaders(["run.a"]) == []


def test_notes_of_another_boot_and_cut_lines_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "old.steps").write_text("another boot\nrun.1.1\t1\t2\t3\n")
    cut = f"{boot()}\nrun.1.1\t1\nrun.1.1\t1\t2run.2.1\t4\t5\t6\nrun.3.1\t7\t8\t9\nrun.4.1\t1\t2\t3"
    (tmp_path / "cut.steps").write_text(cut)
    found = Notes(tmp_path, "new").leaders(["run.1.1", "run.2.1", "run.3.1", "run.4.1"])
    assert found == [Leader(7, 8, 9)]


def test_the_file_stays_small_and_keeps_what_runs(tmp_path: Path) -> None:
    notes = Notes(tmp_path, "first")
    running = notes.started("long.1.1", 1, 2)
    for number in range(LARGEST // 20):
        notes.started(f"short.{number}.1", 1, 2)
        notes.ended(f"short.{number}.1")
    assert (tmp_path / "first.steps").stat().st_size <= LARGEST
    assert notes.leaders(["long.1.1"]) == [running]


def test_notes_of_the_dead_who_own_nothing_are_swept(tmp_path: Path) -> None:
    for name in ("dead", "owner", "alive"):
        Notes(tmp_path, name)
    alive = Presence(tmp_path, Member(id="alive", pid=os.getpid(), version="1", started_at=1))
    ours = Notes(tmp_path, "ours")
    ours.sweep(["owner"])
    assert {path.stem for path in tmp_path.glob("*.steps")} == {"owner", "alive", "ours"}
    alive.release()


def test_an_engine_that_leaves_removes_its_notes_unless_something_runs(tmp_path: Path) -> None:
    idle, busy = Notes(tmp_path, "idle"), Notes(tmp_path, "busy")
    busy.started("run.1.1", 1, 2)
    for notes in (idle, busy, idle):
        notes.close()
    assert [path.stem for path in tmp_path.glob("*.steps")] == ["busy"]
