"""The processes of a step are found however they hide, and ended; nobody else's are."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from awf.runners import processes
from awf.runners.notes import ticks
from awf.runners.processes import (
    ATTEMPT_VARIABLE,
    Family,
    Leader,
    Process,
    end,
    kill,
    opened,
    parse_stat,
    process,
)


@contextmanager
def started(script: str, attempt: str, lines: int = 1) -> Iterator[tuple[subprocess.Popen[bytes], Leader]]:
    """A step's process and its leader, once it has written so many lines."""
    earliest = ticks()
    step = subprocess.Popen(
        ["/bin/sh", "-c", script],
        env={**os.environ, ATTEMPT_VARIABLE: attempt},
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    leader = Leader(step.pid, earliest, ticks())
    assert step.stdout is not None
    try:
        for _ in range(lines):
            step.stdout.readline()
        yield step, leader
    finally:
        with step.stdout:
            step.kill()
            step.wait()


def living(attempts: list[str], leaders: list[Leader] | None = None) -> set[int]:
    return {found.pid for found in Family(attempts, leaders or ()).living()}


def test_a_whole_group_is_found_and_ended() -> None:
    with started("sleep 600 & sleep 600 & echo up; wait", "group-attempt") as (step, leader):
        assert len(living(["group-attempt"])) == 3
        asyncio.run(end(["group-attempt"], grace=5))
        assert step.wait() == -15
        assert living(["group-attempt"], [leader]) == set()


def test_a_grandchild_that_left_the_group_is_found_by_its_environment() -> None:
    with started("setsid sh -c 'setsid sleep 600 & exec sleep 600' & echo up", "left-attempt") as (step, _):
        step.wait()
        # While a program is replaced by another (`exec`) its environment cannot be read.
        while len(living(["left-attempt"])) < 2:
            pass
        asyncio.run(end(["left-attempt"], grace=5))
        assert living(["left-attempt"]) == set()


def test_a_member_with_a_scrubbed_environment_is_found_by_its_group() -> None:
    with started("env -i sleep 600 & echo up; wait", "scrubbed-attempt") as (_, leader):
        assert len(living(["scrubbed-attempt"])) == 2
        asyncio.run(end(["scrubbed-attempt"], grace=5))
        assert living([], [leader]) == set()


def test_a_leader_without_an_environment_is_found_by_its_note() -> None:
    with started("echo up; exec env -i sh -c 'echo up; sleep 600 & wait'", "bare-attempt", 2) as (
        step,
        leader,
    ):
        assert living(["bare-attempt"]) == set()
        assert step.pid in living(["bare-attempt"], [leader])
        asyncio.run(end(["bare-attempt"], [leader], grace=5))
        assert step.wait() == -15
        assert living([], [leader]) == set()


def test_who_left_the_session_without_an_environment_is_found_by_descent() -> None:
    script = "env -i setsid sh -c 'echo up; sleep 600; true' & wait"
    with started(script, "descending-attempt") as (_, leader):
        found = living(["descending-attempt"])
        assert len(found) >= 2
        asyncio.run(end(["descending-attempt"], grace=5))
        assert living(["descending-attempt"], [leader]) == set()
        assert all(process(pid) is None for pid in found)


def test_what_was_found_once_is_remembered_when_its_parent_is_gone() -> None:
    script = "env -i setsid sh -c 'echo $$; sleep 600; true' & exec sleep 600"
    with started(script, "remembered-attempt", 0) as (step, _):
        assert step.stdout is not None
        orphan = int(step.stdout.readline())
        family = Family(["remembered-attempt"])
        assert orphan in {found.pid for found in family.living()}
        step.kill()
        step.wait()
        assert living(["remembered-attempt"]) == set()
        left = family.living()
        assert orphan in {found.pid for found in left}
        for found in left:
            os.kill(found.pid, signal.SIGKILL)


def test_an_id_that_is_anothers_by_now_is_not_taken_for_the_leader() -> None:
    with started("echo up; exec env -i sleep 600", "old-attempt") as (step, leader):
        found = process(step.pid)
        assert found is not None
        assert leader.is_at(found.start)
        for wrong in (
            Leader(step.pid, 0, found.start - 1),
            Leader(step.pid, found.start + 1, found.start + 9),
        ):
            assert living([], [wrong]) == set()
        with pytest.raises(ProcessLookupError), opened(step.pid, found.start + 1):
            pass


def test_what_ignores_sigterm_gets_sigkill_after_the_grace() -> None:
    with started("trap '' TERM; echo up; while :; do sleep 600; done", "stubborn-attempt") as (step, _):
        asyncio.run(end(["stubborn-attempt"], grace=0.1))
        assert step.wait() == -9


def test_a_stopped_process_is_ended_too() -> None:
    with started("echo up; kill -STOP $$; sleep 600", "stopped-attempt") as (step, _):
        asyncio.run(end(["stopped-attempt"], grace=5))
        assert step.wait() == -15


def test_who_replaces_its_program_all_the_time_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\nexec "$0"\n')
    program.chmod(0o700)
    for turn in range(8):
        with started(f"echo up; exec {program}", f"replacing-{turn}") as (step, _):
            asyncio.run(end([f"replacing-{turn}"], grace=5))
            assert step.wait() == -15


def test_a_look_while_a_program_is_replaced_is_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started("echo up; sleep 600", "late-attempt") as (step, _):
        shown = tmp_path / str(step.pid)
        replacing(shown, step.pid)
        monkeypatch.setattr(processes, "_PROC", tmp_path)

        async def look() -> None:
            ending = asyncio.create_task(end(["late-attempt"], grace=5))
            await asyncio.sleep(0)
            assert not ending.done()
            replaced(shown, step.pid)
            await ending

        asyncio.run(look())
        assert step.wait() == -15


def test_a_program_that_is_never_replaced_holds_nobody_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started("echo up; sleep 600", "stuck-attempt") as (step, _):
        replacing(tmp_path / str(step.pid), step.pid)
        monkeypatch.setattr(processes, "_PROC", tmp_path)
        monkeypatch.setattr(processes, "_POLL", 0)
        asyncio.run(end(["stuck-attempt"], grace=5))
        kill(["stuck-attempt"])
        assert step.poll() is None


def test_a_kill_looks_again_while_a_program_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started("echo up; sleep 600", "killed-attempt") as (step, _):
        shown = tmp_path / str(step.pid)
        replacing(shown, step.pid)
        monkeypatch.setattr(processes, "_PROC", tmp_path)
        look = Family.living

        def then_replaced(family: Family) -> list[Process]:
            found = look(family)
            replaced(shown, step.pid)
            return found

        monkeypatch.setattr(Family, "living", then_replaced)
        kill(["killed-attempt"])
        assert step.wait() == -9


def test_an_empty_environment_and_none_at_all_are_no_doubt() -> None:
    with started("echo up; exec env -i sh -c 'echo up; sleep 600'", "empty-attempt", 2):
        family = Family(["nobody"])
        while family.living() or family.unsure:
            pass


def replacing(shown: Path, pid: int) -> None:
    """A process as the kernel shows it in the midst of an ``exec``."""
    name, _, rest = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")
    fields = rest.split()
    fields[48] = "0"
    shown.mkdir()
    (shown / "stat").write_text(f"{name}) {' '.join(fields)}")
    (shown / "environ").write_bytes(b"")


def replaced(shown: Path, pid: int) -> None:
    """The process as it is."""
    if not shown.is_symlink():
        shutil.rmtree(shown)
        shown.symlink_to(f"/proc/{pid}")


def test_nothing_to_end_returns_at_once_and_we_are_never_found() -> None:
    asyncio.run(end(["nobody"], grace=5))
    us = process(os.getpid())
    assert us is not None
    assert os.getpid() not in living([], [Leader(us.pid, us.start, us.start)])


def test_names_with_brackets_and_spaces_are_read() -> None:
    text = Path("/proc/self/stat").read_bytes()
    name = text[text.index(b"(") : text.rindex(b")") + 1]
    assert parse_stat(text.replace(name, b"(a) Z 1 (b)"), os.getpid()) == process(os.getpid())


def test_a_part_of_an_attempt_belongs_to_it_and_can_be_ended_alone() -> None:
    with (
        started("echo up; sleep 600", "parted/1") as (one, _),
        started("echo up; sleep 600", "parted/10") as (ten, _),
        started("echo up; sleep 600", "parted-not") as (other, _),
    ):
        assert {one.pid, ten.pid} < living(["parted"])
        assert other.pid not in living(["parted"])
        asyncio.run(end(["parted/1"], grace=5))
        assert (one.poll() is None, ten.poll() is None) == (False, True)
        asyncio.run(end(["parted"], grace=5))
        assert (ten.poll() is None, other.poll() is None) == (False, True)
