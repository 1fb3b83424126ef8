import asyncio
import os
import subprocess

from awf.runners.processes import ATTEMPT_VARIABLE, end, living


def start(script: str, attempt: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["/bin/sh", "-c", script],
        env={**os.environ, ATTEMPT_VARIABLE: attempt},
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def finish(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    process.stdout.close()
    return process.wait()


def test_a_whole_group_is_found_and_ended() -> None:
    process = start("sleep 600 & sleep 600 & echo up; wait", "group-attempt")
    assert len(living(["group-attempt"])) == 3
    asyncio.run(end(["group-attempt"], grace=5))
    assert finish(process) == -15
    assert living(["group-attempt"], [process.pid]) == set()


def test_a_grandchild_that_left_the_group_is_found_by_its_environment() -> None:
    process = start("setsid sh -c 'setsid sleep 600 & exec sleep 600' & echo up", "detached-attempt")
    finish(process)
    assert living(["detached-attempt"])
    asyncio.run(end(["detached-attempt"], [process.pid], grace=5))
    assert living(["detached-attempt"]) == set()


def test_a_member_with_a_scrubbed_environment_is_found_by_its_group() -> None:
    process = start("env -i sleep 600 & echo up; wait", "scrubbed-attempt")
    assert len(living(["scrubbed-attempt"])) == 2
    asyncio.run(end(["scrubbed-attempt"], grace=5))
    finish(process)
    assert living([], [process.pid]) == set()


def test_what_ignores_sigterm_gets_sigkill_after_the_grace() -> None:
    process = start("trap '' TERM; echo up; while :; do sleep 600; done", "stubborn-attempt")
    asyncio.run(end(["stubborn-attempt"], [process.pid], grace=0.1))
    assert finish(process) == -9


def test_a_stopped_process_is_ended_too() -> None:
    process = start("echo up; kill -STOP $$; sleep 600", "stopped-attempt")
    asyncio.run(end(["stopped-attempt"], [process.pid], grace=5))
    assert finish(process) == -15


def test_nothing_to_end_returns_at_once_and_we_are_never_found() -> None:
    asyncio.run(end(["nobody"], grace=5))
    assert os.getpid() not in living([], [os.getpgrp()])
