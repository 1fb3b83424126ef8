import os
import subprocess
import sys
from pathlib import Path

from awf.engine.presence import Member, Presence, exclusive, is_alive, living, sweep


def member(name: str, started_at: int = 1) -> Member:
    return Member(id=name, pid=os.getpid(), version="1", started_at=started_at)


def test_members_are_listed_oldest_first_while_they_live(tmp_path: Path) -> None:
    young, old = Presence(tmp_path, member("young", 2)), Presence(tmp_path, member("old", 1))
    assert [found.id for found in living(tmp_path)] == ["old", "young"]
    old.release()
    old.release()
    assert [found.id for found in living(tmp_path)] == ["young"]
    young.release()
    assert living(tmp_path) == []


def test_a_missing_directory_has_no_members(tmp_path: Path) -> None:
    assert living(tmp_path / "none") == []
    assert not is_alive(tmp_path / "none", "x")


def test_a_killed_process_is_dead_at_once_and_a_stopped_one_lives(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from awf.engine.presence import *;"
        "p = Presence(Path(sys.argv[1]), Member(id='child', pid=1, version='1', started_at=1));"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert is_alive(tmp_path, "child")
        child.send_signal(19)
        assert is_alive(tmp_path, "child")
        child.kill()
        child.wait()
    assert not is_alive(tmp_path, "child")
    assert (tmp_path / "child.lock").exists()
    sweep(tmp_path)
    assert not (tmp_path / "child.lock").exists()


def test_looking_at_a_lock_does_not_take_it(tmp_path: Path) -> None:
    mine = Presence(tmp_path, member("mine"))
    assert all(is_alive(tmp_path, "mine") for _ in range(3))
    mine.release()


def test_an_exclusive_block_has_one_holder(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock") as first:
        assert first
        with exclusive(tmp_path / "lock") as second:
            assert not second
    with exclusive(tmp_path / "lock") as third:
        assert third


def test_a_file_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    mine = Presence(tmp_path, member("mine"))
    assert not mine.keep()
    (tmp_path / "mine.lock").unlink()
    assert not is_alive(tmp_path, "mine")
    assert mine.keep()
    assert is_alive(tmp_path, "mine")
    assert [found.id for found in living(tmp_path)] == ["mine"]
    mine.release()
    assert not mine.keep()
    assert living(tmp_path) == []
