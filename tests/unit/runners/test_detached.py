"""Any argument list can be detached, let go of, and followed by somebody else."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

from awf.engine.cancel import Cancel
from awf.runners.attempts import Attempts
from awf.runners.detached import Ended, Following, start
from awf.runners.notes import Notes
from awf.runners.processes import ATTEMPT_VARIABLE, Family, end

ATTEMPT = "run.1.1"


class Heard:
    """What was delivered, by stream; ``waits_for`` some text."""

    def __init__(self) -> None:
        self.text = {"stdout": "", "stderr": ""}
        self._changed = asyncio.Event()

    def __call__(self, stream: str, text: str, _truncated: bool) -> None:
        self.text[stream] += text
        self._changed.set()

    async def waits_for(self, text: str) -> None:
        async with asyncio.timeout(10):
            while text not in self.text["stdout"]:
                self._changed.clear()
                await self._changed.wait()


def keeper(tmp_path: Path, engine: str = "first") -> Attempts:
    return Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", engine))


def begin(attempts: Attempts, *argv: str, stdin: str = ""):
    attempts.create(ATTEMPT)
    env = {**os.environ, ATTEMPT_VARIABLE: ATTEMPT}
    return start(attempts, ATTEMPT, argv, cwd=Path("/"), env=env, stdin=stdin.encode())


def following(attempts: Attempts, heard: Heard) -> Following:
    return Following(attempts, ATTEMPT, heard, None, 0.5)


def test_it_reads_its_stdin_and_leaves_its_status(tmp_path: Path) -> None:
    async def scenario() -> None:
        attempts, heard = keeper(tmp_path), Heard()
        child = begin(attempts, "sh", "-c", "cat; pwd; echo no >&2; exit 3", stdin="prompt\n")
        ended = await following(attempts, heard).watch(child, Cancel(), None)
        assert (ended.stopped, ended.code) == (None, 3)
        assert heard.text == {"stdout": "prompt\n/\n", "stderr": "no\n"}
        assert (ended.written.stdout_bytes, ended.written.stderr_bytes) == (9, 3)
        assert attempts.files(ATTEMPT).record().status == 3

    asyncio.run(scenario())


def test_without_stdin_it_reads_nothing_and_signals_are_the_usual(tmp_path: Path) -> None:
    async def scenario() -> None:
        attempts, heard = keeper(tmp_path), Heard()
        child = begin(attempts, "sh", "-c", "cat; exec grep -E '^Sig(Ign|Blk)' /proc/self/status")
        await following(attempts, heard).watch(child, Cancel(), None)
        of_the_c_library = 0b11 << 31
        masks = [int(line.split()[1], 16) & ~of_the_c_library for line in heard.text["stdout"].splitlines()]
        of_the_interpreter = (
            1 << 12 | 1 << 24
        )  # SIGPIPE and SIGXFSZ, which Python ignores and subprocess restores
        assert [mask & ~of_the_interpreter for mask in masks] == [0, 0]

    asyncio.run(scenario())


def test_who_lets_go_of_it_leaves_it_to_the_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        first, heard = keeper(tmp_path), Heard()
        os.mkfifo(tmp_path / "gate")
        child = begin(first, "sh", "-c", f"echo before; cat {tmp_path / 'gate'}; echo after; exit 5")
        watching = asyncio.create_task(following(first, heard).watch(child, Cancel(), None))
        await heard.waits_for("before")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        # Nobody here complains of what runs on.
        del child, watching
        gc.collect()

        second, again = keeper(tmp_path, "second"), Heard()
        assert second.adoptable(ATTEMPT)
        adopting = asyncio.create_task(following(second, again).watch(None, Cancel(), None))
        await again.waits_for("before")
        with (tmp_path / "gate").open("w"):
            pass
        ended = await adopting
        assert (ended.stopped, ended.code) == (None, 5)
        assert again.text["stdout"] == "before\nafter\n"

    asyncio.run(scenario())


def stopped(tmp_path: Path, script: str, timeout: float | None) -> Ended:
    """How it ends when it is cancelled once it has said so, or at its time limit."""

    async def scenario() -> Ended:
        attempts, heard, cancel = keeper(tmp_path), Heard(), Cancel()
        child = begin(attempts, "sh", "-c", script)
        watching = asyncio.create_task(following(attempts, heard).watch(child, cancel, timeout))
        await heard.waits_for("ready")
        if timeout is None:
            cancel.set()
        ended = await watching
        assert Family([ATTEMPT]).living() == []
        return ended

    return asyncio.run(scenario())


def test_a_cancel_ends_it_and_its_own_words_are_heard(tmp_path: Path) -> None:
    script = "trap 'echo tidied; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    ended = stopped(tmp_path, script, None)
    assert (ended.stopped, ended.code, ended.written.stdout_bytes) == ("cancel", 9, len("ready\ntidied\n"))


def test_a_time_limit_ends_what_is_deaf(tmp_path: Path) -> None:
    ended = stopped(tmp_path, "trap '' TERM; echo ready; while :; do sleep 600; done", 0.3)
    assert ended.stopped == "timeout"
    assert ended.code in {None, 137}


def test_a_wrapper_that_was_killed_leaves_nothing_running(tmp_path: Path) -> None:
    async def scenario() -> None:
        attempts, heard = keeper(tmp_path), Heard()
        child = begin(attempts, "sh", "-c", "echo ready; sleep 600; true")
        watching = asyncio.create_task(following(attempts, heard).watch(child, Cancel(), None))
        await heard.waits_for("ready")
        child.kill()
        ended = await watching
        assert (ended.stopped, ended.code) == (None, 137)
        assert Family([ATTEMPT]).living() == []

    asyncio.run(scenario())
    asyncio.run(end([ATTEMPT], grace=0))
